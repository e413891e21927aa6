package migrate

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// refuseAll is an answer of the service to a whole call.
func refuseAll(v Verdict, code int) func(call) ([]Outcome, error) {
	return func(call) ([]Outcome, error) {
		return nil, &CallError{Verdict: v, Code: code, Info: "text", Answered: true}
	}
}

// limits sets the thresholds of a run without flags.
func limits(opt *Options) { opt.Limits = &Limits{Failures: -1, ExtraCalls: 200, FailureRatio: 0.5} }

// braked runs a plan and returns the brake that stopped it, "" for none.
func braked(t *testing.T, s *service, m *memory, p iter.Seq2[Roster, error], set func(*Options)) (*StopError, Snapshot) {
	t.Helper()
	opt := testOptions()
	limits(&opt)
	if set != nil {
		set(&opt)
	}
	sum, err := Run(t.Context(), p, s.Call, m, opt)
	check(t, s, m, sum)
	stop, _ := errors.AsType[*StopError](err)
	if err != nil && stop == nil {
		t.Fatal(err)
	}
	return stop, sum
}

func kindOf(stop *StopError) BrakeKind {
	if stop == nil || stop.Brake == nil {
		return ""
	}
	return stop.Brake.Kind
}

func TestNothingLandedFromTheStart(t *testing.T) {
	missing := refuseAll(VerdictRefuseAccount, 30003)
	fails := func(c call) ([]Outcome, error) { return all(c, Outcome{Kind: Failed, Code: 30001, Info: "text"}), nil }
	for _, c := range []struct {
		name   string
		plan   []int
		answer func(call) ([]Outcome, error)
		set    func(*Options)
		want   BrakeKind
		code   int
	}{
		{"no account exists", repeat(2, 2000), missing, nil, BrakeNothing, 30003},
		{"all edges are refused", repeat(2, 2000), fails, nil, BrakeNothing, 30001},
		{"all lists are full", repeat(2, 2000), refuseAll(VerdictRefuseChunk, 30010), nil, BrakeNothing, 30010},
		{"all calls are refused for an edge", repeat(40, 2000), refuseAll(VerdictHalve, 30001), func(o *Options) { o.Workers = 300 }, BrakeNothing, 30001},
		{"299 accounts", repeat(1, 299), missing, nil, "", 0},
		{"300 accounts", repeat(1, 300), missing, nil, BrakeNothing, 30003},
		{"19 accounts", repeat(16_000, 19), refuseAll(VerdictRefuseChunk, 30010), nil, "", 0},
		{"20 accounts", repeat(16_000, 20), refuseAll(VerdictRefuseChunk, 30010), nil, BrakeRatio, 30010},
		{"off", repeat(2, 2000), missing, func(o *Options) { o.Limits.FailureRatio = 0 }, "", 0},
		{"one call lands", repeat(1, 900), func(c call) ([]Outcome, error) {
			if c.n == 298 {
				return accept(c)
			}
			return missing(c)
		}, nil, "", 0},
		{"the last of 300 lands as already there", repeat(1, 900), func(c call) ([]Outcome, error) {
			if c.n == 250 {
				return all(c, Outcome{Kind: Already}), nil
			}
			return missing(c)
		}, nil, "", 0},
		{"throttled and passing answers are no refusals", repeat(1, 290), func(c call) ([]Outcome, error) {
			switch c.nth {
			case 0:
				return nil, &CallError{Verdict: VerdictThrottle, Code: 60007, Answered: true}
			case 1:
				if len(c.from)%2 == 0 {
					return nil, later(30006)
				}
			}
			return missing(c)
		}, nil, "", 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			m, s := newMemory(t), newService(t, c.answer)
			s.pace = 5 * time.Millisecond
			stop, sum := braked(t, s, m, plan(c.plan...), c.set)
			if kindOf(stop) != c.want {
				t.Fatalf("%s: %v, want %q", c.name, stop, c.want)
			}
			if stop == nil {
				return
			}
			if stop.Code != c.code || !stop.Brake.All || stop.Brake.Text != "text" {
				t.Errorf("%s: %+v %+v", c.name, stop, stop.Brake)
			}
			if most := 300 + testOptions().Workers; c.want == BrakeNothing && s.calls > max(most, 600) {
				t.Errorf("%s: %d calls", c.name, s.calls)
			}
			if c.code != 30001 && sum.Failed < int64(s.calls) { // everything that was refused is settled
				t.Errorf("%s: %d failed in %d calls", c.name, sum.Failed, s.calls)
			}
		})
	}
}

// The same job goes on when the accounts exist: what had failed stays so until it is asked for
// again.
func TestAJobGoesOnAfterABrake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, s := newMemory(t), newService(t, refuseAll(VerdictRefuseAccount, 30003))
		stop, sum := braked(t, s, m, plan(repeat(2, 1000)...), nil)
		if kindOf(stop) != BrakeNothing || sum.Failed != 2*int64(s.calls) {
			t.Fatal(stop, sum, s.calls)
		}
		again := newService(t, nil)
		if sum, err := Run(t.Context(), plan(repeat(2, 1000)...), again.Call, m, testOptions()); err != nil || sum.Imported != 2000-int64(m.count(Failed)) {
			t.Fatal(sum, err)
		}
	})
}

func TestShareOfFailures(t *testing.T) {
	for _, c := range []struct {
		name  string
		sizes []int
		bad   int // of ten edges
		ratio float64
		want  BrakeKind
	}{
		{"half", repeat(10, 200), 5, 0.5, BrakeRatio},
		{"less than half", repeat(10, 200), 4, 0.5, ""},
		{"all, and only all is too much", repeat(10, 110), 10, 1, BrakeRatio},
		{"nearly all, and only all is too much", repeat(10, 200), 9, 1, ""},
		{"990 edges", repeat(10, 99), 5, 0.5, ""},
		{"1,000 edges", repeat(10, 100), 5, 0.5, BrakeRatio},
		{"19 accounts", repeat(100, 19), 5, 0.5, ""},
		{"20 accounts", repeat(100, 20), 5, 0.5, BrakeRatio},
		{"off", repeat(10, 200), 9, 0, ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			m := newMemory(t)
			s := newService(t, func(call call) ([]Outcome, error) {
				out := all(call, Outcome{Kind: Imported})
				for i := range out {
					if i%10 < c.bad {
						out[i] = Outcome{Kind: Failed, Code: 30010, Info: "full"}
					}
				}
				return out, nil
			})
			stop, sum := braked(t, s, m, plan(c.sizes...), func(o *Options) { o.Workers, o.Limits.FailureRatio = 1, c.ratio })
			if kindOf(stop) != c.want {
				t.Fatalf("%s: %v, want %q (%d of %d failed)", c.name, stop, c.want, sum.Failed, sum.Settled())
			}
			if stop != nil && (stop.Code != 30010 || stop.Brake.Count != sum.Failed || stop.Brake.Of != sum.Settled()) {
				t.Errorf("%s: %+v %+v", c.name, stop, stop.Brake)
			}
		})
	}
}

// tagged is a plan whose edges have the fields that give makes of their number in the roster.
func tagged(give func(account, i int, e *Edge), sizes ...int) iter.Seq2[Roster, error] {
	return func(yield func(Roster, error) bool) {
		account := 0
		for r, err := range plan(sizes...) {
			load, of := r.Load, account
			account++
			r.Load = func(i int) (Chunk, error) {
				c, err := load(i)
				for k := range c.Edges {
					give(of, k, &c.Edges[k])
				}
				return c, err
			}
			if !yield(r, err) {
				return
			}
		}
	}
}

const unknownTag = "Tag_SNS_Custom_Level"

// tagless is a service in whose console the tag was never created.
func tagless(c call) ([]Outcome, error) {
	for _, e := range c.edges {
		if slices.ContainsFunc(e.Custom, func(i CustomItem) bool { return i.Tag == unknownTag }) {
			return refuseAll(VerdictHalve, 30001)(c)
		}
	}
	return accept(c)
}

func TestATagThatWasNeverCreatedIsNamed(t *testing.T) {
	dress := func(has func(account, i int) bool) func(int, int, *Edge) {
		return func(account, i int, e *Edge) {
			if i%2 == 0 {
				e.Remark, e.Groups = "r", []string{"g"}
			}
			if i%3 == 0 {
				e.AddTime = 1
			}
			e.Custom = []CustomItem{{Tag: "Tag_SNS_Custom_Known"}}
			if has(account, i) {
				e.Custom = append(e.Custom, CustomItem{Tag: unknownTag, Value: "1"})
			}
		}
	}
	for _, c := range []struct {
		name    string
		sizes   []int
		has     func(account, i int) bool
		workers int
		want    []BrakeKind
	}{
		{"every second edge", repeat(20, 500), func(_, i int) bool { return i%2 == 1 }, 50, []BrakeKind{BrakeField, BrakeExtra}},
		{"one edge of some accounts", repeat(20, 500), func(a, i int) bool { return a%5 == 0 && i == 7 }, 300, []BrakeKind{BrakeField}},
		{"all edges of some accounts", repeat(20, 500), func(a, _ int) bool { return a%5 == 0 }, 50, []BrakeKind{BrakeField}},
		{"the only edge of some accounts", repeat(1, 1000), func(a, _ int) bool { return a%10 == 0 }, 50, []BrakeKind{BrakeField}},
		{"all edges of one account, which are many", append(repeat(5, 100), 1000), func(a, _ int) bool { return a == 100 }, 5, []BrakeKind{BrakeExtra}},
	} {
		synctest.Test(t, func(t *testing.T) {
			m, s := newMemory(t), newService(t, tagless)
			s.pace = 5 * time.Millisecond
			stop, sum := braked(t, s, m, tagged(dress(c.has), c.sizes...), func(o *Options) { o.Workers = c.workers })
			if !slices.Contains(c.want, kindOf(stop)) {
				t.Fatalf("%s: %v, want %q", c.name, stop, c.want)
			}
			if got := stop.Brake.Fields; !slices.Equal(got, []string{unknownTag}) || stop.Code != 30001 || stop.Brake.Text != "text" {
				t.Errorf("%s: %v %+v", c.name, got, stop)
			}
			if sum.Failed == 0 && kindOf(stop) == BrakeField || s.calls > 1000 {
				t.Errorf("%s: %d failed, %d calls", c.name, sum.Failed, s.calls)
			}
		})
	}
}

// Accounts that do not exist, which are refused more often, do not hide the code of the tag.
func TestTheCodeIsThatOfTheBrake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		s := newService(t, func(c call) ([]Outcome, error) {
			var n int
			if fmt.Sscanf(c.from, "a%d", &n); n%3 == 0 {
				return refuseAll(VerdictRefuseAccount, 30003)(c)
			}
			return tagless(c)
		})
		s.pace = 5 * time.Millisecond
		p := tagged(func(account, i int, e *Edge) {
			if account%50 == 1 && i == 0 {
				e.Custom = []CustomItem{{Tag: unknownTag}}
			}
		}, repeat(4, 500)...)
		stop, _ := braked(t, s, m, p, func(o *Options) { o.Workers = 4 })
		if kindOf(stop) != BrakeField || stop.Code != 30001 || !stop.Brake.All {
			t.Fatalf("%v %+v", stop, stop.Brake)
		}
	})
}

// Where nothing landed there is nothing to compare with: the fields are named all the same.
func TestATagThatEveryEdgeHasIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, s := newMemory(t), newService(t, tagless)
		p := tagged(func(_, i int, e *Edge) {
			e.Custom, e.Remark = []CustomItem{{Tag: unknownTag}}, []string{"", "r"}[i%2]
		}, repeat(4, 50)...)
		stop, _ := braked(t, s, m, p, func(o *Options) { o.Workers = 4 })
		if kindOf(stop) != BrakeHalved || stop.Brake.Landed || !slices.Equal(stop.Brake.Fields, []string{unknownTag}) {
			t.Fatalf("%v %+v", stop, stop.Brake)
		}
	})
}

// Edges that have nothing in common but what many have do not stop a run.
func TestScatteredOffendersDoNotBrake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		s := newService(t, func(c call) ([]Outcome, error) {
			for _, e := range c.edges {
				if e.AddSource == "bad" {
					return refuseAll(VerdictHalve, 30001)(c)
				}
			}
			return accept(c)
		})
		p := tagged(func(account, i int, e *Edge) {
			if (account+i)%2 == 0 {
				e.Remark = "r"
			}
			if account%2 == 0 {
				e.AddTime = 1
			}
			if account%40 == 20 && i == 1 {
				e.AddSource, e.Remark = "bad", "r"
			}
		}, repeat(3, 1000)...)
		if stop, sum := braked(t, s, m, p, nil); stop != nil || sum.Failed != 25 {
			t.Fatal(stop, sum)
		}
	})
}

// Edges that failed and are sent again, one of each chunk, weigh as single edges.
func TestSingleEdgesSentAgainDoNotBrake(t *testing.T) {
	for open, want := range map[int]BrakeKind{1: "", 2: BrakeHalved} {
		synctest.Test(t, func(t *testing.T) {
			m, s := newMemory(t), newService(t, refuseAll(VerdictHalve, 30001))
			for ordinal := range int64(10) {
				settled := FullSet(5)
				for i := range open {
					settled.Remove(i)
				}
				m.settled[ordinal] = &settled
			}
			if stop, sum := braked(t, s, m, plan(repeat(5, 10)...), nil); kindOf(stop) != want || stop == nil && sum.Failed != 10 {
				t.Fatal(open, stop, sum)
			}
		})
	}
}

func TestExtraCalls(t *testing.T) {
	for _, c := range []struct {
		most int64
		want BrakeKind
	}{{-1, ""}, {0, BrakeExtra}, {1, BrakeExtra}, {19, BrakeExtra}, {20, ""}, {10_000, ""}} {
		synctest.Test(t, func(t *testing.T) {
			m := newMemory(t)
			s := newService(t, func(c call) ([]Outcome, error) { // 413
				if len(c.edges) > 50 {
					return nil, &CallError{Verdict: VerdictHalve, Code: 413, Info: "HTTP 413"}
				}
				return accept(c)
			})
			stop, sum := braked(t, s, m, plan(repeat(100, 10)...), func(o *Options) { o.Limits.ExtraCalls, o.Workers = c.most, 1 })
			if kindOf(stop) != c.want || c.want == "" && sum.Imported != 1000 {
				t.Fatalf("%d: %v %+v", c.most, stop, sum)
			}
			if stop != nil && (stop.Code != 413 || stop.Brake.Count != c.most+1) {
				t.Errorf("%d: %+v", c.most, stop.Brake)
			}
		})
	}
}

// What an answer is decides how long a run holds that got nothing through yet.
func TestARunWithoutAnyAnswerEndsSoon(t *testing.T) {
	status := &CallError{Verdict: VerdictRetry, Code: 503, Info: "HTTP 503", Uncertain: true}
	refused := &CallError{Verdict: VerdictRetry, Info: "connection refused"}
	for _, c := range []struct {
		name    string
		answer  error
		timeout time.Duration
		want    Reason
		after   time.Duration
	}{
		{"nobody answers", refused, 2 * time.Minute, ReasonSilent, 30 * time.Second},
		{"nobody answers, less patience", refused, 10 * time.Second, ReasonSilent, 10 * time.Second},
		{"a proxy says that nobody is there", status, 2 * time.Minute, ReasonOutage, 2 * time.Minute},
		{"the API says to come later", later(30006), 2 * time.Minute, ReasonOutage, 2 * time.Minute},
		{"too many calls", &CallError{Verdict: VerdictThrottle, Code: 60007, Answered: true}, 2 * time.Minute, ReasonThrottled, 2 * time.Minute},
	} {
		for _, accounts := range []int{1, 2, 5} {
			synctest.Test(t, func(t *testing.T) {
				m, s := newMemory(t), newService(t, func(call) ([]Outcome, error) { return nil, c.answer })
				opt := testOptions()
				opt.OutageTimeout = c.timeout
				opt.AskService = func(context.Context) error { return c.answer }
				_, err := Run(t.Context(), plan(repeat(1, accounts)...), s.Call, m, opt)
				if took := time.Since(begun); stopReason(err) != c.want || took < c.after || took > c.after+2*time.Second {
					t.Errorf("%s, %d accounts: %v after %s", c.name, accounts, err, took)
				}
			})
		}
	}
}

// Without an answer for itself a part of a halved chunk stays pending, whatever was said of the
// whole.
func TestHalvesWithoutAnAnswerDoNotFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		s := newService(t, func(c call) ([]Outcome, error) {
			switch {
			case c.from != "a0":
				return accept(c)
			case len(c.edges) == 4:
				return refuseAll(VerdictHalve, 30001)(c)
			}
			return nil, errCut
		})
		opt := testOptions()
		opt.AskService = func(context.Context) error { return nil }
		sum, err := Run(t.Context(), plan(4, 1, 1), s.Call, m, opt)
		if stopReason(err) != ReasonUnanswered || sum.Failed != 0 {
			t.Fatal(sum, err)
		}
	})
}

// What a signal interrupts is settled too where the service has refused it.
func TestRefusedCallsInFlightAreSettled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		m := newMemory(t)
		s := newService(t, func(c call) ([]Outcome, error) {
			if c.n == 30 {
				cancel()
			}
			if c.n%2 == 0 {
				return refuseAll(VerdictRefuseAccount, 30003)(c)
			}
			return refuseAll(VerdictRefuseChunk, 30010)(c)
		})
		s.latency = 3 * time.Second
		sum, err := Run(ctx, plan(repeat(3, 5000)...), s.Call, m, testOptions())
		if stopReason(err) != ReasonSignal || sum.Failed != int64(3*s.calls) {
			t.Fatal(sum, err, fmt.Sprint(s.calls))
		}
	})
}
