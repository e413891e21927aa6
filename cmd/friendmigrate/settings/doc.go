// Package settings turns flags and variables into checked settings.
//
// What it promises: a flag wins over its variable; every value is checked before anything is touched; a message names the flag or the variable that it is
// about and says what would do. Variables that no flag has are ignored, since schedulers inject some; so is an empty variable.
//
// What it never does: print, or repeat a value that could be a secret. The key itself is never a flag.
package settings
