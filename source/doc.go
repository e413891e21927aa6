// Package source turns the inputs of a job into a sealed stage, and edges into lists that are
// inputs again.
//
// It promises:
//
//   - No row is lost and none is altered silently. Every row of every input is an edge of the
//     stage, or a duplicate of one, or a row of rejected.csv with its line, the column and the
//     reason; Stage holds the sum against that before it returns. An optional field that is dropped
//     or cut (--invalid-field) is in changed.csv, a duplicate whose fields differ is in
//     duplicates.csv. Ids are bytes: nothing is trimmed, normalised, replaced or read through a
//     float.
//   - One bad row costs itself only. Records and their cells are found here (cutter), not by
//     encoding/csv, so a stray quote costs the line that it is in; gocsv is given whole records.
//     What cannot be cut (a quote open for 1 MiB), has no From_Account column, is cut short or
//     fails its checksum is an error that is ErrUnusable.
//   - An input of another kind (CR line ends, a JSON array, another separator, encoding or packing)
//     is an ErrUnusable that names the command that converts it. What it is, sniff.go finds out
//     from its beginning; wrong.go has the commands.
//   - Any number of inputs is read, one after the other. Where nothing is read for a minute,
//     Request.Waits is told what is waited for.
//   - Nothing can be sent before everything was read: Stage returns once every input was read to
//     its end and found sound, and only then can Pending.Seal seal it.
//   - What comes out depends on the inputs and the Options alone, not on the number of parsers, the
//     size of blocks or the order in which they are done.
//   - Memory is bounded for any input: blocks, lists and the stage have fixed shares of Request.Memory.
//     Lists that outgrow theirs go to a temporary file.
//   - An input is known by the SHA-256 of its raw content and by its stat, an object by its ETag;
//     Compare tells a rerun whether they are still the same without reading rows. An object is
//     streamed (package objects) and held to being one version from its first byte to its last.
//
// It never writes outside Request.StateDir, never reads a row twice, never logs (Request.Warn is told whole
// sentences without account ids), and holds no state beyond a call. A list is a text for people as
// well: a spreadsheet may run a cell that begins with =, +, - or @, and lists are not defused
// against that, since they have to stay inputs.
//
// One goroutine reads, digests, unpacks and finds records and cells; the parsers validate and stage
// side by side, each with a stage lane of its own. gocsv makes rows of the cells, many at once.
package source
