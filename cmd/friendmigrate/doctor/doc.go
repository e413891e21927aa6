// Package doctor finds out, by harmless calls, whether a long run will work: the way to the
// service, the clock, the credentials, how fast the service answers, whether accounts exist, and,
// for two test accounts, how this app behaves where the vendor's pages are silent.
//
// What it promises: each check says what it saw and how to fix it. Nothing is written to the
// service except by Probe. That says what it will do before it does it, and puts the one friend
// list that it writes to back as far as the API allows, whatever happens in between.
//
// What it never does: print a secret or an account id in a check, or change an account that it was
// not given.
package doctor
