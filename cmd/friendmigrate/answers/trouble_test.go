package answers

import (
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"friendmigrate/migrate"
	"friendmigrate/sink"
	"friendmigrate/sink/simulator"
)

// TestSignatureExpires has all signatures declared expired, and later revoked, with some sixty
// calls in flight: one renewal for all of them, no edge fails by it.
func TestSignatureExpires(t *testing.T) {
	t.Parallel()
	for _, revoked := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			config := simulator.Config{Latency: 300 * time.Millisecond}
			if at := []time.Duration{4 * time.Second}; revoked {
				config.SigRevoke = at
			} else {
				config.SigExpire = at
			}
			c := piped(t, config)
			j := newJob(t, ring(1_500, 1))
			e := j.run(t.Context(), c, flags{})
			a := j.audit(c)
			s := c.Stats()
			if e.exit != 0 || a.totals.Failed != 0 || e.sent.Renewals != 1 || s.Signatures != 2 || e.Retried != 0 {
				t.Errorf("exit %d, %d failed, %d renewals, %d signatures, %d attempts burnt", e.exit, a.totals.Failed, e.sent.Renewals, s.Signatures, e.Retried)
			}
			if again := s.Calls - 1_500; again == 0 || again > 260 { // what left while the first refusal was on its way, and within the second in which no newer signature can be made
				t.Errorf("%d calls were refused for one signature", again)
			}
		})
	}
}

// TestSignatureRenewedAhead runs over several lifetimes of a signature: none is ever refused.
func TestSignatureRenewedAhead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := piped(t, simulator.Config{Latency: 300 * time.Millisecond})
		j := newJob(t, ring(1_200, 1))
		e := j.run(t.Context(), c, flags{rate: 4, sigLifetime: time.Minute})
		j.audit(c)
		s := c.Stats()
		if e.exit != 0 || s.Calls != 1_200 || s.Signatures < 6 || s.Signatures > 8 {
			t.Errorf("exit %d, %d calls, %d signatures in %v", e.exit, s.Calls, s.Signatures, e.took)
		}
	})
}

// TestKeyReplaced has the app's key replaced in the middle, a moment before the file with it: calls
// go on with the new one.
func TestKeyReplaced(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fresh := strings.Repeat("ab", 32)
		c := piped(t, simulator.Config{Latency: 300 * time.Millisecond})
		began := time.Now()
		time.AfterFunc(3*time.Second, func() { c.Reconfigure(func(c *simulator.Config) { c.Key = fresh }) })
		j := newJob(t, ring(1_000, 1))
		e := j.run(t.Context(), c, flags{key: func() (sink.Secret, error) {
			if time.Since(began) > 2900*time.Millisecond {
				return sink.NewSecret(fresh), nil
			}
			return sink.NewSecret(key), nil
		}})
		a := j.audit(c)
		if e.exit != 0 || a.totals.Failed != 0 || c.Stats().Signatures != 2 {
			t.Errorf("exit %d, %d failed, %d signatures: %v", e.exit, a.totals.Failed, c.Stats().Signatures, e.err)
		}
	})
}

// TestFatalEndsAtOnce: with a hundred calls in flight, nothing leaves any more once the service has
// said that the app is about to be locked.
func TestFatalEndsAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := piped(t, simulator.Config{Latency: 300 * time.Millisecond, Script: func(c simulator.Call) *simulator.Fault {
			if c.Number >= 500 {
				return &simulator.Fault{Kind: simulator.FaultCode, Code: 70050}
			}
			return nil
		}})
		j := newJob(t, ring(2_000, 1))
		e := j.run(t.Context(), c, flags{})
		a := j.audit(c)
		if s := c.Stats(); e.exit != 12 || a.totals.Failed != 0 || a.totals.Imported != 499 || s.Calls > 500+60 {
			t.Errorf("exit %d, %+v, %d calls", e.exit, a.totals, s.Calls)
		}
	})
}

// TestAdminRemovedMidRun ends with 12 and records nothing as failed, however the admin comes and
// goes; once it is back the job goes on to its end.
func TestAdminRemovedMidRun(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		gone  []simulator.Span
		flags flags
	}{
		"for good":                    {[]simulator.Span{{From: 300}}, flags{}},
		"one worker":                  {[]simulator.Span{{From: 3}}, flags{workers: 1}},
		"before --only-missing reads": {[]simulator.Span{{From: 301}}, flags{onlyMissing: true}},
		"for one call":                {[]simulator.Span{{From: 300, To: 301}}, flags{}},
		"for a few calls":             {[]simulator.Span{{From: 300, To: 330}, {From: 340, To: 342}, {From: 400, To: 450}}, flags{}},
		"again and again":             {[]simulator.Span{{From: 10, To: 11}, {From: 12, To: 13}, {From: 14, To: 16}, {From: 17, To: 20}}, flags{workers: 2}},
	} {
		synctest.Test(t, func(t *testing.T) {
			c := piped(t, simulator.Config{Latency: 50 * time.Millisecond, App: simulator.App{AdminRemoved: test.gone}})
			j := newJob(t, ring(1_000, 2))
			for range 50 {
				e := j.run(t.Context(), c, test.flags)
				a := j.audit(c)
				if a.totals.Failed != 0 {
					t.Fatalf("%s: exit %d, %+v", name, e.exit, a.totals)
				}
				if e.exit == 0 {
					return
				}
				if e.exit != 12 || e.stop.Code != 70107 || e.stop.Hint == "" {
					t.Fatalf("%s: exit %d: %v", name, e.exit, e.err)
				}
				if vain := c.Stats().ByCode[70107]; name == "for good" && vain > 30 {
					t.Errorf("%s: %d calls after the admin was removed, of which the check has to be one of the first", name, vain)
				}
				c.Reconfigure(func(config *simulator.Config) {
					if last := test.gone[len(test.gone)-1]; last.To == 0 && c.Stats().Calls > last.From {
						config.AdminRemoved = nil
					}
				})
			}
			t.Errorf("%s: it never ended", name)
		})
	}
}

// TestWrongAppWithManyWorkers: 30002 on every item of the first 20 calls, whatever is in flight.
func TestWrongAppWithManyWorkers(t *testing.T) {
	t.Parallel()
	for _, f := range []flags{
		{workers: 1}, {workers: 2}, {workers: 20}, {workers: 21}, {workers: 300},
		{workers: 1, onlyMissing: true}, {workers: 300, onlyMissing: true},
	} {
		for _, kind := range []simulator.FaultKind{simulator.FaultItems, simulator.FaultCode} {
			synctest.Test(t, func(t *testing.T) {
				fault := simulator.Fault{Kind: kind, Code: 30002}
				c := piped(t, simulator.Config{
					Latency: 50 * time.Millisecond, Script: func(simulator.Call) *simulator.Fault { return &fault },
				})
				j := newJob(t, ring(500, 2))
				e := j.run(t.Context(), c, f)
				a := j.audit(c)
				most := 20 + min(int64(f.workers), 15)
				if f.onlyMissing { // each worker asks about one account first
					most = 40 + int64(f.workers)
				}
				if s := c.Stats(); e.exit != 12 || a.totals.Failed != 0 || s.Calls < 20 || s.Calls > most {
					t.Errorf("%+v: exit %d, %+v, %d calls: %v", f, e.exit, a.totals, s.Calls, e.err)
				} else if e.stop.Code != 30002 {
					t.Error(e.err)
				}
			})
		}
	}
}

// TestLostReadsLeaveNothingUncertain: friendships that existed before stay so for an undo, whatever
// is lost of the questions about them.
func TestLostReadsLeaveNothingUncertain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := piped(t, simulator.Config{Readings: simulator.Readings{Reimport: simulator.ReimportAlready}, Faults: simulator.Faults{
			Shares: map[string]float64{"reset": 0.1, "http:502": 0.1, "code:30007": 0.1, "body:empty": 0.1, "body:missing": 0.1, "items:30006": 0.1},
			APIs:   simulator.NewSet("friend_check"),
		}})
		for i := range 100 {
			c.Put(account(i), simulator.Friend{To: account((i + 1) % 100)})
		}
		j := newJob(t, ring(100, 2))
		e := j.run(t.Context(), c, flags{onlyMissing: true})
		if a := j.audit(c); e.exit != 0 || a.totals.Already != 100 || a.totals.AlreadyUncertain != 0 || e.Uncertain != 0 || e.Retried < 20 {
			t.Errorf("exit %d, %+v, %d uncertain, %d retried", e.exit, a.totals, e.Uncertain, e.Retried)
		}
	})
}

// TestOutage has the service gone for five minutes, in several ways: hardly a call goes out
// meanwhile, none of them burns an attempt, and soon afterwards the pace is full again.
func TestOutage(t *testing.T) {
	t.Parallel()
	const from, to = 5 * time.Second, 305 * time.Second
	for _, fault := range []simulator.Fault{
		{Kind: simulator.FaultRefuse}, {Kind: simulator.FaultStall}, {Kind: simulator.FaultStatus, Code: 503}, {Kind: simulator.FaultCode, Code: 30006},
		{Kind: simulator.FaultBody, Name: "html"},
	} {
		synctest.Test(t, func(t *testing.T) {
			seen := &trace{}
			c := piped(t, simulator.Config{
				Latency: 50 * time.Millisecond, Observe: seen.observe,
				Faults: simulator.Faults{Outages: []simulator.Outage{{Window: simulator.Window{From: from, To: to}, Fault: fault}}},
			})
			j := newJob(t, ring(2_000, 1))
			e := j.run(t.Context(), c, flags{})
			a := j.audit(c)
			meanwhile := int64(seen.count(from+15*time.Second, to, nil)) + c.Stats().ConnectionsRefused
			back := time.Duration(-1)
			for at := to; at < to+time.Minute && back < 0; at += time.Second {
				if seen.count(at, at+time.Second, nil) > 190 {
					back = at - to
				}
			}
			t.Logf("%s for 5 minutes: %d calls and connections meanwhile, full pace %v after its end, %d failed, %d holds", fault, meanwhile, back, a.totals.Failed, e.Holds)
			if e.exit != 0 || a.totals.Failed != 0 || e.Holds == 0 || meanwhile > 400 || back < 0 || back > 40*time.Second {
				t.Errorf("exit %d: %v", e.exit, e.err)
			}
		})
	}
}

// TestOutageBurnsNoAttempt: in a small job an outage of a quarter of an hour probes each account
// more often than an edge may be tried. When it is over, one more passing answer must not be the
// last.
func TestOutageBurnsNoAttempt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const over = 14 * time.Minute
		seen, later := map[string]int{}, map[string]int{}
		c := piped(t, simulator.Config{Script: func(c simulator.Call) *simulator.Fault {
			n := seen
			if c.Since >= over {
				n = later
			}
			if n[c.From]++; c.Since < over || n[c.From] == 1 && len(later) > 1 {
				return &simulator.Fault{Kind: simulator.FaultCode, Code: 30006}
			}
			return nil
		}})
		j := newJob(t, ring(4, 2))
		e := j.run(t.Context(), c, flags{workers: 1})
		a := j.audit(c)
		if e.exit != 0 || a.totals.Failed != 0 {
			t.Errorf("exit %d, %+v: %v", e.exit, a.totals, e.err)
		}
		for from, n := range seen {
			if n < 8 {
				t.Errorf("%s was tried %d times in the outage, too few to show anything", from, n)
			}
		}
	})
}

// TestOneBadAccountIsNoOutage: an account that fails for minutes doesn't stop the others.
func TestOneBadAccountIsNoOutage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j := newJob(t, ring(400, 1))
		victims := j.order()[:2]
		c := piped(t, simulator.Config{Script: func(c simulator.Call) *simulator.Fault {
			if c.Since < 3*time.Minute && (c.From == victims[0] || c.From == victims[1]) {
				return &simulator.Fault{Kind: simulator.FaultReset}
			}
			return nil
		}})
		e := j.run(t.Context(), c, flags{workers: 4})
		a := j.audit(c)
		if e.exit != 0 || e.Holds != 0 || a.totals.Failed != 0 {
			t.Errorf("exit %d, %d holds, %d failed", e.exit, e.Holds, a.totals.Failed)
		}
	})
}

// TestThresholds stops at the first failure too many, with what is left pending.
func TestThresholds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := piped(t, simulator.Config{Faults: simulator.Faults{Shares: map[string]float64{"items:30009": 0.2}}})
		j := newJob(t, ring(300, 3))
		e := j.run(t.Context(), c, flags{workers: 1, maxFailures: 10})
		a := j.audit(c)
		if e.exit != 6 || e.stop.Reason != migrate.ReasonThreshold || a.totals.Failed < 11 || a.totals.Failed > 13 || a.totals.Pending < 700 {
			t.Errorf("exit %d, %+v: %v", e.exit, a.totals, e.err)
		}
		e = j.run(t.Context(), c, flags{workers: 1})
		if a = j.audit(c); e.exit != 3 || a.totals.Pending != 0 {
			t.Errorf("exit %d, %+v: %v", e.exit, a.totals, e.err)
		}
	})
}

// TestOnlyMissing makes one friend_check and at most one friend_import of each chunk, and what it
// finds is there before.
func TestOnlyMissing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := piped(t, simulator.Config{})
		whole, half := 0, 0 // accounts of which everything is there, and some
		for i := range 100 {
			switch i % 4 {
			case 0:
				whole++
				c.Put(account(i), simulator.Friend{To: account((i + 1) % 100)}, simulator.Friend{To: account((i + 2) % 100)})
			case 1:
				half++
				c.Put(account(i), simulator.Friend{To: account((i + 2) % 100)})
			}
		}
		j := newJob(t, ring(100, 2))
		e := j.run(t.Context(), c, flags{onlyMissing: true})
		a := j.audit(c)
		s := c.Stats()
		found := int64(2*whole + half)
		if e.exit != 0 || a.totals.Already != found || a.totals.AlreadyUncertain != 0 || a.totals.Imported != 200-found {
			t.Errorf("exit %d, %+v", e.exit, a.totals)
		}
		if s.ByAPI["friend_check"] != 100 || s.ByAPI["friend_import"] != int64(100-whole) || s.EdgesAgain != 0 {
			t.Errorf("%v calls, %d edges sent that were there", s.ByAPI, s.EdgesAgain)
		}
	})
}

// TestSlowSaysWhy: while the pace is lowered it says why, and afterwards no more.
func TestSlowSaysWhy(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := piped(t, simulator.Config{Limits: simulator.Limits{LimitChanges: []simulator.Change{{At: 2 * time.Second, To: 50}, {At: 10 * time.Second, To: 0}}}})
		j := newJob(t, ring(8_000, 1))
		var during, after atomic.Pointer[sink.Pace]
		j.run(t.Context(), c, flags{maxDuration: 36 * time.Second, watch: func(client *sink.Client, _ *migrate.Meter) {
			look := func(into *atomic.Pointer[sink.Pace]) func() {
				return func() {
					p := client.Pace()
					into.Store(&p)
				}
			}
			time.AfterFunc(6*time.Second, look(&during))
			time.AfterFunc(35*time.Second, look(&after))
		}})
		j.audit(c)
		if p := during.Load(); p.Current > 60 || !strings.Contains(p.Reason, "60007") {
			t.Errorf("at a limit of 50: %+v", p)
		}
		if p := after.Load(); p.Current < 190 || p.Reason != "" {
			t.Errorf("at no limit: %+v", p)
		}
	})
}
