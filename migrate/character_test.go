package migrate

import (
	"context"
	"flag"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"
)

var characterSeeds = flag.Int("character-seeds", 50, "jobs of TestAnyMixtureOfAccountsComesToAnEnd")

// Accounts of every character side by side, each of them for ever or for a while, with any number
// of workers and any size of calls: every job comes to an end, and one without an error has settled
// all.
func TestAnyMixtureOfAccountsComesToAnEnd(t *testing.T) {
	for seed := range uint64(*characterSeeds) {
		synctest.Test(t, func(t *testing.T) { mixture(t, seed) })
	}
}

func mixture(t *testing.T, seed uint64) {
	random := rand.New(rand.NewPCG(seed, 7))
	characters := []func(call) ([]Outcome, error){
		accept,
		func(call) ([]Outcome, error) { return nil, later(30008) },
		func(c call) ([]Outcome, error) { return all(c, Outcome{Kind: Again, Code: 30006}), nil },
		func(c call) ([]Outcome, error) { return all(c, Outcome{Kind: Failed, Code: 30010}), nil },
		func(call) ([]Outcome, error) { return nil, errCut },
		func(call) ([]Outcome, error) { return nil, &CallError{Verdict: VerdictThrottle, Code: 60007} },
		func(call) ([]Outcome, error) {
			return nil, &CallError{Verdict: VerdictRefuseAccount, Code: 30003, Answered: true}
		},
		func(call) ([]Outcome, error) {
			return nil, &CallError{Verdict: VerdictRefuseChunk, Code: 30010, Answered: true}
		},
		func(call) ([]Outcome, error) {
			return nil, &CallError{Verdict: VerdictUnknown, Code: 65000, Answered: true}
		},
		func(c call) ([]Outcome, error) {
			for i := range c.edges {
				if c.edges[i].To == "f1" {
					return nil, &CallError{Verdict: VerdictHalve, Code: 30001, Answered: true}
				}
			}
			return accept(c)
		},
		func(c call) ([]Outcome, error) {
			if len(c.edges) > 1 {
				return nil, &CallError{Verdict: VerdictHalve, Code: 30001, Answered: true}
			}
			return nil, later(30008)
		},
	}
	share := make([]int, len(characters)) // how frequent each is in this job
	for i := range share {
		share[i] = random.IntN(4) * random.IntN(5)
	}
	share[0] += 1 + random.IntN(60)
	pick := func() func(call) ([]Outcome, error) {
		for {
			if i := random.IntN(len(characters)); random.IntN(80) < share[i] {
				return characters[i]
			}
		}
	}
	type account struct {
		first, then func(call) ([]Outcome, error)
		until       time.Duration
	}
	accounts := map[string]account{}
	s := newService(t, func(c call) ([]Outcome, error) {
		a, known := accounts[c.from]
		if !known {
			a = account{pick(), pick(), time.Duration(random.Int64N(int64(20 * time.Minute)))}
			accounts[c.from] = a
		}
		if c.at < a.until {
			return a.first(c)
		}
		return a.then(c)
	})
	s.pace, s.latency = time.Duration(random.IntN(20))*time.Millisecond, time.Duration(random.IntN(2000))*time.Millisecond
	m, opt := newMemory(t), testOptions()
	opt.Rand = rand.New(rand.NewPCG(seed, 8))
	opt.Workers, opt.Room = 1+random.IntN(1+random.IntN(60)), 60*(1+random.IntN(40))
	opt.Memory, opt.MaxDuration = int64(random.IntN(3)*100_000), 100*24*time.Hour
	if random.IntN(2) == 0 {
		opt.Limits = nil
	}
	if random.IntN(2) == 0 {
		opt.AskService = func(context.Context) error { return nil }
	}
	sizes, edges := make([]int, 1+random.IntN(400)), 0
	for i := range sizes {
		sizes[i] = 1 + random.IntN(1+random.IntN(20))
		edges += sizes[i]
	}
	sum, err := Run(t.Context(), plan(sizes...), s.Call, m, opt)
	t.Logf("seed %d: after %v: %v, %+v", seed, time.Since(begun), err, sum)
	check(t, s, m, sum)
	if reason := stopReason(err); err != nil && reason == "" || reason == ReasonDuration {
		t.Errorf("seed %d: %v", seed, err)
	}
	if err == nil && len(m.outcomes) != edges {
		t.Errorf("seed %d: %d of %d edges settled", seed, len(m.outcomes), edges)
	}
}
