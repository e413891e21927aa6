// Package friendlist reads the whole friend list of an account, which the service gives in pages,
// and notices when the list changes meanwhile.
//
// What it promises: what it takes for a list was one: no friend of it is missing because somebody
// wrote to the list between two pages, as far as the service's answers can show that. A list that
// has changed is read again from its beginning, five times at most. It makes one call at a time,
// and goes on after a call that failed with the page that is next.
//
// The signs of a change: another FriendNum or another sequence number on a later page, a friend
// that comes twice, a number of friends that is not FriendNum. Where a service shows such a sign
// although nothing changes, two readings one after the other that are the same to the byte are
// believed, and Counts tells by how much FriendNum is off. A list that goes on far beyond its
// FriendNum, or brings friends again for ten pages, or whose page leads nowhere eight times in a
// row, is given up. From the hundredth page in a row on, a page without friends is a call that got
// nothing through.
//
// What it never does: pace, keep the friends, write to a list, or try a call again and again that
// nothing gets through with.
package friendlist
