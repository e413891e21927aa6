package migrate

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Accounts that wait to be halved, busy ones that hold the brake's slots, and retries that mostly
// fail must not leave a run with nothing to send.
func TestWaitingAccountsDoNotKeepEachOtherFromBeingSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(t, func(c call) ([]Outcome, error) {
			busy := c.at < 90*time.Second
			switch {
			case strings.HasPrefix(c.from, "hot") && busy:
				return nil, later(30008)
			case strings.HasPrefix(c.from, "bad") && len(c.edges) > 1:
				return nil, &CallError{Verdict: VerdictHalve, Code: 30001, Info: "bad", Answered: true}
			case strings.HasPrefix(c.from, "bad-hot") && busy:
				return nil, later(30008)
			}
			return accept(c)
		})
		var rosters []Roster
		add := func(name string, n, size int) {
			for i := range n {
				rosters = append(rosters, roster(fmt.Sprint(name, i), int64(len(rosters)), size))
			}
		}
		add("hot", 10, 1)
		add("ok", 200, 1)
		add("bad-hot", 3, 2)
		add("bad", 100, 2)
		add("more", 1000, 1)
		m, opt := newMemory(t), testOptions()
		opt.Workers, opt.MaxDuration = 4, time.Hour
		sum, err := Run(t.Context(), func(yield func(Roster, error) bool) {
			for _, r := range rosters {
				if !yield(r, nil) {
					return
				}
			}
		}, s.Call, m, opt)
		if err != nil || sum.Imported != 10+200+6+200+1000 {
			t.Errorf("%v, %+v", err, sum)
		}
		check(t, s, m, sum)
	})
}

// An edge has its 10 minutes from its own first attempt, not from that of another call of its
// chunk.
func TestEveryCallOfAChunkHasItsOwnTimeUntilItIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var second time.Duration
		s := newService(t, func(c call) ([]Outcome, error) {
			if c.edges[0].To == "f1" && second == 0 {
				second = c.at
			}
			if c.at < 9*time.Minute+20*time.Second || second > 0 && c.at < second+5*time.Minute {
				return nil, later(30008)
			}
			return accept(c)
		})
		m, opt := newMemory(t), testOptions()
		opt.Room = 100 // one edge a call
		opt.AskService = func(context.Context) error { return nil }
		sum, err := Run(t.Context(), plan(2), s.Call, m, opt)
		if err != nil || sum.Imported != 2 {
			t.Errorf("%v, %+v", err, sum)
		}
	})
}

// A code that no table has is answered three times before its edges fail, whatever was lost before.
func TestAnUnknownCodeIsTriedThreeTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answers := 0
		s := newService(t, func(c call) ([]Outcome, error) {
			switch {
			case c.from != "a0":
				return accept(c)
			case c.nth < 2:
				return nil, errCut
			}
			answers++
			return nil, &CallError{Verdict: VerdictUnknown, Code: 99999, Info: "new code", Answered: true}
		})
		s.pace = 100 * time.Millisecond
		m := newMemory(t)
		_, err := Run(t.Context(), plan(append([]int{1}, repeat(1, 300)...)...), s.Call, m, testOptions())
		if err != nil || answers != unknownAttempts || m.outcomes["a0>f0"].Outcome.Code != 99999 {
			t.Errorf("%v, %d answers, %+v", err, answers, m.outcomes["a0>f0"])
		}
	})
}

// The call that is refused counts as an attempt, after those that were to be made again.
func TestARefusedCallIsAnAttempt(t *testing.T) {
	for _, verdict := range []Verdict{VerdictRefuseChunk, VerdictRefuseAccount, VerdictHalve} {
		for before := range 3 {
			synctest.Test(t, func(t *testing.T) {
				m, s := newMemory(t), newService(t, func(c call) ([]Outcome, error) {
					if c.nth < before {
						return nil, later(30006)
					}
					return nil, &CallError{Verdict: verdict, Code: 30003, Answered: true}
				})
				_, err := Run(t.Context(), plan(1), s.Call, m, testOptions())
				if got := m.outcomes["a0>f0"].Attempts; err != nil || got != before+1 {
					t.Errorf("verdict %d after %d calls: %v, %d attempts", verdict, before, err, got)
				}
			})
		}
	}
}

// A caller that asks before it sends loses its first calls. While its questions are answered that
// is no outage.
func TestAnsweredReadsBreakARowOfMisses(t *testing.T) {
	for _, reads := range []int64{0, 1} {
		synctest.Test(t, func(t *testing.T) {
			n := int64(0)
			s := newService(t, func(c call) ([]Outcome, error) {
				if c.at < time.Second {
					return nil, errCut
				}
				return accept(c)
			})
			m, opt := newMemory(t), testOptions()
			opt.AnsweredChecks = func() int64 { n += reads; return n }
			sum, err := Run(t.Context(), plan(repeat(1, 300)...), s.Call, m, opt)
			if err != nil || sum.Holds != 1-reads {
				t.Errorf("%d reads between attempts: %v, %d holds", reads, err, sum.Holds)
			}
		})
	}
}

// However many edges are to be sent again, a code of theirs is kept once.
func TestACodeOfManyEdgesIsKeptOnce(t *testing.T) {
	w := &work{roster: roster("a", 0, MaxChunkEdges)}
	for i := range MaxChunkEdges {
		w.said(i, Outcome{Kind: Again, Code: 30008})
	}
	w.said(7, Outcome{Kind: Again, Code: 30006, Info: "later"})
	if len(w.codes) != 2 || w.code(7).Code != 30006 || w.code(8).Code != 30008 {
		t.Errorf("%d codes; %+v, %+v", len(w.codes), w.code(7), w.code(8))
	}
}
