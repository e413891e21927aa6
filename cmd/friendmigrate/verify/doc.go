// Package verify asks the service whether the edges of a plan are in place, and lists those that
// are not.
//
// A Result is one call of the command: of a job, or of all its shards. Each Part of it verifies one
// state folder and has a journal of its own for the verdicts.
//
// What it promises:
//
//   - An edge is missing only if the job counts it as in place, and the service said that it does
//     not have it or its account, or answered twice with a code that is not temporary. It is
//     different only if friend_get showed another value. If the service said neither after all
//     attempts, the edge has no verdict and the verify is not finished.
//   - It does not ask about edges that the job has not sent. It asks about edges that failed in the
//     job, and counts them separately.
//   - It asks about every distinct edge once: one friend_check call for 1000 friends of an account
//     or, with fields, the pages of the account's list once. If a list may be incomplete, it asks
//     friend_check about the edges that the list does not show. Pace, retries, hold and
//     resume are those of the engine. After a kill it asks only about edges that have no verdict.
//   - It changes nothing in the service and nothing of the job but the report, and the mark of a
//     staged input that is damaged. Its journal is in a separate folder and is removed when the
//     verify has finished.
//   - The lists are inputs of an import, in the order of the input, and the same whether the verify
//     was interrupted or not. They never hold an edge that undo is known to have deleted. A newer
//     verify removes the lists of an older one.
//
// What it never does: send an edge, or decide what an exit code means.
package verify
