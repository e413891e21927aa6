// Package source turns the inputs of a job into a sealed stage, and edges into lists that are
// inputs again.
//
// It promises:
//
//   - No row is lost and none is altered silently. Every row of every input is an edge of the
//     stage, a duplicate of one, or a row of rejected.csv with its line, the column and the reason.
//     ReadInputs checks the sum before it returns. An optional field that is dropped or cut
//     (--invalid-field) is in changed.csv, a duplicate whose fields differ is in duplicates.csv.
//     Ids are bytes: nothing is trimmed, normalised, replaced or read through a float.
//   - One bad row costs only itself. Records and their cells are found here (recordFinder), not by
//     encoding/csv, so a stray quote costs only its own line; gocsv gets whole records. An input is
//     an ErrUnusable if a quote is open for 1 MiB, if it has no From_Account column, is cut short
//     or fails its checksum.
//   - An input of another kind (CR line ends, a JSON array, another separator, encoding or packing)
//     is an ErrUnusable that names the command that converts it. sniff.go finds out the kind from
//     the beginning of the input; wrong.go has the commands.
//   - Any number of inputs is read, one after the other. Request.Waits gets what reading waits for
//     when nothing was read for a minute.
//   - Nothing can be sent before everything was read. ReadInputs returns once every input was read
//     to its end and found sound, and only then can Unsealed.Seal seal the stage.
//   - The result depends only on the inputs and the Options, not on the number of parsers, the size
//     of blocks or the order in which they are finished.
//   - Memory is bounded for any input: blocks, lists and the stage have fixed shares of
//     Request.Memory. Lists that need more than theirs go to a temporary file.
//   - An input is identified by the SHA-256 of its raw content and by its stat, an object by its
//     ETag. Compare tells a rerun whether they are still the same without reading rows. An object
//     is streamed (package objects) and checked to be one version from its first byte to its last.
//
// The package never writes outside Request.StateDir, never reads a row twice, never logs
// (Request.Warn gets whole sentences without account ids), and holds no state between calls. People
// read the lists too, and a spreadsheet may run a cell that begins with =, +, - or @. Lists are not
// protected against that, because they must remain valid inputs.
//
// One goroutine reads, digests, unpacks and finds records and cells. The parsers validate and stage
// in parallel, each with a stage lane of its own. gocsv makes rows of the cells, many at once.
package source
