package sink

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/tencentyun/tls-sig-api-v2-golang/tencentyun"

	"friendmigrate/migrate"
)

// The limits of the signature's lifetime. The vendor recommends at least 24 hours, and allows at
// most 50 years.
const (
	defaultLifetime = 24 * time.Hour
	leastLifetime   = time.Second
	mostLifetime    = 50 * 365 * 24 * time.Hour
	renewAt         = 0.8              // of the lifetime
	lookAtKey       = 10 * time.Second // how often the key is read between signings
)

type signature struct {
	text   string
	number uint64 // a larger number is newer
}

// signer makes the UserSig that all calls share. It makes a new one when the old one is near its
// end, when the key changes and when the service refuses it. The first caller renews it; the others
// wait and use the new one.
type signer struct {
	app        int
	identifier string
	lifetime   time.Duration
	source     KeySource
	log        Logger

	mu        sync.Mutex // guards the fields below
	now       signature
	key       Secret    // the key of now
	made      time.Time // by the wall clock, which the service uses
	renew     time.Time
	expires   time.Time
	look      time.Time // when to read the key again
	failed    bool      // the last look at the key, or renewal, failed; the next one is not before look
	failedDue bool      // and a renewal was due
	renewals  int64
}

// newSigner makes the first signature. It checks the settings, because the official module does
// not: it signs for app 0 with an empty key without an error.
func newSigner(app uint64, identifier string, lifetime time.Duration, source KeySource, log Logger) (*signer, error) {
	if lifetime == 0 {
		lifetime = defaultLifetime
	}
	switch {
	case app == 0 || app > math.MaxUint32:
		return nil, fmt.Errorf("sign: the SDKAppID %d is none: it is a number from 1 to %d", app, math.MaxUint32)
	case !printable(identifier) || len(identifier) > 32:
		return nil, fmt.Errorf("sign: the identifier %q is none: it has 1 to 32 bytes and no control characters",
			identifier)
	case lifetime < leastLifetime || lifetime > mostLifetime:
		return nil, fmt.Errorf("sign: a signature can't be valid for %v: it is from a second to 50 years", lifetime)
	case source == nil:
		return nil, errors.New("sign: there is no secret key")
	}
	s := &signer{app: int(app), identifier: identifier, lifetime: lifetime.Truncate(time.Second), source: source,
		log: log}
	key, err := s.askKey()
	if err != nil {
		return nil, err
	}
	return s, s.sign(key)
}

func printable(s string) bool {
	for _, r := range s {
		if r == utf8.RuneError || unicode.IsControl(r) {
			return false
		}
	}
	return s != ""
}

func (s *signer) current() (signature, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := wall()
	due := !now.Before(s.renew) || now.Before(s.made.Add(-time.Minute)) // the clock may have been set back
	looked := now.Before(s.look) && now.After(s.look.Add(-2*lookAtKey))
	if looked && (!due || s.failed) && now.Before(s.expires) {
		return s.now, nil
	}
	key, err := s.askKey()
	if err == nil && (due || !key.equal(s.key)) {
		err = s.sign(key)
	}
	said := s.failed && (s.failedDue || !due)
	s.failed, s.failedDue = err != nil, err != nil && due
	if err != nil && !now.Before(s.expires) {
		return signature{}, err
	}
	if err != nil && !said {
		what := "the secret key cannot be read now"
		if due {
			what = "the signature could not be renewed"
		}
		until := s.expires.UTC().Format(time.DateTime)
		s.log.Warn(what+"; the present signature lasts until "+until+" UTC", "error", err)
	}
	return s.now, nil
}

// renewRefused makes a new signature after the service refused the one with this number, unless
// there is a newer one already.
func (s *signer) renewRefused(ctx context.Context, number uint64) error {
	// A signature contains its time in seconds, so one made in the same second would be the same.
	s.mu.Lock()
	wait := time.Duration(0)
	if s.now.number == number {
		wait = s.made.Truncate(time.Second).Add(time.Second).Sub(wall())
	}
	s.mu.Unlock()
	if err := migrate.Sleep(ctx, min(wait, time.Second)); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now.number > number {
		return nil
	}
	key, err := s.askKey()
	if err != nil {
		s.log.Warn("the secret key could not be read again; the present one goes on", "error", err)
		key = s.key
	}
	return s.sign(key)
}

// renewIfKeyChanged reports whether the current signature has another key than the one that the
// service refused. If the key has changed since, it first makes a new signature.
func (s *signer) renewIfKeyChanged(number uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now.number > number {
		return true
	}
	key, err := s.askKey()
	return err == nil && !key.equal(s.key) && s.sign(key) == nil
}

// askKey reads the key. Its caller holds the lock, or is the only user of the signer.
func (s *signer) askKey() (Secret, error) {
	s.look = wall().Add(lookAtKey)
	key, err := s.source()
	switch {
	case err != nil:
		return Secret{}, fmt.Errorf("sign: %w", err)
	case key.Empty():
		return Secret{}, fmt.Errorf("sign: %w", errEmptyKey)
	case !printable(key.Reveal()):
		return Secret{}, errors.New("sign: the secret key has control characters in it or is not text, so it is " +
			"not a key")
	}
	return key, nil
}

// sign makes a signature. Its caller holds the lock, or is the only user of the signer.
func (s *signer) sign(key Secret) error {
	text, err := tencentyun.GenUserSig(s.app, key.Reveal(), s.identifier, int(s.lifetime/time.Second))
	if err != nil {
		return fmt.Errorf("sign: %w", err)
	}
	if s.now.number > 0 {
		s.renewals++
	}
	s.now = signature{text: text, number: s.now.number + 1}
	s.key, s.made = key, wall()
	s.renew = s.made.Add(time.Duration(renewAt * float64(s.lifetime)))
	s.expires = s.made.Add(s.lifetime)
	return nil
}

func (s *signer) secrets() (sig, key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now.text, s.key.Reveal()
}

func (s *signer) renewed() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.renewals
}

// wall returns the time by the wall clock. After a machine has slept, a signature is older than the
// monotonic clock says.
func wall() time.Time { return time.Now().Round(0) }

// mask is the text that a Secret prints as.
const mask = "***"

// Secret is text that must never be shown: the app's secret key. It prints as *** in every verb, as
// JSON, as text and in logs. The text is behind a pointer, so that a struct with a Secret in an
// unexported field prints an address, not the text.
type Secret struct{ text *string }

// NewSecret returns a Secret of text without white space and byte order marks at its ends, which
// are common in files and variables.
func NewSecret(text string) Secret {
	text = strings.TrimFunc(text, func(r rune) bool { return unicode.IsSpace(r) || r == '\uFEFF' })
	return Secret{text: &text}
}

// CheckKey returns an error that says why s cannot be the app's secret key, and never contains s. A
// key is one word of printable ASCII; the console's keys have 64 hexadecimal digits. The error
// names what shells, docker and editors add to it. A call with a wrong signature counts against the
// app, which is locked after some of them.
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
		return errors.New("the key is in quotes: remove them (docker's --env-file keeps them)")
	case encoded(text):
		return errors.New("the key is in base64: decode it first, as base64 -d does")
	case strings.ContainsAny(text, "=:"):
		return errors.New("there is a name in front of the key, as in NAME=VALUE: only the value is needed")
	case strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }):
		return errors.New("the key has white space or unusual characters inside: only the key is needed")
	}
	return nil
}

// quotes holds the quotation marks that shells and editors put around words.
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

// Reveal returns the text.
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

// KeySource returns the app's secret key. It is called at each signing, at most every ten seconds
// before a call, and when the service refuses a signature, so it must be fast. After an error the
// last key is used for as long as its signature is valid.
type KeySource func() (Secret, error)

// StaticKey returns a KeySource for a key that never changes.
func StaticKey(key Secret) KeySource {
	return func() (Secret, error) { return key, nil }
}

// maxKeyFile is far above the size of any key. A larger file is the wrong file.
const maxKeyFile = 4096

// KeyFile returns a KeySource that reads the key from a file, and reads it again when the file's
// modification time, size or inode has changed. It follows symbolic links, which Kubernetes uses to
// replace a mounted secret.
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
		// A pipe returns the key once, and reading it again would wait.
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
		return Secret{}, fmt.Errorf("read secret key: %q is larger than %d bytes, so it is not a key", path, maxKeyFile)
	}
	key := NewSecret(string(text))
	if err := key.CheckKey(); err != nil {
		return Secret{}, fmt.Errorf("read secret key: %q: %w", path, err)
	}
	return key, nil
}

var errEmptyKey = errors.New("the key is empty")
