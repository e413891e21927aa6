package sink

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// mask is what a Secret prints as, everywhere.
const mask = "***"

// Secret is text that must never be seen: the app's secret key. It prints as *** in every verb, as
// JSON, as text and in logs. The text lies behind a pointer, so that also a struct that holds a
// Secret in an unexported field prints an address and not the text.
type Secret struct{ text *string }

// NewSecret wraps text after trimming white space and byte order marks at its ends, which files and
// variables like to add.
func NewSecret(text string) Secret {
	text = strings.TrimFunc(text, func(r rune) bool { return unicode.IsSpace(r) || r == '\uFEFF' })
	return Secret{text: &text}
}

// CheckKey returns an error that says why s cannot be the app's secret key, and never what s is. A
// key is one word of printable ASCII, in the console of 64 hexadecimal digits. What shells, docker
// and editors put around it is named: a call that is signed with it counts against the app, which
// is locked after some of them.
func (s Secret) CheckKey() error {
	text := s.Reveal()
	first, _ := utf8.DecodeRuneInString(text)
	last, _ := utf8.DecodeLastRuneInString(text)
	switch {
	case text == "":
		return errEmptyKey
	case strings.ContainsRune(text, 0) || strings.HasPrefix(text, "\xff\xfe") || strings.HasPrefix(text, "\xfe\xff"):
		return errors.New("the key is in UTF-16 or UTF-32: save it as UTF-8 or ASCII")
	case strings.ContainsRune(quotes, first) || strings.ContainsRune(quotes, last):
		return errors.New("the key stands in quotes: remove them (docker's --env-file keeps them)")
	case encoded(text):
		return errors.New("the key is in base64: decode it first, as base64 -d does")
	case strings.ContainsAny(text, "=:"):
		return errors.New("there is a name in front of the key, as in NAME=VALUE: only the value is needed")
	case strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }):
		return errors.New("the key has white space or unusual characters inside: only the key is needed")
	}
	return nil
}

// quotes are what shells and editors put around words.
const quotes = "\"'`“”‘’„«»"

// encoded reports whether text is base64 of a key. A key itself, of hexadecimal digits, is never
// base64 of letters and digits alone.
func encoded(text string) bool {
	const leastLetters = 16
	plain, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "="))
	plain = bytes.TrimSpace(plain)
	return err == nil && len(plain) >= leastLetters && !bytes.ContainsFunc(plain, func(r rune) bool {
		return !(r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z')
	})
}

// Reveal returns the text. Only the signer calls it.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// Empty reports whether there is no text.
func (s Secret) Empty() bool { return s.Reveal() == "" }

func (s Secret) equal(o Secret) bool { return s.Reveal() == o.Reveal() }

// String returns ***.
func (s Secret) String() string { return mask }

// Format prints *** for every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, mask) }

// MarshalText returns ***.
func (s Secret) MarshalText() ([]byte, error) { return []byte(mask), nil }

// LogValue returns ***.
func (s Secret) LogValue() slog.Value { return slog.StringValue(mask) }

// KeySource yields the app's secret key. It is asked at each signing, at most every ten seconds
// before a call, and when the service refuses a signature, so it must be cheap. After an error the
// known key stays in force for as long as its signature lasts.
type KeySource func() (Secret, error)

// StaticKey is a key that never changes.
func StaticKey(key Secret) KeySource {
	return func() (Secret, error) { return key, nil }
}

// maxKeyFile is far above any key: what is larger is the wrong file.
const maxKeyFile = 4096

// KeyFile reads the key from a file, and reads it again when the file has changed: another
// modification time, size or inode. It follows symbolic links, which is how Kubernetes replaces a
// mounted secret.
func KeyFile(path string) KeySource {
	var (
		mu   sync.Mutex
		key  Secret
		seen os.FileInfo
	)
	return func() (Secret, error) {
		mu.Lock()
		defer mu.Unlock()
		now, err := os.Stat(path)
		if err != nil {
			return Secret{}, fmt.Errorf("read secret key: %w", err)
		}
		same := seen != nil && os.SameFile(seen, now) && seen.Size() == now.Size() &&
			seen.ModTime().Equal(now.ModTime())
		// A pipe gives the key once, and reading it again would wait.
		if same || seen != nil && !now.Mode().IsRegular() {
			return key, nil
		}
		fresh, err := readKey(path)
		if err != nil {
			return Secret{}, err
		}
		key, seen = fresh, now
		return key, nil
	}
}

func readKey(path string) (Secret, error) {
	f, err := os.Open(path)
	if err != nil {
		return Secret{}, fmt.Errorf("read secret key: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxKeyFile+1))
	if err != nil {
		return Secret{}, fmt.Errorf("read secret key: %w", err)
	}
	if len(text) > maxKeyFile {
		return Secret{}, fmt.Errorf("read secret key: %q is larger than %d bytes, so it is no key", path, maxKeyFile)
	}
	key := NewSecret(string(text))
	if err := key.CheckKey(); err != nil {
		return Secret{}, fmt.Errorf("read secret key: %q: %w", path, err)
	}
	return key, nil
}

var errEmptyKey = errors.New("the key is empty")
