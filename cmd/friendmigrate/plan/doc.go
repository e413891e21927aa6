// Package plan reads a job's input as import does and says what importing it would take: calls,
// time, bytes, disk, and which rows would not be sent.
//
// What it promises: nothing is sent, and the state folder is the same to the byte afterwards,
// whatever lies in it. A sealed stage there that was made of the same input and options is only
// read; otherwise the input is sorted in a folder beside the state folder, which is removed at the
// end, also after an error or a signal. It is sealed there only for a pilot; without that the size
// on disk is a bound. What a kill leaves is removed by the next plan. All other figures are
// those of the import that follows, to the digit: rows are judged by the same code, and calls are
// cut by the engine's own rule. Memory is bounded as that of import is.
//
// What it never does: write into the state folder, take its lock, need credentials, or keep what it
// staged.
package plan
