package settings

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"unicode"

	"friendmigrate/sink"
)

// KeyVariable may hold the secret key itself. There is no flag for it: everybody on a machine sees
// command lines.
const KeyVariable = Prefix + "SECRET_KEY"

// Key says where the secret key is. A file wins over the variable.
type Key struct {
	File  string
	Value sink.Secret
}

// Given reports whether there is a key or a place for it at all.
func (k Key) Given() bool { return k.File != "" || !k.Value.Empty() }

// Source is the key as the client wants it, after it was read once to see that it is one. No error
// of it repeats what was read. Reading a named pipe waits for its writer.
func (k Key) Source() (sink.KeySource, error) {
	if k.File == "" {
		if err := k.Value.CheckKey(); err != nil {
			return nil, fmt.Errorf("read secret key: %s: %w", KeyVariable, err)
		}
		return sink.StaticKey(k.Value), nil
	}
	if IsKey(k.File) {
		return nil, errors.New("--secret-key-file needs the name of a file: " +
			"what was given looks like the key itself and is not repeated here")
	}
	source := sink.KeyFile(k.File)
	_, err := source()
	return source, err
}

// IsKey reports whether the name of a file is the key itself.
func IsKey(file string) bool {
	_, err := os.Stat(file)
	return err != nil && looksLikeKey(file)
}

// looksLikeKey is for a key that was given where its file is asked for: one word of 16 letters and
// digits or more, perhaps in quotes.
func looksLikeKey(s string) bool {
	s = strings.Trim(s, "\"'` ")
	return len(s) >= 16 && strings.ContainsAny(s, "0123456789") &&
		!strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}
