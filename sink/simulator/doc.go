// Package simulator is a simulated Chat service for rehearsals. One http.Handler serves
// friend_import, friend_check, friend_get, friend_update, friend_delete, account_check and
// multiaccount_import as the vendor's pages describe them, and can be told to fail in many ways.
//
// It checks what the vendor says that it checks: POST, the query parameters, the UserSig (with the
// vendor's own module), the admin account, strict JSON, accounts as strings, the number of items in
// a call, every field's limit in bytes, 3000 friends and 32 groups of a user, accounts that do not
// exist, overlapping writes to one account, calls in a sliding second. It answers HTTP 200 with the
// code in the body. Where the vendor's pages are silent, a field of Config chooses the behaviour.
// It keeps its own record of everything that reached it (Stats, Graph, GET /_sim/stats and
// /_sim/graph). The record is exact and independent of what a client reports about itself. Tests
// judge a client by that record.
//
// Every fault is a field of Config, has a flag (Config.Flags) and is drawn from the seed. What
// happens to a call depends on the seed, on its From_Account and on the number of calls of that
// account before it. So it does not depend on how calls of different accounts interleave.
//
// It starts no goroutine, holds no lock while it waits, reads no clock but time.Now and keeps no
// state outside the Server. So it runs over net.Pipe in virtual time as well as over a socket. It
// has no code of ours in common with the client, not even the names of fields, because a mistake
// would then be on both sides and go unseen. It prints nothing, and no usersig or key is in its
// answers or record.
package simulator
