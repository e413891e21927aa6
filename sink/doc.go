// Package sink calls the friend APIs of Tencent Chat (friend_import, friend_check, friend_get,
// friend_update, friend_delete) and its account APIs (account_check, multiaccount_import). It
// translates between the core's words and the vendor's names on the wire, signs, paces, and decides
// once what an answer means.
//
// # What it promises
//
//   - An edge is reported imported or already only if the service said so about this account, by
//     name, in an answer that is whole and well-formed. Everything else is an error or an edge to
//     be sent again.
//   - One call of Import is one HTTP request, but for two cases, which had no effect: a call that
//     was refused for its signature is sent once more with a newer one, and one that was refused
//     for an account that does not exist is sent once more after the admin was seen to exist.
//     Nothing below sends a request again that the service may have seen. Every request is paid for
//     at the limiter and counted in Stats.
//   - Never more calls than the rate leave in any sliding second: at the start, after a pause or a
//     stall, and while the pace changes. When the service refuses calls as too frequent, all calls
//     slow down at once, and later climb back to just under what it takes.
//   - A call ends within its timeout, counted from its departure. If its context ends before, it
//     has had no effect; after departure it is seen through.
//   - The secret key and the signatures are in no error, log or result. Requests go to the transport
//     itself, since http.Client prints URLs in its errors.
//   - The signature is renewed at 80 % of its life, when the key changes, and once for all workers
//     when the service refuses it. A second refusal is fatal: hammering a bad signature locks the
//     app.
//   - A page of friend_get is read whole, not streamed: only its end says whether it may be believed,
//     so its friends would be held until then all the same. All pages over 128 KiB together hold 64
//     MiB at most, and wait for each other beyond that. Smaller ones are as many as there are workers.
//   - What an error says comes from the answer to that call. A call that only reads leaves nothing
//     uncertain.
//
// # What it never does
//
// It does not retry, wait out a backoff, split a call or remember an edge: that is the core's. It
// follows no redirect, speaks no HTTP/2, asks for no compression and reads no answer over 4 MiB (64
// MiB for friend_get). It decides on codes and never on texts, with one exception that the table
// names.
//
// # Where to find what
//
//   - wire.go: requests; answer.go, friends.go: answers, read by migrate/jsonscan
//   - table.go: code to verdict; failure.go: the rest to verdict
//   - limiter.go, pace.go: when a call may leave
//   - signing.go: key and signature; transport.go: connections; client.go: one call from end to end,
//     and the one code that needs a question
//   - change.go, check.go, friends.go, accounts.go: the APIs
//
// The facts are from the vendor's pages (friend_import of 2024-09-25 and its sisters, the REST
// overview, the tables of codes); what those leave open, such as the order of ResultItem or what a
// repeated import answers, is read in the way that is safe under each answer.
package sink
