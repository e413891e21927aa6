// Package migrate is the core of friendmigrate: the words of the problem (Edge, Roster, Chunk,
// Outcome) and the engine that takes a plan of rosters, has them sent and has every outcome
// recorded.
//
// What it promises:
//
//   - Never two calls open for one From_Account. A roster belongs to the dispatcher, to one worker
//     or to the parking lot, never to two of them. Calls of different From_Accounts overlap, also
//     those of a and b where a is a friend of b and b of a.
//   - An edge is settled by an answer of the service, or not at all: no answer, an outage, a
//     cancelled context or a full disk leave it pending.
//   - What was sent is recorded: cancelling stops calls from being started, never an answered call
//     from being settled.
//   - A panic, in a worker or where everything is decided, ends the run as a *Bug: what is under
//     way is seen through and settled.
//   - Memory is bounded by Options.Memory for loaded chunks and some hundred bytes for each parked
//     roster, whatever the size of the plan.
//
// What it never does: read or write a file, open a connection, print or log, look at a vendor code
// or at the text of an error. The verdict on an answer is made by the Caller; what a verdict leads
// to is decided here, in one goroutine:
//
//	plan --> dispatcher --task---> worker xN --> Caller, then Journal
//	             ^                     |
//	             '------- result ------'
//
// The dispatcher (dispatch.go) is the only owner of everything that is decided: which roster is
// next, what follows from an answer (decide.go), halving (halve.go), parking (parked.go), the retry
// policy and the share of retries (retry.go), the outage hold (outage.go), the brake and the
// thresholds (brake.go). A worker (work.go) carries out one task and hands the roster back. A task
// is at most one call: as many edges of a chunk as fit (chunk.go). So the decisions need no lock,
// and a run does the same for any number of workers, only in another sequence.
package migrate
