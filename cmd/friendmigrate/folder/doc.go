// Package folder knows the layout of the state folder: where its files are, which of several jobs
// in one folder exclude each other, how an old state is set aside, and how the staged input of a
// finished job is removed.
//
// Nothing is written outside the folder of this shard, or over anything that a command reads. An
// old state is moved, never deleted, except that of a rehearsal. Clean removes nothing of a job
// that is in use or, by default, has pending edges; with shards it cleans all or none. If Clean
// dies halfway, import can stage the input again.
package folder
