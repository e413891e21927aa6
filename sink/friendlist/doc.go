// Package friendlist reads the whole friend list of an account, which the service returns in pages,
// and detects changes of the list while it is read.
//
// It promises that a list it returns is complete: no friend is missing because the list was changed
// between two pages, as far as the service's answers can show that. It reads a list that has
// changed again from its beginning, five times at most. It makes one call at a time. After a failed
// call it continues with the next page.
//
// The signs of a change are another FriendNum or another sequence number on a later page, a friend
// that comes twice, and a number of friends that is not FriendNum. A service may show such a sign
// although nothing changes. Two consecutive readings that are equal to the byte are then accepted,
// and Counts reports the difference to FriendNum. Reading stops with an error if a list goes on far
// beyond its FriendNum, repeats friends for ten pages, or has a page that leads nowhere eight times
// in a row. From the hundredth page in a row without friends on, such a page counts as a failed
// call.
//
// It does not pace calls, keep the friends, change a list, or retry a call without end.
package friendlist
