// Package accountlist reads lists of accounts: one id a line, or a CSV whose header names
// From_Account, UserID or To_Account.
//
// An id has exactly the bytes that are in the list. A whole list is read before it is used, and
// refused if it has an id that no account can have or is another kind of file. The memory for a
// file does not grow with the number of ids; a pipe and standard input are held in memory. The
// package never asks whether accounts exist.
package accountlist
