// Package stage keeps the valid rows of a job on disk, grouped by From_Account, so that every
// roster comes out complete, in the order of the input and without duplicates, whatever the size,
// order and skew of the input and however little memory there is.
//
// # Promises
//
// The plan is the rosters in their order, with their chunks and the chunks' ordinals. It depends on
// the rows and on Options.Shard, Shards, Duplicates and Mutual alone: not on memory, lanes, the
// order in which rows were added, or how they lay on disk. Rosters are ordered by the bits of
// xxhash64 of From_Account, the lowest first, then by From_Account itself; within a roster the
// edges are ordered by position, added ones last; a chunk is the next 1000 edges. Totals.PlanDigest
// proves it: a stage that is made again from the same rows has the same digest, so a settled
// ordinal still means the same edges. That is why settled state can be a set of ordinals and needs
// no digest for each chunk.
//
// A stage is sealed as a whole or there is none. A sealed stage that was changed, cut or lost in
// part is refused with ErrDamaged, at the latest when the changed bytes are read and before they
// are used. Decoders take bounded memory for any bytes.
//
// # What it never does
//
// It never judges a row, never decides what to do about damage, and never sends anything. Its files
// hold the input's personal data: only their owner may read them.
//
// # The path of an edge
//
// Add encodes the edge into a page of its partition (low bits of the hash). Pages stay in memory
// until a lane's share is used up; then all of the lane's pages are compressed and appended to the
// partitions' files, so that a small input never touches the disk before its rosters are written.
// WriteRosters takes the partitions in plan order, in several goroutines. It loads a partition,
// groups and sorts its records, resolves duplicates, and writes chunks. A partition that does not
// fit into memory is split by the next bits of the hash, as often as it takes. One roster that does
// not fit is sorted on disk by To_Account, rid of duplicates, and sorted by position. Seal writes
// the manifest. A chunk of the longest edges takes 64 MiB: the builders make such chunks one after
// the other.
//
// The command plan (Options.Measure) goes the same way with less in its records. It counts the
// rosters instead of writing them.
//
// # Files
//
//	raw-*          partitions, while a stage is made: never synced, gone after WriteRosters
//	rosters-N      written by goroutine N: segments of blocks, and after each segment the index of its blocks
//	manifest.json  totals, the caller's meta data, files with their sizes, segments in plan order
//
// A block is s2-compressed and holds whole chunks: of many small rosters, or of one large roster,
// which can then be skipped without reading it. The manifest has a SHA-256 of itself and the CRC32C
// of every index, and an index has the CRC32C of every block. So every byte is covered and no block
// passes for another; blocks need no headers. Ordinals are not written: they follow from the counts
// of chunks in manifest and index. So a goroutine can write rosters without knowing how many chunks
// come before them.
//
// # Crashes
//
// Each line is a step of making a stage and what a crash right after it leaves.
//
//   - Create, Add: raw files. There is no manifest, so Open says fs.ErrNotExist; the next Create
//     removes them, and the job reads its input again.
//   - WriteRosters writes, then syncs rosters-N, the folder and its parent: files that no manifest
//     names. As before.
//   - Seal writes and syncs manifest.json.tmp: as before.
//   - Seal renames it: either no manifest, as before, or a whole one. All files that it names were
//     synced before.
//   - Seal syncs the folder and returns: sealed, permanently.
//   - UpdateMeta: the old manifest or the new one.
//   - MarkDamaged: the manifest under its own name (the next run finds the damage again) or under
//     the other one (it stages again).
//   - Create over a damaged stage, Remove: the manifest is removed first, so what is left is no
//     sealed stage.
//
// A write or sync that failed is final: Add, WriteRosters or Seal returns the error, and so does
// every later call except Abort.
package stage
