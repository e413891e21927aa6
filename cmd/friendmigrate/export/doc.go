// Package export writes the friend lists of many accounts as a file that import accepts.
//
// What it promises:
//
//   - Every friend of every account that could be read is a row, in the order of the accounts in
//     their file; an account that could not be read is in a list with the reason, and has no row. A
//     list that changed while it was read was read again. An account that holds another number of
//     friends than FriendNum says, also when it is read once more, has its rows and is in that list
//     too.
//   - Memory is bounded: what was read before its turn lies in memory up to a limit and beyond it
//     in a temporary file that nobody else can open.
//   - With a file as its destination it survives being killed at any moment: the next run cuts the
//     file back to the last account that is known to be on the disk and goes on from there. What
//     comes out is the same to the byte as without an interruption, but for where compressed
//     members end.
//   - A CSV that could not give back what was read is not written; JSONL holds everything.
//
// # What if we die here
//
// The folder DESTINATION.export holds a lock, position.json and the accounts that could not be
// read. A step writes rows to the destination, syncs it, syncs the list of failures, and replaces
// position.json, whole:
//
//   - before position.json is replaced: it speaks of the step before. Both files are cut back to
//     the lengths that it knows, and the accounts since are read again.
//   - after it: it speaks of this step.
//
// A CSV needs its columns before its first row, and which custom fields there are is known at the
// end only. So its rows are collected as JSONL in DESTINATION.export, in the same steps, and when
// all are there the CSV is written beside its place and renamed.
//
// What it never does: change anything in the service, or write over a file that it did not begin
// itself.
package export
