// Package export writes the friend lists of many accounts as a file that import accepts.
//
// What it promises:
//
//   - Every friend of every account that could be read is a row. The rows of an account stand
//     together; accounts come in the order in which their last page came. An account that could not
//     be read has no row; it is in a list with the reason. An account whose friend list may be
//     incomplete (friendlist says when) has its rows and is in that list too.
//   - Memory is bounded: rows of accounts that are not read to their end are in unnamed temporary
//     files, which no other process can open.
//   - An export to a file survives being killed at any moment: the next run cuts the file back to
//     the accounts that are known to be on the disk and reads the others. The result has the same
//     rows as without an interruption.
//   - A CSV that could not give back what was read is not written; JSONL holds everything.
//
// # What if we die here
//
// The folder DESTINATION.export holds a lock, position.json and the accounts that could not be
// read. A step writes rows to the destination, syncs it, syncs the list of failures, and replaces
// position.json atomically. That holds the lengths of both files and the set of the accounts that
// are done, which are those within these lengths:
//
//   - Before position.json is replaced, it describes the previous step. Both files are cut back to
//     the lengths in it, and the accounts that are not in its set are read again.
//   - After that, it describes this step.
//
// The header of a CSV needs all custom fields, which are only known at the end. So its rows are
// collected as JSON in DESTINATION.export, in the same steps. When all are collected,
// position.json records that a file at the destination is the export's. Then the CSV is written to
// a temporary file next to the destination and renamed.
//
// What it never does: change anything in the service, or overwrite a file that no export began.
package export
