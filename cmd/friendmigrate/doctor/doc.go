// Package doctor finds out, by harmless calls, whether a long run will work: the connection, the
// clock, the credentials, how fast the service answers, whether accounts exist and, with two test
// accounts, how this app behaves where the vendor's documentation does not say.
//
// What it promises: each check says what it saw and how to fix it. Only Probe writes to the
// service. It announces each step, writes to one friend list, and always restores that list as far
// as the API allows.
//
// What it never does: print a secret or an account id in a check, or change an account that it was
// not given.
package doctor
