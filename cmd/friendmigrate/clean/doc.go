// Package clean removes the staged input of a finished job: a copy of personal data that nobody
// needs any more.
//
// What it promises: nothing is removed of a job that is in use or, unless told otherwise, of one
// with pending edges; with shards it is all or none. The journal, the lists and the report stay.
// Dying in between leaves a job whose stage import would build again from its input.
//
// What it never does: touch the input itself, or states that were set aside.
package clean
