// Package checkpoint keeps what a job has settled, so that it can die at any moment and go on: one
// append-only file, the journal, is the only truth. Totals, lists and the report are computed from
// it.
//
// It promises:
//   - What Settle, Reopen, BeginRun and EndRun returned from without an error is in the journal
//     after any crash of the process or the machine.
//   - What is in the journal is what was settled: no edge twice, no other edge, no other outcome. A
//     file that was changed by anything but this package and its crashes is refused (ErrDamaged),
//     and so is one of a newer version (ErrNewer); neither is changed by being refused.
//   - After a failed write or sync nothing more is written, for good: the error is returned by
//     every call that follows, until the file is opened anew.
//   - Memory does not grow with the failures or with what is settled: a bit for each chunk of the
//     plan, and some 100 bytes for each chunk that is settled in part.
//
// It never repairs anything but a torn last write, never waits for a lock, never deletes a journal
// or writes one over another, and never reads the input or talks to the service. Whoever opens a
// journal for writing holds the lock of its folder (TryLock); for reading only none is needed.
//
// # What it knows of the job
//
// The plan is a pure function of input and options, and its chunks are numbered from 0; the
// journal's identity holds the plan's digest. So a chunk is known by its number, and a settlement
// of the usual kind, a whole chunk imported, takes 4 to 8 bytes in the file and one bit in memory.
// A frame around it has 20 bytes and 2 for the time, which settlements that are committed together
// share. Failures are spelled out, with the whole edge, and are read again from the file when they
// are asked for.
//
// # The frame
//
// A frame has the length of its payload, a sequence number without gaps, the random id of the file,
// and a CRC32C of all that and the payload. It is one commit: what was waiting when the committer
// came round, one write, one sync. So all frames but the last are synced. A frame of another file,
// or with another number than the next one, is refused. The checksum does not cover the offset: a
// frame that moved, because bytes before it were lost, is still seen to be a frame.
//
// What follows the last good frame is a torn write, and is cut off, if no whole frame of any
// journal is in it and it is no longer than one frame can be. Otherwise the file is damaged. A torn
// write may hold anything: part of a frame, zeros, or some of its sectors and not others. What
// can't be told from it is damage to the very last frame: its edges are then sent again, which
// loses nothing.
//
// We assume that a sync writes what it says (a disk that lies about it is beyond us), that a write
// into a sector leaves the other bytes in it alone when the power fails, and that writing the same
// bytes over themselves does no harm.
//
// # What if we die here
//
// Create, which makes the folder, syncs the two above it, writes a temporary file, syncs it,
// renames it and syncs the folder:
//   - before the rename is durable: no journal, perhaps a temporary file. The stage is sealed only
//     after Create, so the next run makes both anew.
//   - after it: a journal with an identity and nothing else, of which the next Open makes the name
//     durable. That run finds it without a sealed stage, or with the one that was sealed next.
//   - never: a journal without a whole identity. An empty, zeroed or beheaded file is therefore
//     damage, not a new job.
//
// Appending a frame (Settle, BeginRun, EndRun, Reopen, and Unsettled's records of what may be sent):
//   - before or during the write: nothing or a torn write behind the last good frame. Nobody had an
//     answer. Open cuts it off; those edges are sent again.
//   - between write and sync: the frame is there or is torn. If it is there Open takes it up: the
//     calls it speaks of were answered.
//   - after the sync: the frame is there.
//   - the write or the sync failed: as between write and sync, and in addition the frame may be
//     good in the system's cache while the disk lacks it. So Open writes the last frame once more
//     over itself before it syncs. It never builds on a frame that it did not sync itself.
//
// Open, which replays, cuts a torn write off, writes the last frame again, syncs the file and the
// folder:
//   - before or after the cut: the same frames. The next Open does the same.
//   - during the rewriting: the same bytes.
//   - a step failed: Open fails and the journal is not used.
//
// Reopen, which appends one small frame and replays the file:
//   - before the frame is durable: nothing was reopened; Reopen does it again.
//   - after it: all of it was. Edges are open now, so that Reopen, called again, moves nothing.
//   - the last of them is settled, and the program dies: nothing of it is open any more. Called
//     again, Reopen moves those that failed again.
//
// BeginRun and EndRun:
//   - before BeginRun is durable: no run. Nothing was sent.
//   - between the two: the run counts as killed. Journal.Unsettled records a block of
//     1024 chunks durably before it returns the first chunk of it. Every chunk of a recorded block
//     may have been sent.
//   - after EndRun: the run's end says whether a call was left without an answer.
//
// Close writes nothing, so it can't fail to.
package checkpoint
