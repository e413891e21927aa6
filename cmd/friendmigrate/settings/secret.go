package settings

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"unicode"

	"friendmigrate/sink"
)

// KeyVariable may hold the secret key itself. There is no flag for it: command lines are seen by everybody on a machine.
const KeyVariable = Prefix + "SECRET_KEY"

// Key says where the secret key is. A file wins over the variable.
type Key struct {
	File  string
	Value sink.Secret
}

func (r *reader) key() Key {
	return Key{File: r.text("secret-key-file", ""), Value: sink.NewSecret(r.Env[KeyVariable])}
}

// Given reports whether there is a key or a place for it at all.
func (k Key) Given() bool { return k.File != "" || !k.Value.Empty() }

// Source is the key as the client wants it, after it was read once to see that it is there. No error of it repeats what was read.
func (k Key) Source() (sink.KeySource, error) {
	source := sink.StaticKey(k.Value)
	if k.File != "" {
		if _, err := os.Stat(k.File); errors.Is(err, fs.ErrNotExist) && looksLikeKey(k.File) {
			return nil, errors.New("--secret-key-file wants the name of a file: what was given looks like the key itself and is not repeated here")
		}
		source = sink.KeyFile(k.File)
	}
	key, err := source()
	if err != nil {
		return nil, err
	}
	if strings.ContainsFunc(key.Reveal(), func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, errors.New("the secret key has white space or unusual characters inside: the file or variable has to hold the key alone")
	}
	return source, nil
}

// looksLikeKey is for a key that was given where its file is asked for: one word of 32 letters and digits or more.
func looksLikeKey(s string) bool {
	return len(s) >= 32 && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}
