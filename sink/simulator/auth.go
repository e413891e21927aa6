package simulator

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tencentyun/tls-sig-api-v2-golang/tencentyun"
)

// maxSig is the longest usersig that is looked at. Real ones have some 200 characters.
const maxSig = 4096

// maxSigs is how many signatures are remembered. A client makes one now and then, and some make one
// for each call.
const maxSigs = 4096

// signatures knows the signatures that it has seen. The vendor's module decides about each one when
// it comes first and whenever its time may be up; in between its verdict is remembered, since it
// inflates and hashes.
type signatures struct {
	sync.Mutex
	seen  map[string]*signature
	total int
}

// signature is one that was seen.
type signature struct {
	first      time.Duration // seen first, since the start
	made, ends int64         // Unix seconds, as it says
	good       goodFor
}

// goodFor is what the vendor's module approved of; the zero value is nothing.
type goodFor struct {
	app             uint64
	key, identifier string
}

// query is what the URL of a call must carry.
type query struct {
	identifier, sig       string
	noRandom, noMediaType int64 // 1: the parameter is missing, which the service accepts
}

// parameters checks the query parameters but for the signature itself. code is what is wrong with
// them, 0 if nothing is.
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
	missing := func(name string) int64 {
		if values.Has(name) {
			return 0
		}
		return 1
	}
	q = query{values.Get("identifier"), values.Get("usersig"), missing("random"), missing("contenttype")}
	_, err = strconv.ParseUint(values.Get("random"), 10, 32)
	if err != nil && q.noRandom == 0 || q.identifier == "" ||
		values.Get("contenttype") != "json" && q.noMediaType == 0 {
		return query{}, 60025
	}
	return q, 0
}

// check verifies a signature at a moment; 0 is good.
func (s *signatures) check(c *Config, q query, a arrival) int {
	s.Lock()
	defer s.Unlock()
	switch {
	case q.sig == "":
		return 70002
	case len(q.sig) > maxSig:
		return 70003
	}
	return s.lookup(q.sig, a.since).verify(c, q, a)
}

func (s *signatures) lookup(sig string, since time.Duration) *signature {
	if known := s.seen[sig]; known != nil {
		return known
	}
	if s.seen == nil || len(s.seen) >= maxSigs {
		s.seen = map[string]*signature{}
	}
	known := &signature{first: since}
	known.made, known.ends = sigTimes(sig)
	s.seen[strings.Clone(sig)] = known
	s.total++
	return known
}

// verify decides about a signature: the vendor's module first, then what the faults declare.
func (g *signature) verify(c *Config, q query, a arrival) int {
	now := a.at
	want := goodFor{c.SDKAppID, c.keyAt(a.since), q.identifier}
	if g.good != want || now.Unix() > g.ends {
		g.good = goodFor{}
		err := tencentyun.VerifyUserSig(c.SDKAppID, want.key, q.identifier, q.sig, now)
		switch {
		case errors.Is(err, tencentyun.ErrExpired):
			return 70001
		case errors.Is(err, tencentyun.ErrIdentifierNotMatch):
			return 70013
		case errors.Is(err, tencentyun.ErrSigNotMatch):
			return 70009
		case errors.Is(err, tencentyun.ErrSdkAppIDNotMatch) && g.ends > 0:
			return 70014
		case err != nil: // not base64, not zlib, no JSON inside, or a user buffer
			return 70003
		}
		g.good = want
	}
	code := 0
	latest := time.Duration(-1)
	declared := func(times []time.Duration, as int) {
		for _, t := range times {
			if t <= a.since && t >= latest && (g.first < t || g.made < a.start.Add(t).Unix()) {
				code, latest = as, t
			}
		}
	}
	declared(c.SigExpire, 70001)
	declared(c.SigRevoke, 70052)
	return code
}

// keyAt is the secret key in force.
func (c *Config) keyAt(since time.Duration) string {
	key := c.Key
	latest := time.Duration(-1)
	for _, change := range c.KeyChanges {
		if change.At <= since && change.At >= latest {
			key, latest = change.Key, change.At
		}
	}
	return key
}

// sigTimes reads when a signature says that it was made and that it ends, 0 where it says nothing.
func sigTimes(sig string) (made, ends int64) {
	raw, err := base64.StdEncoding.DecodeString(strings.NewReplacer("*", "+", "-", "/", "_", "=").Replace(sig))
	if err != nil {
		return 0, 0
	}
	z, err := zlib.NewReader(bytes.NewReader(raw))
	if err != nil {
		return 0, 0
	}
	var says struct {
		Time   int64 `json:"TLS.time"`
		Expire int64 `json:"TLS.expire"`
	}
	if json.NewDecoder(io.LimitReader(z, 64<<10)).Decode(&says) != nil {
		return 0, 0
	}
	return says.Time, says.Time + says.Expire
}
