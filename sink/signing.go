package sink

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"friendmigrate/migrate"

	"github.com/tencentyun/tls-sig-api-v2-golang/tencentyun"
)

// The signature's lifetime, in the vendor's words: 24 hours at least are recommended, 50 years are
// the most.
const (
	defaultLifetime = 24 * time.Hour
	leastLifetime   = time.Second
	mostLifetime    = 50 * 365 * 24 * time.Hour
	renewAt         = 0.8              // of the lifetime
	lookAtKey       = 10 * time.Second // how often the key is asked for between signings
)

// signature is a UserSig.
type signature struct {
	text   string
	number uint64 // counts up; a larger one is newer
}

// signer makes the UserSig that all calls share, and makes another when it gets old, when the key
// changes and when the service refuses it. Whoever comes first renews; the others wait for that and
// take the new one.
type signer struct {
	app        int
	identifier string
	lifetime   time.Duration
	source     KeySource
	log        Logger

	mu       sync.Mutex // guards what follows
	now      signature
	key      Secret    // now was made with it
	made     time.Time // by the wall clock, which is what counts for the service
	renew    time.Time
	expires  time.Time
	look     time.Time // when to ask for the key again
	failed   bool      // the last renewal failed: not before look again
	renewals int64
}

// newSigner checks what the official module does not check (it signs for app 0 with an empty key
// without a word) and makes the first signature.
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
	key, err := s.ask()
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

// current is the signature to use.
func (s *signer) current() (signature, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := wall()
	due := !now.Before(s.renew) || now.Before(s.made.Add(-time.Minute)) // the clock may have been set back
	looked := now.Before(s.look) && now.After(s.look.Add(-2*lookAtKey))
	if looked && (!due || s.failed) && now.Before(s.expires) {
		return s.now, nil
	}
	key, err := s.ask()
	if err == nil && (due || !key.equal(s.key)) {
		err = s.sign(key)
	}
	s.failed = err != nil
	if err != nil && !now.Before(s.expires) {
		return signature{}, err
	}
	if err != nil {
		s.log.Warn("the signature could not be renewed; the present one goes on", "error", err)
	}
	return s.now, nil
}

// refused makes a new signature if the current one is still that with this number, which the
// service refused.
func (s *signer) refused(ctx context.Context, number uint64) error {
	// A signature holds its second, so one made in the same second would be the same again.
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
	key, err := s.ask()
	if err != nil {
		s.log.Warn("the secret key could not be read again; the present one goes on", "error", err)
		key = s.key
	}
	return s.sign(key)
}

// rekeyed reports whether the current signature was made with another key than the one that the
// service refused, or can now be.
func (s *signer) rekeyed(number uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now.number > number {
		return true
	}
	key, err := s.ask()
	return err == nil && !key.equal(s.key) && s.sign(key) == nil
}

// ask asks for the key. It is called with the lock held, or before anybody else has the signer.
func (s *signer) ask() (Secret, error) {
	s.look = wall().Add(lookAtKey)
	key, err := s.source()
	switch {
	case err != nil:
		return Secret{}, fmt.Errorf("sign: %w", err)
	case key.Empty():
		return Secret{}, fmt.Errorf("sign: %w", errEmptyKey)
	case !printable(key.Reveal()):
		return Secret{}, errors.New("sign: the secret key has control characters in it or is not text, so it is no key")
	}
	return key, nil
}

// sign makes a signature. It is called as ask is.
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

// secrets are the texts that must not be seen.
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

// wall is the time by the wall clock: a machine that slept has an older signature than its
// monotonic clock believes.
func wall() time.Time { return time.Now().Round(0) }
