// Package settings declares the flags of the commands and turns flags and variables into checked
// Settings.
//
// Each flag is declared once, in a table: how it is written, its default, its usage, and the setter
// of the setting. Command line, variables, help text and manifest are made from the tables.
//
// What it promises: a flag wins over its variable; every value is checked before anything is
// touched; a message names the flag or the variable that it is about and says what would do.
// Variables that no flag has are ignored, since schedulers inject some; so is an empty variable.
//
// What it never does: print, or repeat a value that could be a secret. The key itself is never a
// flag. It imports none of the command's packages.
package settings
