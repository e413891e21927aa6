package sink

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
)

// mask is what a Secret prints as, everywhere.
const mask = "***"

// Secret is text that must never be seen: the app's secret key. It prints as *** in every verb, as JSON, as text and in logs. The text lies behind a pointer, so
// that also a struct that holds a Secret in an unexported field prints an address and not the text.
type Secret struct{ text *string }

// NewSecret wraps text after trimming white space at its ends, which files and variables like to add.
func NewSecret(text string) Secret {
	text = strings.TrimSpace(text)
	return Secret{text: &text}
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

// GoString returns ***.
func (s Secret) GoString() string { return mask }

// Format prints *** for every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, mask) }

// MarshalText returns ***.
func (s Secret) MarshalText() ([]byte, error) { return []byte(mask), nil }

// MarshalJSON returns "***".
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + mask + `"`), nil }

// LogValue returns ***.
func (s Secret) LogValue() slog.Value { return slog.StringValue(mask) }

// KeySource yields the app's secret key. It is asked at each signing, at most every ten seconds before a call, and when the service refuses a signature; so it
// must be cheap. An error leaves the key that is known in force for as long as its signature lasts.
type KeySource func() (Secret, error)

// StaticKey is a key that never changes.
func StaticKey(key Secret) KeySource {
	return func() (Secret, error) { return key, nil }
}

// maxKeyFile is far above any key: what is larger is the wrong file.
const maxKeyFile = 4096

// KeyFile reads the key from a file, and reads it again when the file has changed: another modification time, size or inode, also behind a symbolic link, which
// is how Kubernetes swaps a mounted secret.
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
		if seen != nil && os.SameFile(seen, now) && seen.Size() == now.Size() && seen.ModTime().Equal(now.ModTime()) {
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
	if key.Empty() {
		return Secret{}, fmt.Errorf("read secret key: %q: %w", path, errEmptyKey)
	}
	return key, nil
}

var errEmptyKey = errors.New("the key is empty")
