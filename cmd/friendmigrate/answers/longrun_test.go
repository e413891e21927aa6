package answers

import (
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"testing"
	"testing/synctest"
	"time"

	"friendmigrate/migrate"
	"friendmigrate/migrate/disk"
	"friendmigrate/sink"
	"friendmigrate/sink/simulator"
)

// longRun is the variable that says how long the long run lasts, in virtual time: 24h for the day.
const longRun = "FRIENDMIGRATE_LONG_RUN"

// longMemory is where the collector begins to work harder: a day has 17 million accounts and as
// many frames of the journal, some 900 MB in all, and garbage of five times that if it is let lie
// as in short runs.
const longMemory = 2 << 30

// TestLongRun is a job at 200 calls a second in which every signature is declared expired once an
// hour, the service is gone twice and a throttle comes and goes. No edge is lost and none fails by
// any of it. The journal is in memory. In between it is some minutes that have a whole day's
// troubles, closer together; the day itself costs some 45 µs a call, which is a quarter of an hour
// of one processor:
//
//	FRIENDMIGRATE_LONG_RUN=24h go test ./cmd/friendmigrate/answers -run TestLongRun -v -timeout 3h
func TestLongRun(t *testing.T) {
	t.Parallel()
	length := 80 * time.Second
	if text := os.Getenv(longRun); text != "" {
		var err error
		if length, err = time.ParseDuration(text); err != nil {
			t.Fatalf("%s: %v", longRun, err)
		}
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // one thing happens at a time in virtual time, and on one processor it costs a third less
		defer debug.SetMemoryLimit(debug.SetMemoryLimit(longMemory))
	}
	began := time.Now()
	synctest.Test(t, func(t *testing.T) { playLongRun(t, length) })
	t.Logf("it took %v of real time", time.Since(began).Round(time.Second))
}

// tellHours says once an hour where a run stands: a day is long to wait for in silence.
func tellHours(t *testing.T, length time.Duration) func(*sink.Client, *migrate.Meter) {
	return func(_ *sink.Client, m *migrate.Meter) {
		for at := time.Hour; at < length; at += time.Hour {
			time.AfterFunc(at, func() {
				s := m.Snapshot()
				t.Logf("after %v: %d edges settled, %d calls, %d of them repeats, holds: %d", at, s.Settled(), s.Calls, s.Retried, s.Holds)
			})
		}
	}
}

func playLongRun(t *testing.T, length time.Duration) {
	hour := min(time.Hour, length/6)
	at := func(part float64) time.Duration { return time.Duration(part * float64(length)) }
	outage := min(10*time.Minute, length/20)
	throttle := min(30*time.Minute, length/12)
	config := simulator.Config{
		Latency: 20 * time.Millisecond, Jitter: 60 * time.Millisecond, Seed: 3, Compact: true,
		Limits: simulator.Limits{Limit: 200, LimitChanges: []simulator.Change{{At: at(0.5), To: 50}, {At: at(0.5) + throttle, To: 200}}},
		Faults: simulator.Faults{Outages: []simulator.Outage{
			{Window: simulator.Window{From: at(0.2), To: at(0.2) + outage}, Fault: simulator.Fault{Kind: simulator.FaultRefuse}},
			{Window: simulator.Window{From: at(0.8), To: at(0.8) + outage}, Fault: simulator.Fault{Kind: simulator.FaultStatus, Code: 503}},
		}},
	}
	for expire := hour; expire < length; expire += hour {
		config.SigExpire = append(config.SigExpire, expire)
	}
	// What is left of the time without outages and throttle.
	full := length - 2*outage - throttle*3/4
	accounts := int(200 * 0.99 * math.Floor(full.Seconds()))
	c := piped(t, config)
	j := newJobOn(t, disk.OS{}, t.TempDir()+"/staged", newMemory(), ring(accounts, 1))
	holds := 0
	e := j.run(t.Context(), c, flags{sigLifetime: 2 * hour, watch: tellHours(t, length), event: func(e migrate.Event) {
		if e.Name == "hold" {
			holds++
		}
	}})
	a := j.audit(c)
	s := c.Stats()
	t.Logf("%v of virtual time, %d edges: %d calls, %d signatures, %d holds, %d throttled, %d uncertain, %d imported, %d already, %d failed, %d pending, largest sliding second %d",
		e.took.Round(time.Second), accounts, s.Calls, s.Signatures, holds, e.sent.Throttled, e.sent.Uncertain, a.totals.Imported, a.totals.Already, a.totals.Failed,
		a.totals.Pending, s.LargestSecond)
	if e.exit != 0 || a.totals.Failed != 0 || a.totals.Pending != 0 || s.GraphEdges != int64(accounts) {
		t.Errorf("exit %d, %d edges in the service: %v", e.exit, s.GraphEdges, e.err)
	}
	if want := len(config.SigExpire) + 1; s.Signatures < want || holds < 2 {
		t.Errorf("%d signatures, %d holds: the troubles didn't come", s.Signatures, holds)
	}
	if e.took > length+length/100+time.Minute { // what is left of the pauses between probes when the service is back
		t.Errorf("it took %v, with %v for the work", e.took, length)
	}
}
