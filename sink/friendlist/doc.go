// Package friendlist reads the whole friend list of an account, which the service returns in pages.
//
// It promises that no friend is missing from a list that it returns without doubt, as far as the
// service's answers can show that. It makes one call at a time. After a failed call it continues
// with the next page.
//
// A list is odd if a later page has another FriendNum or another sequence number, if a friend comes
// twice, if the number of friends is not FriendNum, or if the list goes on far beyond its FriendNum
// or repeats friends for ten pages. An odd list is read once more from its beginning. If it is odd
// again, or has a page that leads nowhere eight times in a row, what came is returned and Doubt
// says why friends may be missing. From the hundredth page in a row without friends on, such a page
// counts as a failed call.
//
// It does not pace calls, keep the friends, change a list, or retry a call without end.
package friendlist
