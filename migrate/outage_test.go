package migrate

import (
	"testing"
	"testing/synctest"
	"time"
)

// Pauses between probes grow, and begin anew when somebody answers where nobody did, once.
func TestProbesComeSoonAgainWhenSomebodyAnswers(t *testing.T) {
	now := time.Unix(1e9, 0)
	for _, c := range []struct {
		name   string
		before bool   // the API answered the call before the hold
		probes string // a: answered with "later"; s: not answered
		pauses []int  // seconds
	}{
		{"nobody answers", false, "sssssss", []int{1, 2, 4, 8, 16, 30, 30, 30}},
		{"all are told to come later", true, "aaaaaa", []int{1, 2, 4, 8, 16, 30, 30}},
		{"the service comes back, with a stray answer first", false, "sssssas", []int{1, 2, 4, 8, 16, 30, 1, 2}},
		{"and goes on so", false, "ssssaaaa", []int{1, 2, 4, 8, 16, 1, 2, 4, 8}},
	} {
		o := outage{}
		o.miss(now, 0, "a", c.before, false)
		o.hold(now)
		var pauses []int
		for i := range len(c.probes) + 1 {
			pauses = append(pauses, int(o.probeAt.Sub(now)/time.Second))
			if now = o.probeAt; i < len(c.probes) {
				o.miss(now, 0, "a", c.probes[i] == 'a', false)
				o.probed(now, c.probes[i] == 'a')
			}
		}
		for i, p := range pauses {
			if p != c.pauses[i] {
				t.Errorf("%s: pauses of %v, want %v", c.name, pauses, c.pauses)
				break
			}
		}
	}
}

// Others compare the time of the next probe with that of a clock on the wall.
func TestTheNextProbeIsShownInWallTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &dispatcher{opt: Options{Meter: new(Meter), Clock: func() time.Time { return time.Now().Add(-time.Hour) }}}
		d.outage.hold(d.opt.Clock())
		d.show()
		if wait := time.Until(d.opt.Meter.Snapshot().NextProbe); wait != firstProbe {
			t.Errorf("the next probe is shown in %s", wait)
		}
	})
}
