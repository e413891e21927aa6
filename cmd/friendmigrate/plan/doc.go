// Package plan reads a job's input as import does and says what importing it would take: calls,
// time, bytes, disk, and which rows would not be sent.
//
// What it promises: nothing is sent, and the state folder is the same to the byte afterwards,
// whatever it contains; only an undo is looked for in it. The input is sorted in a folder next to
// the state folder. That is removed at the end, also after an error or a signal. The next plan
// removes what a killed plan left there. The size on disk is an upper bound of what staging leaves;
// it may take more on the way. All other figures are those of the import that follows, to the
// digit: rows are judged by the same code, and calls are cut by the engine's own rule. Memory has
// the same bound as for import.
//
// What it never does: touch what is in the state folder, take its lock, need credentials, or keep what it
// staged. One plan at a time is made for a state folder; a second one is refused.
package plan
