// Package folder knows the state folder: what lies where in it, which of several jobs beside each
// other exclude one another, how an old state is put aside, and how the staged input of a finished
// job is removed.
//
// What it promises: nothing is written outside the folder of this shard, nor over anything that a
// command reads; an old state is moved, never deleted, but for that of a rehearsal. Clean removes
// nothing of a job that is in use or, unless told otherwise, of one with pending edges; with shards
// it is all or none. Dying in between leaves a job whose stage import would build again from its
// input.
package folder
