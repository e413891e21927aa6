// Package accountlist reads lists of accounts: one id a line, or a CSV whose header names
// From_Account, UserID or To_Account.
//
// What it promises: an id is what stands in the list, to the byte. A list is read whole before it
// is used, and refused for an id that no account can have or where it is another kind of file. Of a
// file it holds one id at a time, however many there are; a pipe and standard input are held in
// memory. It never asks whether accounts exist.
package accountlist
