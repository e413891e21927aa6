package sink

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"friendmigrate/migrate"
)

// Config is the configuration of a Client: the app, the pace and the connection.
type Config struct {
	Endpoint   string // https://HOST, from RegionEndpoint; http:// to this machine only, unless AllowPlainHTTP
	SDKAppID   uint64
	Identifier string // the app's admin account
	Key        KeySource

	SigLifetime time.Duration // of a UserSig, at least a second; 0: 24 hours; renewed at 80 %
	Rate        float64       // the service's limit in calls a second; paced 1 % under it; Unpaced and above: no pacing
	StartAfter  time.Time     // no call leaves before this time
	Workers     int           // calls in flight, and connections, at most; at least 1
	Timeout     time.Duration // of one call, from its departure to the last byte of its answer; 0: 10 seconds

	AllowPlainHTTP bool
	CAFile         string                                // PEM; the only certificates to trust, instead of the system's
	RootCAs        *x509.CertPool                        // the same, for tests; CAFile wins
	UserAgent      string                                // "": friendmigrate
	Log            Logger                                // nil: none
	Proxy          func(*http.Request) (*url.URL, error) // nil: http.ProxyFromEnvironment

	DialContext func(ctx context.Context, network, address string) (net.Conn, error) // nil: TCP; tests dial a net.Pipe
}

// Unpaced is the lowest Rate at which calls leave without waiting.
const Unpaced = 100000

const defaultTimeout = 10 * time.Second // the service itself stops after 3 s

// Logger receives the client's messages. Neither method ever gets a secret. *slog.Logger implements
// it.
type Logger interface {
	Debug(msg string, keysAndValues ...any) // may name accounts
	Warn(msg string, keysAndValues ...any)  // names no account
}

// The APIs, by the last part of their path.
const (
	friendImport = "friend_import"
	friendCheck  = "friend_check"
	friendGet    = "friend_get"
)

// Client calls the APIs of one app. It is safe for concurrent use.
type Client struct {
	endpoint     *url.URL
	query        string      // the part of the query that never changes
	header       http.Header // of every request; never changes
	proxy        *url.URL    // nil: none
	proxySecrets []string    // parts of the proxy's URL to hide in texts
	identifier   string
	timeout      time.Duration
	log          Logger
	transport    *http.Transport
	signer       *signer
	limiter      *limiter
	counters     *counters

	inFlight atomic.Int64
	contact  atomic.Pointer[Contact]

	answeredChecks atomic.Int64 // see AnsweredChecks
	admin          adminCheck
	pages          *semaphore.Weighted // bytes of large friend_get pages in memory
}

// New returns a client. It reads the key and signs once, so that a wrong setting is an error at
// once. It sends nothing.
func New(c Config) (*Client, error) {
	if c.Timeout == 0 {
		c.Timeout = defaultTimeout
	}
	if c.UserAgent == "" {
		c.UserAgent = "friendmigrate"
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	endpoint, err := parseEndpoint(c.Endpoint, c.AllowPlainHTTP)
	switch {
	case err != nil:
		return nil, err
	case !(c.Rate > 0) || math.IsInf(c.Rate, 0):
		return nil, fmt.Errorf("make client: the rate of calls a second has to be above 0, not %v", c.Rate)
	case c.Workers < 1:
		return nil, fmt.Errorf("make client: the number of workers has to be 1 or more, not %d", c.Workers)
	case c.Timeout < 0:
		return nil, fmt.Errorf("make client: the timeout must not be negative: %v", c.Timeout)
	}
	signer, err := newSigner(c.SDKAppID, c.Identifier, c.SigLifetime, c.Key, c.Log)
	if err != nil {
		return nil, err
	}
	if c.Proxy == nil {
		c.Proxy = http.ProxyFromEnvironment
	}
	proxy, err := c.Proxy(&http.Request{URL: endpoint})
	if err != nil {
		return nil,
			errors.New("make client: the proxy's URL cannot be read (it may hold a password, so it is not shown)")
	}
	transport, err := newTransport(c, proxy)
	if err != nil {
		return nil, err
	}
	return &Client{
		endpoint:     endpoint,
		query:        fixedQuery(c.SDKAppID, c.Identifier),
		header:       http.Header{"Content-Type": {"application/json"}, "User-Agent": {c.UserAgent}},
		proxy:        proxy,
		proxySecrets: proxySecrets(proxy),
		identifier:   c.Identifier,
		timeout:      c.Timeout,
		log:          c.Log,
		transport:    transport,
		signer:       signer,
		limiter:      newLimiter(c.Rate, c.StartAfter),
		counters:     newCounters(),
		admin:        adminCheck{turn: make(chan struct{}, 1)},
		pages:        semaphore.NewWeighted(friendGetLimit),
	}, nil
}

// Close closes idle connections. Open calls run to their end.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

// Pace is the present pace of calls, and its reason.
type Pace struct {
	Limit   float64 // Config.Rate, or the rate that SetPace set
	Current float64 // calls a second that may leave now; 0 while none may
	Reason  string  // for the progress line: why Current is below its maximum; else ""
	Cause   PaceCause
}

// PaceCause is the reason of a pace, for programs.
type PaceCause string

// The causes of a pace below its maximum.
const (
	PaceFree    PaceCause = ""        // no cause: the pace is at its maximum
	PaceSet     PaceCause = "set"     // SetPace
	PacePaused  PaceCause = "paused"  // SetPace(0)
	PaceRestart PaceCause = "restart" // the previous run may have sent calls until just now
	PaceAsked   PaceCause = "asked"   // the service asked for a pause (Retry-After)
	PaceRefused PaceCause = "refused" // the service refused calls as too frequent
)

// PaceCauses returns the causes.
func PaceCauses() []PaceCause {
	return []PaceCause{PaceSet, PacePaused, PaceRestart, PaceAsked, PaceRefused}
}

// Pace returns the present pace.
func (c *Client) Pace() Pace { return c.limiter.Pace() }

// SetPace changes the limit, in calls a second, for calls that have not left yet. With 0 none leave
// until it is changed again.
func (c *Client) SetPace(rate float64) { c.limiter.setLimit(rate) }

// Paused returns the total time in which no call could leave because of SetPace(0).
func (c *Client) Paused() time.Duration { return c.limiter.pausedFor(time.Now()) }

// Clock returns the current time less Paused.
func (c *Client) Clock() time.Time {
	now := time.Now()
	return now.Add(-c.limiter.pausedFor(now))
}

// Stats returns a snapshot.
func (c *Client) Stats() Stats {
	s := c.counters.snapshot()
	s.Renewals, s.InFlight = c.signer.renewed(), c.inFlight.Load()
	return s
}

// call makes one call for from. It waits for its turn, sends, and sends again if the signature was
// refused and there is a newer one, and once more after a 70107 that turned out to be about from.
// The error is ctx's, if it ended before the call left, or a *migrate.CallError about this call or,
// after 70107, about the check of the admin.
func (c *Client) call(ctx context.Context, api, from string, body []byte, limit int64, read reader) error {
	for resent, blamed := false, false; ; {
		e, again, err := c.once(ctx, api, from, body, limit, read, resent)
		switch {
		case err != nil:
			return err // ctx's
		case again:
			resent = true
			continue
		case e == nil:
			return nil
		case e.Code == AccountUnknownToLogin && e.Verdict == migrate.VerdictFatal && from != c.identifier:
			e = c.blame70107(ctx, e)
			if blamed || e.Verdict != migrate.VerdictRefuseAccount {
				return e
			}
			blamed = true
			continue
		}
		return e
	}
}

// changesNothing reports whether an API only answers. A lost call of such an API leaves nothing
// uncertain.
func changesNothing(api string) bool {
	return api == friendCheck || api == friendGet || api == accountCheck
}

// AnsweredChecks returns how many friend_check calls of ImportMissing the API has answered. It is
// safe for concurrent use.
func (c *Client) AnsweredChecks() int64 { return c.answeredChecks.Load() }

// once makes one attempt. again reports that the attempt was refused for its signature, had no
// effect, and that there is a newer signature now.
func (c *Client) once(ctx context.Context, api, from string, body []byte, limit int64, read reader,
	resent bool) (e *migrate.CallError, again bool, err error) {
	wait := c.limiter.Wait
	if api == friendGet && from == c.identifier {
		wait = c.limiter.WaitFirst
	}
	var sig signature
	var unsigned error
	permit, err := wait(ctx, func() { sig, unsigned = c.signer.current() })
	if err != nil {
		return nil, false, err
	}
	if ctx.Err() != nil { // ctx ended while the call waited
		c.limiter.Done(permit, silent, 0, 0)
		return nil, false, ctx.Err()
	}
	a := attempt{err: &signError{unsigned}}
	if unsigned == nil {
		c.inFlight.Add(1)
		a = c.send(ctx, api, sig, body, limit, read)
		c.inFlight.Add(-1)
	}
	e, kind := c.callError(&a)
	said := migrate.CallError{}
	if e != nil {
		e.Took = a.took
		e.Uncertain = e.Uncertain && !changesNothing(api)
		said = *e
	}
	c.limiter.Done(permit, paceResponse(e), said.Code, said.Pause)
	c.counters.attempt(api, kind, &a, e)
	c.log.Debug("call", "api", api, "from", from, "result", kind, "took", a.took, "bytes", a.received,
		"info", said.Info)
	if e == nil || resent || !e.Answered {
		return e, false, nil
	}
	again, err = c.signAgain(ctx, &a, e)
	return e, again, err
}

// signAgain gets a newer signature if the answer asks for one, and reports whether it has one.
func (c *Client) signAgain(ctx context.Context, a *attempt, e *migrate.CallError) (bool, error) {
	code, _ := LookupCode(e.Code)
	switch {
	case code.signAgainIfRekeyed:
		return c.signer.renewIfKeyChanged(a.signature), nil
	case !code.SignAgain:
		return false, nil
	}
	err := c.signer.renewRefused(ctx, a.signature)
	if err != nil && ctx.Err() != nil {
		return false, ctx.Err()
	}
	if err != nil {
		e.Info += ": " + c.scrub(err.Error())
	}
	return err == nil, nil
}

// AccountUnknownToLogin is the code for an account that the account system does not know: either
// the identifier, which ends the job, or the From_Account, which fails alone. The text does not say
// which; a call for the identifier itself does.
const AccountUnknownToLogin = 70107

// blame70107 finds out whether a 70107 is about the admin or about the From_Account, by a call for
// the admin itself. Only a check that began after the answer counts, because the admin may be
// removed at any time. call fails the account only after a second 70107 and a second good check,
// because the admin may have been gone for a moment. If a check gets no answer, nothing is settled
// and the call is made again later.
func (c *Client) blame70107(ctx context.Context, e *migrate.CallError) *migrate.CallError {
	err := c.admin.after(ctx, c.Probe)
	probed, _ := errors.AsType[*migrate.CallError](err)
	e.Hint = ""
	switch {
	case err == nil:
		e.Verdict = migrate.VerdictRefuseAccount
	case probed != nil && probed.Verdict == migrate.VerdictFatal:
		shared := *probed
		return &shared
	case probed != nil && probed.Verdict == migrate.VerdictThrottle:
		e.Verdict, e.Pause, e.Answered = migrate.VerdictThrottle, probed.Pause, false
	default:
		e.Verdict, e.Answered = migrate.VerdictRetry, false
	}
	return e
}

// adminCheck lets calls that wait for a check of the admin share one.
type adminCheck struct {
	turn  chan struct{} // of size 1; full during a check
	begun atomic.Int64  // checks so far
	last  error         // result of the last check, for the holder of turn
}

// after returns the result of a check that begins after this call of after.
func (a *adminCheck) after(ctx context.Context, check func(context.Context) error) error {
	before := a.begun.Load()
	select {
	case a.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-a.turn }()
	if a.begun.Load() == before {
		a.begun.Add(1)
		a.last = check(ctx)
	}
	return a.last
}
