// Package settings declares the flags of the commands, and makes checked Settings of flags and
// environment variables.
//
// Each flag is declared once, in a table: its syntax, its default, its usage, and the setter of its
// setting. Command line, variables, help text and manifest are made from the tables.
//
// A flag takes precedence over its variable. Every value is checked before the command does
// anything. A message names the flag or the variable that it is about and says which values are
// valid. Variables that belong to no flag are ignored, since schedulers set some; so are empty
// variables.
//
// The package never prints, and no message repeats a value that could be a secret. The secret key
// itself is never a flag. The package imports no other package of the command.
package settings
