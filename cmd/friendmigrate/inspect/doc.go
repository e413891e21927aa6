// Package inspect answers questions about a job from its state alone: where it stands, what failed
// and why, what became of one account or pair, and which pairs it created.
//
// What it promises: it only reads. It takes no lock and changes no file of the state, so it may be
// used while the job runs. Its answers then show what was durable at that moment. A job that runs
// in shards is one job here. Memory does not grow with the job. Answers contain account ids, texts
// of the service and rows of the input unchanged: the caller has to clean them before printing.
//
// What it never does: talk to the service, or interpret an answer of it: the table of codes is in
// package sink.
package inspect
