// Package verify asks the service whether the edges of a plan are in place, and lists those that are not.
//
// What it promises:
//
//   - An edge is missing only if the service said so of this edge or of its account, and different only if friend_get showed another value. An edge of which it said
//     neither after all attempts has no verdict, and then the verify is not finished.
//   - It asks about every distinct edge once: one friend_check call for 1000 friends of an account or, with fields, the pages of the account's list once. Pace, retries,
//     hold and resume are those of the engine; a verify that was killed asks only about what it had no verdict for.
//   - It changes nothing in the service and nothing of the job: it has a journal of its own, in a folder of its own, which is gone when it has finished.
//   - The lists are inputs of an import, in the order of the input, and the same whether it was interrupted or not.
//
// What it never does: import, print, or decide what an exit code means.
package verify
