// Package inspect answers questions about a job from its state alone: where it stands, what failed
// and why, what became of one account or pair, and which pairs it created.
//
// What it promises: it only looks. No lock is taken and no file of the state is changed, so that it
// may be asked while the job runs; what it says is then what was durable when the question was
// asked. A job that runs in shards is one job here. Memory does not grow with the job. Answers hold
// account ids, texts of the service and rows of the input as they are: whoever prints them cleans
// them.
//
// What it never does: talk to the service, or judge an answer of it; the table of codes is sink's.
package inspect
