package sink

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"friendmigrate/migrate"
)

// Stats holds counts since the client was made.
type Stats struct {
	Attempts  int64 // HTTP requests that left, of every API
	Throttled int64 // of those, refused as too frequent
	Uncertain int64 // of those, may have been applied, without a usable answer for every account
	Renewals  int64 // signatures made after the first
	InFlight  int64 // attempts that left and have not ended

	Calls   []CallCount // sorted
	Latency Histogram   // seconds from departure to the last byte
}

// CallCount is how often an API gave one result: an ErrorCode in digits ("0": the call as a whole
// went well), http_502 and its like, or the kind of failure: timeout, reset, cut, refused, dns,
// proxy, files, tls, x509, unreadable, oversize, sign, transport.
type CallCount struct {
	API    string // such as friend_import
	Result string
	Count  int64
}

// Histogram counts values by size. Counts[i] is the number of values that are at most Bounds[i] and
// more than the bound before. The last count has no upper bound.
type Histogram struct {
	Bounds []float64
	Counts []int64
	Sum    float64
}

func latencyBounds() []float64 {
	return []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 3, 5, 10}
}

type counters struct {
	mu    sync.Mutex
	sums  Stats // without Calls
	calls map[CallCount]int64

	lastWarned time.Time // when odd answers were last logged
	unreported int       // odd answers since then
}

func newCounters() *counters {
	b := latencyBounds()
	return &counters{
		calls: make(map[CallCount]int64),
		sums:  Stats{Latency: Histogram{Bounds: b, Counts: make([]int64, len(b)+1)}},
	}
}

func (c *counters) attempt(api, kind string, a *attempt, e *migrate.CallError) {
	if kind == "sign" {
		return // the request did not leave
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	s := &c.sums
	s.Attempts++
	switch {
	case e == nil:
	case e.Verdict == migrate.VerdictThrottle:
		s.Throttled++
	case e.Uncertain && !e.Answered:
		s.Uncertain++
	}
	c.calls[CallCount{API: api, Result: kind}]++
	seconds := a.took.Seconds()
	i, _ := slices.BinarySearch(s.Latency.Bounds, seconds)
	s.Latency.Counts[i]++
	s.Latency.Sum += seconds
}

func (c *counters) change(f func(s *Stats)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f(&c.sums)
}

// odd counts an answer in which an item was missing, foreign, repeated, disputed, unlisted or
// unreadable. At most once a minute it returns the number of odd answers since the last such return,
// to be logged as a warning; else 0.
func (c *counters) odd() (times int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.unreported++
	if now := time.Now(); now.Sub(c.lastWarned) >= time.Minute {
		times, c.unreported, c.lastWarned = c.unreported, 0, now
	}
	return times
}

func (c *counters) snapshot() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.sums
	s.Latency.Bounds = slices.Clone(s.Latency.Bounds)
	s.Latency.Counts = slices.Clone(s.Latency.Counts)
	for k, n := range maps.All(c.calls) {
		k.Count = n
		s.Calls = append(s.Calls, k)
	}
	slices.SortFunc(s.Calls, func(a, b CallCount) int {
		return cmp.Or(strings.Compare(a.API, b.API), strings.Compare(a.Result, b.Result))
	})
	return s
}
