// Package sink calls the friend APIs of Tencent Chat (friend_import, friend_check, friend_get,
// friend_update, friend_delete) and its account APIs (account_check, multiaccount_import). It
// translates between the engine's types and the vendor's names, signs, paces, and decides what an
// answer means.
//
// # What it promises
//
//   - An edge is reported imported or already only if the service said so about this account, by
//     name, in an answer that is whole and well-formed. Everything else is an error or an edge to
//     send again.
//   - One call of Import is one HTTP request, except in two cases in which the first request had no
//     effect. A call that was refused for its signature is sent once more with a newer one. A call
//     that was refused because an account does not exist is sent once more after the admin was
//     found to exist. Nothing else sends a request again that the service may have seen. Every
//     request waits at the limiter and is counted in Stats.
//   - No sliding second has more calls than the rate: at the start, after a pause or a stall, and
//     while the pace changes. When the service refuses calls as too frequent, all calls slow down
//     at once, and later climb back to just under what it accepts.
//   - A call ends within its timeout, counted from its departure. If its context ends before
//     departure, it has no effect. After departure it runs to its end.
//   - The secret key and the signatures are in no error, log or result. Requests go directly to the
//     transport, because http.Client prints URLs in its errors.
//   - The signature is renewed at 80 % of its life, when the key changes, and once for all workers
//     when the service refuses it. A second refusal is fatal, because repeated bad signatures lock
//     the app.
//   - A page of friend_get is read whole, not streamed. Only its end says whether it is valid, so
//     its friends would be held until then anyway. All pages over 128 KiB together hold 64 MiB at
//     most, and wait for each other beyond that. Smaller pages are limited only by the number of
//     workers.
//   - An error describes the answer to its own call or, after 70107, to the check of the admin. A
//     call that only reads leaves nothing uncertain.
//
// # What it never does
//
// It does not retry, wait for a backoff, split a call or remember an edge: the engine does. It
// follows no redirect, does not use HTTP/2, asks for no compression and reads no answer over 4 MiB
// (64 MiB for friend_get). It decides by codes and never by texts, with one exception that the
// table names.
//
// # Where to find what
//
//   - wire.go: requests; envelope.go, answer.go, friends.go: answers, read by migrate/jsonscan
//   - table.go: code to verdict; failure.go: other failures to verdict
//   - limiter.go, pace.go: when a call may leave
//   - signing.go: key and signature; transport.go: connections; client.go: one call from start to
//     end, and the one code that needs another call
//   - change.go, check.go, friends.go, accounts.go: the APIs
//
// The facts are from the vendor's pages (friend_import of 2024-09-25 and the related APIs, the REST
// overview, the tables of codes). Where they are silent, for example about the order of ResultItem
// or the answer to a repeated import, the code is safe whatever the service does.
package sink
