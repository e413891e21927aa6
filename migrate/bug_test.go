package migrate

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A bug in a worker ends the run: no call is started any more, those under way are settled, and
// another run goes on.
func TestABugInAWorkerLosesNoAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, m := newService(t, func(c call) ([]Outcome, error) {
			if c.n == 30 {
				panic("planted")
			}
			return accept(c)
		}), newMemory(t)
		s.pace = time.Millisecond
		sum, err := Run(t.Context(), plan(repeat(3, 200)...), s.Call, m, testOptions())
		if bug, ok := errors.AsType[*Bug](err); !ok || bug.Value != "planted" || !strings.Contains(string(bug.Stack), "bug_test.go") {
			t.Fatalf("%v", err)
		}
		check(t, s, m, sum)
		if s.calls < 31 || s.calls > 31+testOptions().Workers || m.count(Imported) != 3*(s.calls-1) || sum.Uncertain != 1 {
			t.Errorf("%d calls, %d edges settled, %+v", s.calls, m.count(Imported), sum)
		}
		if _, err = Run(t.Context(), plan(repeat(3, 200)...), s.Call, m, testOptions()); err != nil || m.count(Imported) != 600 || s.calls != 201 {
			t.Errorf("%d calls, %d edges settled: %v", s.calls, m.count(Imported), err)
		}
	})
}

// A bug where everything is decided, and one in the plan, end the run as well, after the workers
// have settled what they sent.
func TestABugInTheDispatcherLosesNoAnswer(t *testing.T) {
	for _, where := range []string{"decision", "plan"} {
		synctest.Test(t, func(t *testing.T) {
			s, m, opt := newService(t, func(c call) ([]Outcome, error) {
				if c.n == 5 {
					return nil, later(30006)
				}
				return accept(c)
			}), newMemory(t), testOptions()
			rosters, read := plan(repeat(3, 100)...), 0
			if where == "decision" {
				opt.Event = func(Event) { panic("planted") }
			}
			sum, err := Run(t.Context(), func(yield func(Roster, error) bool) {
				rosters(func(r Roster, err error) bool {
					if read++; read == 60 && where == "plan" {
						panic("planted")
					}
					return yield(r, err)
				})
			}, s.Call, m, opt)
			if bug, ok := errors.AsType[*Bug](err); !ok || bug.Value != "planted" || !strings.Contains(string(bug.Stack), "bug_test.go") {
				t.Fatalf("%v", err)
			}
			check(t, s, m, sum)
			if s.calls < 40 || m.count(Imported) != 3*(s.calls-1) {
				t.Errorf("a bug in the %s: %d calls, %d edges settled", where, s.calls, m.count(Imported))
			}
		})
	}
}
