// Package simulator is a Chat service to rehearse against: friend_import, friend_check, friend_get,
// friend_update, friend_delete, account_check and multiaccount_import behind one http.Handler, as
// the vendor's pages describe them, with the faults of a bad night on request.
//
// It checks what the vendor says that it checks: POST, the query parameters, the UserSig (by the
// vendor's own module), the admin account, strict JSON, accounts as strings, the most items of a
// call, every field's limit in bytes, 3000 friends and 32 groups of a user, accounts that do not
// exist, overlapping writes to one account, calls in a sliding second. It answers HTTP 200 with the
// code in the body. Where the vendor is silent, a field of Config chooses the reading. It keeps its
// own record of everything that reached it (Stats, Graph, GET /_sim/stats and /_sim/graph), exact
// and independent of what a client says about itself; a client is judged by that record.
//
// Every fault is a field of Config, has a flag (Config.Flags) and is drawn from the seed: the fate
// of a call depends on the seed, on its From_Account and on how many calls of that account came
// before it, so it does not depend on how calls of different accounts interleave.
//
// It starts no goroutine, holds no lock while it waits, reads no clock but time.Now and keeps no
// state outside the Server, so it runs over net.Pipe in virtual time as it does over a socket. It
// shares no code with the client, not even the names of fields: a mistake would then be made on
// both sides and go unseen. It never prints, and no usersig or key is in its answers or record.
package simulator
