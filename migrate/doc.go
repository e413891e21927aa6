// Package migrate is the core of friendmigrate: the words of the problem (Edge, Roster, Chunk,
// Outcome) and the engine, which takes a plan of rosters, has them sent and has every
// outcome recorded.
//
// What it promises:
//
//   - Calls that change the list of one From_Account never overlap. A roster belongs to the
//     dispatcher or to one worker, never to both (dispatch.go). Only what changes nothing may
//     overlap another call: AskService, and the check of the admin after a 70107 in sink. Calls for
//     different From_Accounts overlap, even those for a and b if each has the other as a friend.
//   - Only an answer of the service settles an edge. No answer, an outage, a cancelled context or a
//     full disk leaves it pending.
//   - What was sent is recorded: cancelling keeps calls from being started, never an answered call
//     from being settled.
//   - A panic in a worker or in the dispatcher ends the run with a *Bug. The run waits for the
//     calls under way and settles their answers.
//   - Memory is bounded by Options.Memory for loaded chunks and up to 3 KB for each parked
//     roster, whatever the size of the plan.
//
// It never reads or writes a file, opens a connection, prints or logs, or looks at a vendor code or
// at the text of an error. The Caller gives the verdict on an answer. One goroutine decides what
// follows from a verdict:
//
//	plan --> dispatcher --task---> worker xN --> Caller, then Journal
//	             ^                     |
//	             '------- result ------'
//
// The dispatcher (dispatch.go) makes every decision: which roster is next, what follows from an
// answer (decide.go), halving (halve.go), parking (parked.go), the retry policy and the share of
// retries (retry.go), the outage hold (outage.go), the brake and the thresholds (brake.go). A
// worker (work.go) carries out one task and hands the roster back. A task is at most one call of
// the Caller: as many edges of a chunk as fit (chunk.go). So the decisions need no lock, and a run
// does the same for any number of workers, only in another order.
package migrate
