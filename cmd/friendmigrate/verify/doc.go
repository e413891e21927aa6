// Package verify asks the service whether the edges of a plan are in place, and lists those that
// are not.
//
// What it promises:
//
//   - An edge is missing only if the job counts it as in place, and the service said that it does
//     not have it or its account, or answered twice with a code that does not pass. It is different
//     only if friend_get showed another value. An edge of which the service said neither after all
//     attempts has no verdict, and then the verify is not finished.
//   - What the job has not sent is not asked about. What failed in the job is, and stands apart.
//   - It asks about every distinct edge once: one friend_check call for 1000 friends of an account
//     or, with fields, the pages of the account's list once. What a list does not show that is not
//     as long as it says is asked about with friend_check. Pace, retries, hold and resume are those
//     of the engine; a verify that was killed asks only about what it had no verdict for.
//   - It changes nothing in the service and nothing of the job: it has a journal of its own, in a
//     folder of its own, which is gone when it has finished.
//   - The lists are inputs of an import, in the order of the input, and the same whether it was
//     interrupted or not. Nothing of the lists of an older verify survives a newer one.
//
// What it never does: import, print, or decide what an exit code means.
package verify
