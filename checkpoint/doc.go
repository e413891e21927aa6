// Package checkpoint records what a job has settled, so that the job can resume after it dies at
// any moment. One append-only file, the journal, is the only record. Totals, lists and the report
// are computed from it.
//
// It promises:
//
//   - When Settle, Announce, Reopen, BeginRun or EndRun returns without an error, its record is in
//     the journal after any crash of the process or the machine.
//   - The journal holds exactly what was settled: no edge twice, no other edge, no other outcome.
//     It refuses a file that anything but this package and its crashes changed (ErrDamaged), and a
//     file of a newer version (ErrNewer). A refused file is left as it is, except that a torn last
//     write may have been cut off.
//   - After a failed write or sync it writes nothing more. Every later call returns the error,
//     until the file is opened again.
//   - Memory does not grow with the number of failures or settled edges. It takes a bit for each
//     chunk of the plan, and some 100 bytes for each chunk that is settled in part.
//
// It repairs nothing but a torn last write, never waits for a lock, never deletes a journal or
// writes one over another, and never reads the input or calls the service. A process that opens a
// journal for writing holds the lock of its folder (TryLock). Reading needs no lock.
//
// # How a chunk is recorded
//
// The plan is a pure function of the input and the options. Its chunks are numbered from 0, and the
// journal's identity holds the plan's digest, so a number identifies a chunk. The usual settlement,
// a whole chunk imported, takes 4 to 8 bytes in the file and one bit in memory. Its frame takes 20
// bytes and 2 for the time, which all settlements in the same commit share. A failure is recorded
// with its whole edge, and is read from the file again when a list needs it.
//
// # The frame
//
// A frame has the length of its payload, a sequence number without gaps, the random id of the file,
// and a CRC32C of all that and the payload. A frame is one commit: the entries that were waiting,
// one write, one sync. So all frames but the last are synced. A frame of another file, or with
// another number than the next one, is refused. The checksum does not cover the offset. A frame
// that moved because bytes before it were lost is therefore still recognised as a frame.
//
// Bytes after the last good frame are a torn write, and are cut off, if they contain no whole frame
// of any journal and are no longer than one frame can be. Otherwise the file is damaged. A torn
// write may hold anything: part of a frame, zeros, or some of its sectors and not others. Damage to
// the very last frame looks the same as a torn write. Its edges are then sent again, which loses
// nothing.
//
// We assume that a sync writes what it says (we cannot protect against a disk that does not), that
// a write into a sector leaves its other bytes alone when the power fails, and that writing the
// same bytes over themselves does no harm.
//
// # What if we die here
//
// Create makes the folder, syncs the two above it, writes a temporary file, syncs it, renames it
// and syncs the folder. If the program dies
//
//   - before the rename is durable: there is no journal, perhaps a temporary file. The stage is
//     sealed only after Create, so the next run makes both again.
//   - after it: there is a journal with an identity and nothing else. The next Open makes its name
//     durable. That run finds it without a sealed stage, or with the one that was sealed next.
//   - at any point: a journal without a whole identity never appears. A file that is
//     empty, zeroed or lacks its beginning is therefore damage, not a new job.
//
// Settle, Announce, BeginRun, EndRun and Reopen append a frame (commit in committer.go). If the
// program dies
//
//   - before or during the write: there is nothing or a torn write after the last good frame. No
//     caller had an answer. Open cuts it off, and those edges are sent again.
//   - between write and sync: the frame is whole or torn. If it is whole, Open accepts it: the
//     calls that it settles were answered, and an announcement of calls that were not made does no
//     harm.
//   - after the sync: the frame is there.
//   - after the write or the sync failed: as between write and sync. In addition the frame may be
//     good in the system's cache while the disk lacks it, so Open writes the last frame over itself
//     again before it syncs. It never builds on a frame that it did not sync itself.
//
// Open replays the file, cuts a torn write off (recover in journal.go, checkTail in format.go),
// writes the last frame again, and syncs the file and the folder. If the program dies
//
//   - before or after the cut: the same frames are there. The next Open does the same.
//   - during the rewriting: the same bytes are there.
//   - after a step failed: Open fails and the journal is not used.
//
// Reopen appends one small frame and replays the file. If the program dies
//
//   - before the frame is durable: nothing was reopened. Reopen does it again.
//   - after it: all of it was reopened. Its edges are open, so another call of Reopen moves
//     nothing.
//   - after the last of them is settled: no reopened edge is open any more. Another call of Reopen
//     moves those that failed again.
//
// BeginRun and EndRun. If the program dies
//
//   - before BeginRun is durable: there is no run. Nothing was sent.
//   - between the two: the run counts as killed. Announce records a span of 1024 chunks durably
//     before a chunk of it is sent. Every chunk of a recorded span may have been sent.
//   - after EndRun: the run's end says whether a call was left without an answer.
//
// Close writes nothing, so there is nothing to lose.
package checkpoint
