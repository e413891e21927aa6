package migrate

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestOutageHoldsAndGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		from, to := 20*time.Second, 8*time.Minute
		duringHold := 0
		s := newService(t, func(c call) ([]Outcome, error) {
			if c.at < from || c.at >= to {
				return accept(c)
			}
			if c.at > from+5*time.Second {
				duringHold++
			}
			return nil, errCut
		})
		s.pace = 5 * time.Millisecond
		sum, err := Run(t.Context(), plan(repeat(2, 20000)...), s.Call, m, testOptions())
		if err != nil || sum.Failed != 0 || sum.Imported != 40000 || sum.Holds != 1 || sum.Holding {
			t.Fatal(sum, err)
		}
		check(t, s, m, sum)
		if duringHold > 30 {
			t.Errorf("%d calls went out during the hold", duringHold)
		}
		if took := time.Since(begun); took > to+30*time.Second+85*time.Second {
			t.Errorf("took %s", took)
		}
	})
}

func TestOutageThatLastsStopsResumable(t *testing.T) {
	for name, answer := range map[string]error{"transport": errCut, "code for everybody": later(30006)} {
		synctest.Test(t, func(t *testing.T) {
			m := newMemory(t)
			s := newService(t, func(c call) ([]Outcome, error) {
				if c.at < 10*time.Second {
					return accept(c)
				}
				return nil, answer
			})
			s.pace = 5 * time.Millisecond
			sum, err := Run(t.Context(), plan(repeat(2, 20000)...), s.Call, m, testOptions())
			if stopReason(err) != ReasonOutage || sum.Failed != 0 {
				t.Fatal(name, sum, err)
			}
			check(t, s, m, sum)
			if took := time.Since(begun); took > 15*time.Minute+30*time.Second {
				t.Errorf("%s: took %s", name, took)
			}
			s.answer = accept
			sum, err = Run(t.Context(), plan(repeat(2, 20000)...), s.Call, m, testOptions())
			if err != nil || m.count(Imported) != 40000 {
				t.Fatal(name, sum, err)
			}
		})
	}
}

func TestDeadServiceStopsBeforeAnything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		s := newService(t, func(call) ([]Outcome, error) { return nil, errCut })
		opt := testOptions()
		opt.OutageTimeout = time.Minute
		opt.AskService = func(context.Context) error { return errCut }
		for _, accounts := range []int{1, 2, 3, 500} {
			start := time.Now()
			_, err := Run(t.Context(), plan(repeat(1, accounts)...), s.Call, m, opt)
			if took := time.Since(start); stopReason(err) != ReasonSilent || took > 31*time.Second {
				t.Errorf("%d accounts: %v after %s", accounts, err, took)
			}
		}
	})
}

// Calls that run into their timeout count from when they left: the last one leaves before the 30 s
// are over and is waited for.
func TestAServiceThatOnlyHangsStopsSoon(t *testing.T) {
	for _, accounts := range []int{1, 2, 3, 500} {
		synctest.Test(t, func(t *testing.T) {
			hung := &CallError{Verdict: VerdictRetry, Info: "no answer within 10s", Uncertain: true, Took: 10 * time.Second}
			m, s := newMemory(t), newService(t, func(call) ([]Outcome, error) { return nil, hung })
			s.latency = hung.Took
			opt := testOptions()
			opt.OutageTimeout = 15 * time.Minute
			opt.AskService = func(context.Context) error {
				time.Sleep(hung.Took)
				return hung
			}
			_, err := Run(t.Context(), plan(repeat(1, accounts)...), s.Call, m, opt)
			if took := time.Since(begun); stopReason(err) != ReasonSilent || took < 30*time.Second || took > 40*time.Second {
				t.Errorf("%d accounts: %v after %s", accounts, err, took)
			}
		})
	}
}

func TestBadAccountAloneIsGivenUpWhenTheServiceAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		s := newService(t, func(c call) ([]Outcome, error) {
			if c.from == "a1" {
				return nil, later(30006)
			}
			return accept(c)
		})
		opt := testOptions()
		opt.AskService = func(context.Context) error { return nil }
		sum, err := Run(t.Context(), plan(1, 2, 1), s.Call, m, opt)
		if err != nil || sum.Failed != 2 || m.outcomes["a1>f0"].Outcome.Code != 30006 {
			t.Fatal(sum, err)
		}
		if took := time.Since(begun); took < 10*time.Minute || took > 12*time.Minute {
			t.Errorf("given up after %s", took)
		}
	})
}

func TestNoAnswerAtAllStaysPending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		s := newService(t, func(c call) ([]Outcome, error) {
			if c.from == "a1" {
				return nil, errCut
			}
			return accept(c)
		})
		opt := testOptions()
		opt.AskService = func(context.Context) error { return nil }
		sum, err := Run(t.Context(), plan(1, 2, 1), s.Call, m, opt)
		if stopReason(err) != ReasonUnanswered || sum.Failed != 0 || sum.Imported != 2 {
			t.Fatal(sum, err)
		}
	})
}

func TestThrottleIsNotAnAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		s := newService(t, func(c call) ([]Outcome, error) {
			if c.nth < 30 {
				return nil, &CallError{Verdict: VerdictThrottle, Code: 60007, Answered: true, Pause: 30 * time.Second}
			}
			return accept(c)
		})
		opt := testOptions()
		opt.OutageTimeout = time.Hour
		sum, err := Run(t.Context(), plan(repeat(2, 10)...), s.Call, m, opt)
		if err != nil || sum.Failed != 0 || sum.Imported != 20 {
			t.Fatal(sum, err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		s := newService(t, func(c call) ([]Outcome, error) {
			return nil, &CallError{Verdict: VerdictThrottle, Code: 60007, Answered: true}
		})
		_, err := Run(t.Context(), plan(repeat(2, 10)...), s.Call, m, testOptions())
		if stop := (*StopError)(nil); !errors.As(err, &stop) || stop.Reason != ReasonThrottled || stop.Code != 60007 || !strings.Contains(stop.Info, "60007") {
			t.Fatal(err)
		}
		if took := time.Since(begun); took > 15*time.Minute+10*time.Second {
			t.Errorf("took %s", took)
		}
	})
}

// Half of all calls are refused for a minute, with all the codes of a conflict.
func TestStormSettlesEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		random := rand.New(rand.NewPCG(3, 4))
		m := newMemory(t)
		s := newService(t, func(c call) ([]Outcome, error) {
			if c.at < time.Minute && random.IntN(2) == 0 {
				return nil, later(30006 + random.IntN(3))
			}
			return accept(c)
		})
		s.pace = 5 * time.Millisecond
		opt := testOptions()
		opt.Workers = 300
		sum, err := Run(t.Context(), plan(repeat(2, 12000)...), s.Call, m, opt)
		if err != nil || sum.Failed != 0 || sum.Imported != 24000 {
			t.Fatal(sum, err)
		}
		check(t, s, m, sum)
		t.Logf("%d calls, %.2f times those of a quiet run", s.calls, float64(s.calls)/12000)
		if s.calls > 3*12000 {
			t.Errorf("%d calls", s.calls)
		}
	})
}

// 500 accounts answer 30008 for a minute; the others must keep at least 95 % of the pace meanwhile.
func TestHotAccountsDoNotSlowTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hot := map[string]bool{}
		for i := range 500 {
			hot[fmt.Sprintf("a%d", i*24)] = true
		}
		m := newMemory(t)
		calls, cool := 0, 0
		s := newService(t, func(c call) ([]Outcome, error) {
			if c.at < time.Minute {
				calls++
				if hot[c.from] {
					return nil, later(30008)
				}
				cool++
			}
			return accept(c)
		})
		s.pace = 5 * time.Millisecond
		opt := testOptions()
		opt.Workers = 300
		sum, err := Run(t.Context(), plan(repeat(2, 14000)...), s.Call, m, opt)
		if err != nil || sum.Failed != 0 || sum.Imported != 28000 {
			t.Fatal(sum, err)
		}
		check(t, s, m, sum)
		share := float64(cool) / float64(calls)
		t.Logf("of %d calls in the minute %.2f %% were for the others", calls, 100*share)
		if share < 0.95 || calls < 11900 {
			t.Errorf("share %.3f of %d calls", share, calls)
		}
	})
}

// An account that stays busy is not called more often because it is the last one.
func TestTheLastAccountIsNotHammered(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			busy := 0
			s, m := newService(t, func(c call) ([]Outcome, error) {
				if c.from == "a0" && c.at < time.Minute {
					busy++
					return nil, later(30008)
				}
				return accept(c)
			}), newMemory(t)
			opt := testOptions()
			opt.Rand = rand.New(rand.NewPCG(seed, 1))
			opt.AskService = func(context.Context) error { return nil }
			sum, err := Run(t.Context(), plan(repeat(2, 100)...), s.Call, m, opt)
			if err != nil || sum.Failed != 0 {
				t.Fatal(sum, err)
			}
			if busy > 14 {
				t.Errorf("seed %d: %d calls in its busy minute", seed, busy)
			}
		})
	}
}

func TestPassingFailuresCostLittle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		random := rand.New(rand.NewPCG(5, 6))
		m := newMemory(t)
		s := newService(t, func(c call) ([]Outcome, error) {
			if random.IntN(20) == 0 {
				return nil, []error{later(30007), errCut, later(60008)}[random.IntN(3)]
			}
			out := all(c, Outcome{Kind: Imported})
			for i := range out {
				if random.IntN(100) == 0 {
					out[i] = Outcome{Kind: Again, Code: 30006}
				}
			}
			return out, nil
		})
		s.pace, s.latency = 5*time.Millisecond, 200*time.Millisecond
		opt := testOptions()
		opt.Workers = 300
		sum, err := Run(t.Context(), plan(repeat(20, 6000)...), s.Call, m, opt)
		if err != nil || sum.Failed != 0 || sum.Imported != 120000 {
			t.Fatal(sum, err)
		}
		check(t, s, m, sum)
		rate := float64(s.calls) / time.Since(begun).Seconds()
		t.Logf("%.1f calls per second, %.1f %% of the pace", rate, rate/2)
	})
}

// Random answers of every kind, runs that are interrupted at random: in the end every edge is
// settled, and none twice.
func TestAnyAnswersAnyInterruptions(t *testing.T) {
	for seed := range uint64(12) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			m := newMemory(t)
			s := newService(t, nil)
			var cancel context.CancelFunc
			s.answer = func(c call) ([]Outcome, error) {
				if random.IntN(300) == 0 {
					cancel()
				}
				switch random.IntN(12) {
				case 0:
					return nil, errCut
				case 1:
					return nil, later(30008)
				case 2:
					return nil, &CallError{Verdict: VerdictThrottle, Code: 60007}
				case 3:
					return nil, &CallError{Verdict: VerdictHalve, Code: 30001, Answered: true}
				case 4:
					return nil, &CallError{Verdict: VerdictUnknown, Code: 65000, Answered: true}
				case 5:
					return all(c, Outcome{Kind: Already})[:len(c.edges)/2], errCut
				}
				out := all(c, Outcome{})
				for i := range out {
					out[i].Kind = Kind(random.IntN(4))
				}
				return out, nil
			}
			sizes := make([]int, 60)
			edges := 0
			for i := range sizes {
				sizes[i] = 1 + random.IntN(1+random.IntN(2200))
				edges += sizes[i]
			}
			for runs := 0; ; runs++ {
				ctx, stop := context.WithCancel(t.Context())
				cancel = stop
				sum, err := Run(ctx, plan(sizes...), s.Call, m, testOptions())
				stop()
				if err == nil {
					t.Logf("seed %d: %d runs, %d calls, %+v", seed, runs+1, s.calls, sum)
					break
				}
				if r := stopReason(err); r != ReasonSignal && r != ReasonUnanswered && r != ReasonSystematic || runs > 1000 {
					t.Fatal(err)
				}
			}
			if len(m.outcomes) != edges || s.overlaps > 0 {
				t.Errorf("%d of %d edges settled, %d overlaps", len(m.outcomes), edges, s.overlaps)
			}
		})
	}
}

// TestAPauseIsNoOutage, also where it begins in the middle of one: the timer stands still.
func TestAPauseIsNoOutage(t *testing.T) {
	for _, stopped := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			const from, to = 20 * time.Second, 3 * time.Hour
			m := newMemory(t)
			s := newService(t, func(c call) ([]Outcome, error) {
				if c.at >= from/4 && c.at < to {
					return nil, errCut
				}
				return accept(c)
			})
			s.latency = time.Second
			opt := testOptions()
			opt.OutageTimeout = time.Minute
			if stopped {
				opt.Clock = func() time.Time { return time.Now().Add(-min(max(time.Since(begun)-from, 0), to-from)) }
			}
			paused := Caller(func(ctx context.Context, from string, edges []Edge) ([]Outcome, error) {
				if d := time.Since(begun); stopped && d >= 20*time.Second && d < to {
					select {
					case <-time.After(to - d):
					case <-ctx.Done():
						return nil, ctx.Err()
					}
				}
				return s.Call(ctx, from, edges)
			})
			sum, err := Run(t.Context(), plan(repeat(1, 500)...), paused, m, opt)
			if stopped && (err != nil || sum.Failed > 0 || m.count(Imported) != 500) || !stopped && stopReason(err) != ReasonOutage {
				t.Fatal(stopped, sum, err)
			}
		})
	}
}
