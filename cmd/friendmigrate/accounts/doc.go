// Package accounts reads files that name accounts, one at a time, however many there are.
//
// What it promises: an id is what stands in the file, to the byte. It never holds more than one of them and never asks whether they exist.
package accounts
