package migrate

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

func TestCallsAreTheLeastAndSerial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, m := newService(t, nil), newMemory(t)
		sum, err := Run(t.Context(), plan(1, 999, 1000, 1001, 2500, 3000), s.Call, m, testOptions())
		if err != nil {
			t.Fatal(err)
		}
		check(t, s, m, sum)
		if s.calls != 1+1+1+2+3+3 {
			t.Errorf("%d calls", s.calls)
		}
		if sum.Imported != 1+999+1000+1001+2500+3000 || sum.Rosters != 6 {
			t.Errorf("summary %+v", sum)
		}
	})
}

func TestChunkIsCutByBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, m := newService(t, nil), newMemory(t)
		opt := testOptions()
		opt.Room = 60 * 300
		sum, err := Run(t.Context(), plan(1000, 1), s.Call, m, opt)
		if err != nil {
			t.Fatal(err)
		}
		check(t, s, m, sum)
		if s.calls != 5 {
			t.Errorf("%d calls for 1000 edges of which 300 fit into one, and for one", s.calls)
		}
	})
}

func TestEdgeLargerThanACallIsSentAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, m := newService(t, nil), newMemory(t)
		opt := testOptions()
		opt.Room = 10
		sum, err := Run(t.Context(), plan(3), s.Call, m, opt)
		if err != nil || s.calls != 3 {
			t.Fatal(err, s.calls)
		}
		check(t, s, m, sum)
	})
}

func TestSettledChunksAreNotSentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, m := newService(t, nil), newMemory(t)
		if _, err := Run(t.Context(), plan(1500, 10), s.Call, m, testOptions()); err != nil {
			t.Fatal(err)
		}
		again := newService(t, nil)
		if _, err := Run(t.Context(), plan(1500, 10), again.Call, m, testOptions()); err != nil || again.calls != 0 {
			t.Errorf("second run: %d calls, %v", again.calls, err)
		}
	})
}

func TestOnlyUnsettledItemsAreSentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		s := newService(t, func(c call) ([]Outcome, error) {
			out := all(c, Outcome{Kind: Imported})
			if c.nth == 0 {
				out[3] = Outcome{Kind: Again, Code: 30006}
				out[7] = Outcome{Kind: Again, Code: 30008}
			} else if len(c.edges) != 2 {
				t.Errorf("call %d carries %d edges", c.nth, len(c.edges))
			}
			return out, nil
		})
		sum, err := Run(t.Context(), plan(20), s.Call, m, testOptions())
		if err != nil || sum.Imported != 20 || sum.Calls != 2 {
			t.Fatal(sum, err)
		}
		check(t, s, m, sum)
		if a := m.outcomes["a0>f3"].Attempts; a != 2 {
			t.Errorf("edge that needed two calls has Attempts %d", a)
		}
	})
}

func TestAlreadyAfterAnUncertainAnswerIsMarked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		s := newService(t, func(c call) ([]Outcome, error) {
			if c.from == "a0" && c.nth == 0 {
				return nil, errCut
			}
			return all(c, Outcome{Kind: Already, Code: 30015}), nil
		})
		sum, err := Run(t.Context(), plan(2, 3), s.Call, m, testOptions())
		if err != nil || sum.Already != 5 || sum.AlreadyUncertain != 2 || sum.Uncertain != 1 {
			t.Fatal(sum, err)
		}
	})
}

func TestAlreadyAfterAKillIsMarked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		m.sent = true
		s := newService(t, func(c call) ([]Outcome, error) { return all(c, Outcome{Kind: Already}), nil })
		if sum, err := Run(t.Context(), plan(2), s.Call, m, testOptions()); err != nil || sum.AlreadyUncertain != 2 {
			t.Fatal(sum, err)
		}
	})
}

func TestHalvingFindsTheOffenders(t *testing.T) {
	for _, bad := range [][]string{{"f0"}, {"f999"}, {"f0", "f999"}, {"f100", "f101", "f500", "f777"}} {
		synctest.Test(t, func(t *testing.T) {
			poison := map[string]bool{}
			for _, to := range bad {
				poison[to] = true
			}
			m := newMemory(t)
			s := newService(t, func(c call) ([]Outcome, error) {
				for _, e := range c.edges {
					if poison[e.To] {
						return nil, &CallError{Verdict: VerdictHalve, Code: 30001, Info: "Err_SNS_Parameter", Answered: true}
					}
				}
				return accept(c)
			})
			sum, err := Run(t.Context(), plan(1000), s.Call, m, testOptions())
			if err != nil {
				t.Fatal(err)
			}
			check(t, s, m, sum)
			for _, to := range bad {
				if o := m.outcomes["a0>"+to].Outcome; o.Kind != Failed || o.Code != 30001 || o.Info != "Err_SNS_Parameter" {
					t.Errorf("%s: %+v", to, o)
				}
			}
			if extra, most := s.calls-1, 2*len(bad)*10+2; sum.Failed != int64(len(bad)) || extra > most {
				t.Errorf("%d failed, %d extra calls, at most %d", sum.Failed, extra, most)
			}
		})
	}
}

func TestBrakeWhenEverythingIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		s := newService(t, func(c call) ([]Outcome, error) {
			return nil, &CallError{Verdict: VerdictHalve, Code: 30001, Info: "no such tag", Answered: true}
		})
		s.pace = 5 * time.Millisecond
		sum, err := Run(t.Context(), plan(repeat(100, 5000)...), s.Call, m, testOptions())
		stop, _ := errors.AsType[*StopError](err)
		if stop == nil || stop.Reason != ReasonSystematic || stop.Code != 30001 {
			t.Fatal(err)
		}
		check(t, s, m, sum)
		if sum.Failed > 300 || s.calls > 3*200+5*50 {
			t.Errorf("%d failed, %d calls", sum.Failed, s.calls)
		}
	})
}

func TestLonePoisonousChunksDoNotBrake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		s := newService(t, func(c call) ([]Outcome, error) {
			var n int
			if fmt.Sscanf(c.from, "a%d", &n); n%10 == 0 {
				return nil, &CallError{Verdict: VerdictHalve, Code: 30001, Answered: true}
			}
			return accept(c)
		})
		sum, err := Run(t.Context(), plan(repeat(1, 500)...), s.Call, m, testOptions())
		if err != nil || sum.Failed != 50 || sum.Imported != 450 {
			t.Fatal(sum, err)
		}
	})
}

func TestAccountThatDoesNotExistCostsOneCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		s := newService(t, func(c call) ([]Outcome, error) {
			if c.from == "a1" {
				return nil, &CallError{Verdict: VerdictRefuseAccount, Code: 30003, Info: "Err_Sns_Invalid_Account", Answered: true}
			}
			return accept(c)
		})
		sum, err := Run(t.Context(), plan(5, 2700, 5), s.Call, m, testOptions())
		if err != nil || sum.Failed != 2700 || sum.Imported != 10 || s.byAccount["a1"] != 1 {
			t.Fatal(sum, err, s.byAccount)
		}
		if o := m.outcomes["a1>f2600"].Outcome; o.Code != 30003 {
			t.Errorf("%+v", o)
		}
	})
}

func TestRefusedChunkFailsAndTheNextIsTried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		s := newService(t, func(c call) ([]Outcome, error) {
			if c.nth == 0 {
				return nil, &CallError{Verdict: VerdictRefuseChunk, Code: 30010, Answered: true}
			}
			return accept(c)
		})
		sum, err := Run(t.Context(), plan(1500), s.Call, m, testOptions())
		if err != nil || sum.Failed != 1000 || sum.Imported != 500 {
			t.Fatal(sum, err)
		}
	})
}

func TestUnknownCodeFailsAfterThreeAttemptsWhileOthersGetThrough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		s := newService(t, func(c call) ([]Outcome, error) {
			if c.from == "a0" {
				return nil, &CallError{Verdict: VerdictUnknown, Code: 61234, Info: "what", Answered: true}
			}
			return accept(c)
		})
		s.pace = 50 * time.Millisecond
		sum, err := Run(t.Context(), plan(append([]int{4}, repeat(1, 400)...)...), s.Call, m, testOptions())
		if err != nil || sum.Failed != 4 || s.byAccount["a0"] != 3 {
			t.Fatal(sum, err, s.byAccount["a0"])
		}
	})
}

func TestUnknownCodeForEverybodyIsHeldAndStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		s := newService(t, func(c call) ([]Outcome, error) {
			return nil, &CallError{Verdict: VerdictUnknown, Code: 61234, Answered: true}
		})
		sum, err := Run(t.Context(), plan(repeat(2, 100)...), s.Call, m, testOptions())
		if stopReason(err) != ReasonOutage || sum.Failed != 0 {
			t.Fatal(sum, err)
		}
	})
}

func TestSuspectsAreFatalOnlyBeforeTheFirstSuccess(t *testing.T) {
	suspect := &CallError{Verdict: VerdictSuspect, Code: 30002, Limit: 20, Answered: true, Hint: "check --sdk-app-id"}
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		s := newService(t, func(c call) ([]Outcome, error) {
			unsent := Outcome{Kind: Already, Unsent: true}
			switch { // what is settled without a call is no success
			case c.from == "a0":
				return all(c, unsent), nil
			case c.from == "a1" && c.nth == 0:
				return []Outcome{unsent, {}}, nil
			}
			return nil, suspect
		})
		sum, err := Run(t.Context(), plan(repeat(2, 5)...), s.Call, m, testOptions())
		stop, _ := errors.AsType[*StopError](err)
		if stop == nil || stop.Reason != ReasonRefused || stop.Hint != suspect.Hint || sum.Already != 3 || sum.Settled() != 3 || s.calls < 20 || s.calls > 25 || sum.Calls != int64(s.calls-1) {
			t.Fatal(sum, err, s.calls)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		s := newService(t, func(c call) ([]Outcome, error) {
			if c.n > 3 && c.nth == 0 {
				return nil, &CallError{Verdict: VerdictSuspect, Code: 404, Limit: 1, Uncertain: true}
			}
			return accept(c)
		})
		s.pace = 200 * time.Millisecond
		if sum, err := Run(t.Context(), plan(repeat(2, 60)...), s.Call, m, testOptions()); err != nil || sum.Imported != 120 {
			t.Fatal(sum, err)
		}
	})
}

// TestSuspectsAfterASuccess: what the service itself says of one account is believed then, also
// where outcomes of other edges come with it.
func TestSuspectsAfterASuccess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		s := newService(t, func(c call) ([]Outcome, error) {
			if c.n > 3 && c.n%2 == 0 {
				return nil, &CallError{Verdict: VerdictSuspect, Code: 30002, Limit: 20, Answered: true}
			}
			return accept(c)
		})
		s.pace = 200 * time.Millisecond
		if sum, err := Run(t.Context(), plan(repeat(2, 60)...), s.Call, m, testOptions()); err != nil || sum.Imported != 64 || sum.Failed != 56 || s.calls != 60 {
			t.Fatal(sum, err, s.calls)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		s := newService(t, func(c call) ([]Outcome, error) {
			if c.nth == 0 {
				return []Outcome{{Kind: Already}, {Uncertain: true}, {}}, &CallError{Verdict: VerdictSuspect, Code: 404, Limit: 1}
			}
			return all(c, Outcome{Kind: Already}), nil
		})
		sum, err := Run(t.Context(), plan(repeat(3, 20)...), s.Call, m, testOptions())
		if err != nil || sum.Already != 60 || sum.AlreadyUncertain != 20 {
			t.Fatal(sum, err)
		}
	})
}

func TestFatalAnswerKeepsWhatWasSettled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		s := newService(t, func(c call) ([]Outcome, error) {
			if c.n == 100 {
				return nil, &CallError{Verdict: VerdictFatal, Code: 70009, Hint: "the key"}
			}
			return accept(c)
		})
		s.pace = 5 * time.Millisecond
		sum, err := Run(t.Context(), plan(repeat(3, 1000)...), s.Call, m, testOptions())
		if stopReason(err) != ReasonRefused || s.calls > 160 {
			t.Fatal(err, s.calls)
		}
		check(t, s, m, sum)
		if sum.Imported != int64(3*(s.calls-1)) {
			t.Errorf("%d of %d answered edges settled", sum.Imported, 3*(s.calls-1))
		}
	})
}

func TestSignalDrains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		m := newMemory(t)
		s := newService(t, func(c call) ([]Outcome, error) {
			if c.n == 60 {
				cancel()
			}
			return accept(c)
		})
		s.pace, s.latency = 5*time.Millisecond, 3*time.Second
		sum, err := Run(ctx, plan(repeat(3, 5000)...), s.Call, m, testOptions())
		if stopReason(err) != ReasonSignal {
			t.Fatal(err)
		}
		check(t, s, m, sum)
		if sum.Imported != int64(3*s.calls) || sum.Working != 0 {
			t.Errorf("%+v after %d calls", sum, s.calls)
		}
	})
}

func TestMaxDuration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, m := newService(t, nil), newMemory(t)
		s.pace = 5 * time.Millisecond
		opt := testOptions()
		opt.MaxDuration = 10 * time.Second
		_, err := Run(t.Context(), plan(repeat(1, 10000)...), s.Call, m, opt)
		if took := time.Since(begun); stopReason(err) != ReasonDuration || took > 11*time.Second {
			t.Fatal(err, took)
		}
		opt.Since = time.Now().Add(-9 * time.Second) // reading the input took that long
		start := time.Now()
		_, err = Run(t.Context(), plan(repeat(1, 10000)...), s.Call, newMemory(t), opt)
		if took := time.Since(start); stopReason(err) != ReasonDuration || took < time.Second || took > 2*time.Second {
			t.Fatal(err, took)
		}
	})
}

func TestThresholds(t *testing.T) {
	third := func(c call) ([]Outcome, error) {
		out := all(c, Outcome{Kind: Imported})
		out[0] = Outcome{Kind: Failed, Code: 30010}
		return out, nil
	}
	synctest.Test(t, func(t *testing.T) {
		s, m := newService(t, third), newMemory(t)
		s.pace = 5 * time.Millisecond
		opt := testOptions()
		opt.Limits.Failures = 10
		sum, err := Run(t.Context(), plan(repeat(3, 1000)...), s.Call, m, opt)
		if stopReason(err) != ReasonThreshold || sum.Failed < 11 || sum.Failed > 11+50 {
			t.Fatal(sum, err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		s, m := newService(t, third), newMemory(t)
		s.pace = 5 * time.Millisecond
		opt := testOptions()
		opt.Limits.FailureRatio = 0.3
		sum, err := Run(t.Context(), plan(repeat(3, 1000)...), s.Call, m, opt)
		if stopReason(err) != ReasonThreshold || sum.Settled() < ratioFrom || sum.Settled() > ratioFrom+200 {
			t.Fatal(sum, err)
		}
	})
}

func TestFailingJournalEndsTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, m := newService(t, nil), newMemory(t)
		m.fail = errors.New("disk full")
		s.pace = 5 * time.Millisecond
		_, err := Run(t.Context(), plan(repeat(3, 1000)...), s.Call, m, testOptions())
		if !errors.Is(err, m.fail) || s.calls > 70 {
			t.Fatal(err, s.calls)
		}
	})
}

// What may be sent has to be on record first: a later run would otherwise take an edge that this
// run has sent for one that was there before.
func TestNoCallLeavesThatTheJournalCannotAnnounce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, m := newService(t, nil), newMemory(t)
		m.failAnnounce = errors.New("disk full")
		_, err := Run(t.Context(), plan(repeat(3, 100)...), s.Call, m, testOptions())
		if !errors.Is(err, m.failAnnounce) || s.calls != 0 {
			t.Fatal(err, s.calls)
		}
	})
}

func TestUnreadablePlanEndsTheRun(t *testing.T) {
	damaged := errors.New("damaged")
	synctest.Test(t, func(t *testing.T) {
		s, m := newService(t, nil), newMemory(t)
		_, err := Run(t.Context(), func(yield func(Roster, error) bool) { yield(Roster{}, damaged) }, s.Call, m, testOptions())
		if !errors.Is(err, damaged) {
			t.Fatal(err)
		}
		bad := roster("a", 0, 5)
		bad.Load = func(int) (Chunk, error) { return Chunk{}, damaged }
		_, err = Run(t.Context(), func(yield func(Roster, error) bool) { yield(bad, nil) }, s.Call, m, testOptions())
		if !errors.Is(err, damaged) {
			t.Fatal(err)
		}
	})
}

func TestLoadedChunksStayWithinMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		s := newService(t, nil)
		opt := testOptions()
		opt.Memory = 10 * 2 * 100 * 1000 // ten full chunks of plan()
		most := 0
		s.answer = func(c call) ([]Outcome, error) {
			open := 0
			for _, is := range s.open {
				if is {
					open++
				}
			}
			most = max(most, open+1)
			return accept(c)
		}
		if _, err := Run(t.Context(), plan(repeat(1000, 100)...), s.Call, m, opt); err != nil || most > 10 || most < 5 {
			t.Fatal(err, most)
		}
	})
}
