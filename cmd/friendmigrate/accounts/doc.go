// Package accounts finds out which accounts of a job exist in the app, and imports those that do
// not.
//
// It works in passes over a list of ids: the first asks about all of them, and each later pass asks
// about or imports the accounts that the previous one left missing. A pass is a folder with its
// list and a checkpoint journal, in which 100 ids are a chunk: an account that exists is recorded
// as an edge in place, and one that does not exist as failed. So a pass resumes after any kill, and
// the next one begins where it ended.
//
//	accounts/1/accounts.csv           the ids of the pass, in the order of their bytes
//	accounts/1/checkpoint.journal     what is known of them
//
// If no job has staged INPUT, it is staged in accounts/ until its ids are listed.
//
// The journal is created last, so the current pass is the one with the highest number that has a
// journal. What it never does: import an account that was not reported missing, or send more than
// bare ids.
package accounts
