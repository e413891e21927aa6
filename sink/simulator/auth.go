package simulator

import (
	"errors"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tencentyun/tls-sig-api-v2-golang/tencentyun"
)

const (
	maxSig  = 4096 // longest usersig that is checked; real ones have some 200 characters
	maxSigs = 4096 // signatures that are remembered; some clients make one for each call
)

// signatures remembers the signatures that it has seen. The vendor's module checks each of them
// once a second. In between its verdict is reused, because the check inflates and hashes.
type signatures struct {
	sync.Mutex
	seen  map[string]*signature
	total int
}

type signature struct {
	first   time.Duration // first seen, since the start
	verdict int           // of the module about subject
	subject subject
}

// subject is what a verdict depends on, besides the signature itself.
type subject struct {
	app             uint64
	key, identifier string
	second          int64
}

// query holds the parameters that the URL of a call must have.
type query struct {
	identifier, sig       string
	noRandom, noMediaType bool
}

// parameters checks the query parameters, but not the signature itself. code is the code of the
// error, 0 if there is none.
func (c *Config) parameters(raw string) (q query, code int) {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return q, 60025
	}
	for _, name := range [...]string{"sdkappid", "identifier", "usersig", "random", "contenttype"} {
		if len(values[name]) > 1 {
			return q, 60025
		}
	}
	app := values.Get("sdkappid")
	if app == "" {
		return q, 60012
	}
	if id, err := strconv.ParseUint(app, 10, 64); err != nil || id == 0 {
		return q, 60006
	} else if id != c.SDKAppID {
		return q, 70020
	}
	q.identifier, q.sig = values.Get("identifier"), values.Get("usersig")
	// The service accepts a call without random or contenttype; checkCommon counts it.
	q.noRandom, q.noMediaType = !values.Has("random"), !values.Has("contenttype")
	_, err = strconv.ParseUint(values.Get("random"), 10, 32)
	if err != nil && !q.noRandom || q.identifier == "" || values.Get("contenttype") != "json" && !q.noMediaType {
		return query{}, 60025
	}
	return q, 0
}

// check verifies a signature at the time of a call and returns the code of the error; 0 is good.
func (s *signatures) check(c *Config, q query, a arrival) int {
	s.Lock()
	defer s.Unlock()
	switch {
	case q.sig == "":
		return 70002
	case len(q.sig) > maxSig:
		return 70003
	}
	known := s.seen[q.sig]
	if known == nil {
		// A forgotten one would come back as new, and be good after it was declared expired.
		if s.seen == nil || len(s.seen) >= maxSigs && c.SigExpire == nil && c.SigRevoke == nil {
			s.seen = map[string]*signature{}
		}
		known = &signature{first: a.since}
		s.seen[strings.Clone(q.sig)] = known
		s.total++
	}
	return known.verify(c, q, a)
}

// verify checks a signature with the vendor's module, then applies the expiries and revocations
// among the faults.
func (g *signature) verify(c *Config, q query, a arrival) int {
	if about := (subject{c.SDKAppID, c.Key, q.identifier, a.at.Unix()}); g.subject != about {
		g.subject = about
		g.verdict = verdict(tencentyun.VerifyUserSig(c.SDKAppID, c.Key, q.identifier, q.sig, a.at))
	}
	if g.verdict != 0 {
		return g.verdict
	}
	code, latest := 0, time.Duration(-1)
	declared := func(times []time.Duration, as int) {
		for _, t := range times {
			if t <= a.since && t >= latest && g.first < t {
				code, latest = as, t
			}
		}
	}
	declared(c.SigExpire, 70001)
	declared(c.SigRevoke, 70052)
	return code
}

// verdict returns the code for an error of the vendor's module.
func verdict(err error) int {
	switch {
	case err == nil:
		return 0
	case errors.Is(err, tencentyun.ErrExpired):
		return 70001
	case errors.Is(err, tencentyun.ErrIdentifierNotMatch):
		return 70013
	case errors.Is(err, tencentyun.ErrSigNotMatch):
		return 70009
	case errors.Is(err, tencentyun.ErrSdkAppIDNotMatch):
		return 70014
	}
	return 70003 // not base64, not zlib, no JSON inside, or a user buffer
}
