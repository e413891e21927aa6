package progress

import (
	"strings"
	"testing"
	"time"
	"unsafe"

	"friendmigrate/checkpoint"
	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/report"
	"friendmigrate/migrate"
	"friendmigrate/sink"
)

// shown is a block as it stands on a screen, without its colours.
func shown(s Snapshot, columns int) string {
	var lines []string
	for _, row := range s.Block(columns) {
		lines = append(lines, row.Head+row.Text)
	}
	return strings.Join(lines, "\n")
}

func sendingSnapshot(change func(*Snapshot)) Snapshot {
	left := 6720.0
	s := Snapshot{
		Phase: Sending, Settled: 1_204_331, Total: 2_801_220, Percent: 42.9, Left: &left,
		Calls: &Calls{PerSecond: 198.2, Pace: 198, Asked: 200, InFlight: 37, Sent: 12_044, Reason: ReasonNone},
	}
	change(&s)
	return s
}

func TestWhatTheBlockSays(t *testing.T) {
	const first = "sending  42.9 %  1,204,331 of 2,801,220 edges  198 calls/s  1h 52m left"
	failures := map[int]int64{30003: 1190, 30010: 14}
	for _, c := range []struct {
		name   string
		change func(*Snapshot)
		want   string
	}{
		{"quiet", func(*Snapshot) {}, first},
		{"failures", func(s *Snapshot) { s.Failures = failures }, first + "\nfailed 1,204: 30003 ×1,190, 30010 ×14"},
		{"throttled", func(s *Snapshot) { s.Slow = "throttled by the service (60007): 60 of 200 calls/s" },
			first + "\nthrottled by the service (60007): 60 of 200 calls/s"},
		{"one call", func(s *Snapshot) { s.Calls.PerSecond = 1.2 }, strings.Replace(first, "198 calls/s", "1 call/s", 1)},
		{"few accounts", func(s *Snapshot) { s.Few = 7 }, first + "\n7 accounts left"},
		{"held", func(s *Snapshot) { s.Slow, s.Calls.PerSecond, s.Left = "holding for 20s", 0, nil },
			"sending  42.9 %  1,204,331 of 2,801,220 edges\nholding for 20s"},
		{"stopping", func(s *Snapshot) {
			s.Stop, s.Drain, s.Failures = "press Ctrl-C again to stop now", 10*time.Second, failures
		},
			"stopping  42.9 %  1,204,331 of 2,801,220 edges" +
				"\nwaiting for 37 calls in flight, at most 10s; press Ctrl-C again to stop now"},
		{"lists", func(s *Snapshot) { s.Finishing, s.Left = true, nil },
			"finishing  42.9 %  1,204,331 of 2,801,220 edges\nwriting lists and report"},
		{"reading", func(s *Snapshot) {
			*s = Snapshot{Phase: Reading, Input: &Input{Bytes: 1 << 20, Total: 4 << 20, Rows: 20000}}
		}, "reading  25.0 %  20,000 rows  1 MiB of 4 MiB"},
		{"grouping", func(s *Snapshot) { *s = Snapshot{Phase: Reading, Input: &Input{Bytes: 4, Total: 4, Rows: 1}} },
			"reading  1 row  grouping them by account"},
		{"an export", func(s *Snapshot) { s.Doing, s.Noun, s.Note, s.Left = "reading", "account", "5 edges", nil },
			"reading  42.9 %  1,204,331 of 2,801,220 accounts  198 calls/s\n5 edges"},
	} {
		s := sendingSnapshot(c.change)
		if got := shown(s, 79); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, got, c.want)
		}
		for line := range strings.Lines(shown(s, 79)) {
			if n := len([]rune(strings.TrimSpace(line))); n > 79 {
				t.Errorf("%s: %d columns: %s", c.name, n, line)
			}
		}
	}
	if got := shown(sendingSnapshot(func(*Snapshot) {}), 60); got != "sending  42.9 %  1,204,331 of 2,801,220 edges  1h 52m left" {
		t.Errorf("a narrow screen shows\n%s", got)
	}
	s := sendingSnapshot(func(s *Snapshot) { s.Slow, s.Failures = "throttled", failures })
	if got := shown(s, 199); !strings.Contains(got, "░  1,204,331 of") || !strings.HasSuffix(got, "\nthrottled  failed 1,204: 30003 ×1,190, 30010 ×14") ||
		!strings.Contains(got, "37 in flight") {
		t.Errorf("a wide screen shows\n%s", got)
	}
}

func TestOnlyAsManyCodesAsFit(t *testing.T) {
	s := Snapshot{Failures: map[int]int64{}}
	for code := range 20 {
		s.Failures[30001+code] = int64(1000 - code)
	}
	head, codes := s.failures(60)
	if got, want := head+codes, "failed 19,810: 30001 ×1,000, 30002 ×999 and 18 more codes"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	s.Failures = map[int]int64{30003: 6041, 30010: 121}
	if head, codes = s.failures(39); head+codes != "failed 6,162: 30003 ×6,041, 30010 ×121" {
		t.Errorf("%q", head+codes)
	}
	if _, codes = s.failures(30); codes != ": 30003 ×6,041 and 1 more code" {
		t.Errorf("%q", codes)
	}
}

func TestALineSaysTheSame(t *testing.T) {
	account := report.Make(checkpoint.Identity{Rows: 100, Edges: 100}, checkpoint.Totals{Counts: checkpoint.Counts{Imported: 40, Failed: 2}, Pending: 58})
	left := 90.0
	s := Snapshot{Phase: Sending, Sums: &account, Failures: map[int]int64{30003: 2}, Settled: 42, Total: 100, Percent: 42, Left: &left,
		Calls: &Calls{PerSecond: 49.6, Pace: 50}, Slow: "throttled by the service (60007): 50 of 200 calls/s"}
	if got, want := s.Line(), "sending: 42.0 %, 42 of 100 edges, 50 calls/s, 1m 30s left; throttled by the service (60007): 50 of 200 calls/s; failed 2: 30003 ×2"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestWhatIsSlowIsSaid(t *testing.T) {
	now := time.Unix(1e9, 0)
	throttled := sink.Pace{Limit: 200, Current: 60, Cause: sink.PaceRefused, Reason: "throttled by the service (60007)"}
	held := migrate.Snapshot{Holding: true, HoldSince: now.Add(-90 * time.Second), HoldReason: "dial tcp 127.0.0.1:7802: connect: connection refused", NextProbe: now.Add(3 * time.Second), Parked: 4}
	for _, c := range []struct {
		name         string
		m            migrate.Snapshot
		pace         sink.Pace
		reason, text string
	}{
		{"at full pace", migrate.Snapshot{Working: 20, Parked: 3}, sink.Pace{Current: 198}, ReasonNone, ""},
		{"throttled", migrate.Snapshot{Working: 20, Parked: 3}, throttled, "refused", "throttled by the service (60007): 60 of 200 calls/s"},
		{"asked to wait", migrate.Snapshot{Parked: 3}, sink.Pace{Cause: sink.PaceAsked, Reason: "waiting 30s"}, "asked", "waiting 30s"},
		{"only backoffs are left", migrate.Snapshot{Parked: 1}, sink.Pace{}, ReasonWaiting, "1 account waiting to be tried again"},
		{"only backoffs are left, whatever the pace", migrate.Snapshot{Parked: 12}, throttled, ReasonWaiting, "12 accounts waiting to be tried again"},
		{"paused, and nothing else counts", held, sink.Pace{Cause: sink.PacePaused}, "paused", "paused; friendmigrate pace resume ends it"},
		{"chunks wait to be halved", migrate.Snapshot{Working: 2, Parked: 31, Halving: 30}, sink.Pace{Current: 198}, ReasonHalving,
			"30 accounts were refused as a whole; looking for the edges that are refused"},
		{"some wait to be halved", migrate.Snapshot{Working: 20, Parked: 4, Halving: 3}, sink.Pace{Current: 198}, ReasonNone, ""},
		{"set", migrate.Snapshot{Working: 20}, sink.Pace{Limit: 50, Current: 49.5, Cause: sink.PaceSet, Reason: "pace set to 50"}, "set", "pace set to 50"},
		{"held", held, throttled, ReasonHold, "holding for 1m 30s; next try in 3s; last answer: connection refused"},
	} {
		if reason, text := slowness(c.m, c.pace, now, "friendmigrate pace resume"); reason != c.reason || text != c.text {
			t.Errorf("%s: %q, %q", c.name, reason, text)
		}
	}
}

// During a hold nothing is said of a speed, and after it the time to go comes from what is new.
func TestAHoldForgetsTheSpeed(t *testing.T) {
	w := &watched{calls: Speed{Window: ShortWindow}}
	at := func(second int, holding bool) *Calls {
		s := Snapshot{Clock: start.Add(time.Duration(second) * time.Second), Engine: migrate.Snapshot{Holding: holding, Working: 1}}
		w.addCalls(&s, sink.Stats{Attempts: int64(100 * min(second, 5))}, sink.Pace{Limit: 200, Current: 198})
		return s.Calls
	}
	for second := range 5 {
		at(second, false)
	}
	if c := at(5, false); c.PerSecond != 100 {
		t.Errorf("before the hold: %v", c.PerSecond)
	}
	if c := at(6, true); c.PerSecond != 0 || c.Reason != ReasonHold {
		t.Errorf("in the hold: %+v", c)
	}
}

// The time of day in a time.Time can be changed without its reading of the monotonic clock, as
// whoever sets the clock does.
func TestAClockThatIsSetBackChangesNoSpeed(t *testing.T) {
	w, began := &watched{calls: Speed{Window: ShortWindow}}, time.Now()
	for second := range 20 {
		now := began.Add(time.Duration(second) * time.Second)
		if second >= 10 {
			*(*uint64)(unsafe.Pointer(&now)) -= 3600 << 30
		}
		s := New(now, Sending)
		w.addCalls(&s, sink.Stats{Attempts: int64(100 * second)}, sink.Pace{Limit: 200, Current: 198})
		if s.Calls.PerSecond != 100 && second > 0 || (s.At.Before(began) != (second >= 10)) {
			t.Errorf("second %d, at %v: %v", second, s.At, s.Calls.PerSecond)
		}
	}
}

func TestWhatTheLastBlockSays(t *testing.T) {
	account := report.Sums{Rows: report.Sum{Read: 100, Counts: checkpoint.Counts{Imported: 90, Already: 3, Failed: 5}, Rejected: 1, Duplicate: 1}, Added: report.Added{Counts: checkpoint.Counts{Imported: 2}}}
	s := Snapshot{Phase: Ended, Sums: &account, Failures: map[int]int64{30003: 4, 30010: 1}}
	e := exit.Ending{Code: exit.Exceptions, What: "finished: 95 of 100 edges are in place\nand more", Hint: "friendmigrate import --retry-failed a.csv # after fixing", Report: "state/report.html"}
	block := func(s Snapshot, e exit.Ending) (lines []string) {
		for _, row := range s.LastBlock(e) {
			lines = append(lines, row.Head+row.Text)
		}
		return lines
	}
	if got, want := strings.Join(block(s, e), "\n"), `friendmigrate: finished: 95 of 100 edges are in place
friendmigrate: and more
  imported 92, already 3, rejected 1, duplicate 1
  failed 5: 30003 ×4, 30010 ×1
  report: state/report.html
hint:
friendmigrate import --retry-failed a.csv # after fixing`; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	e = exit.Ending{What: "verified", Hint: exit.NothingToRun}
	if got := block(Snapshot{Phase: Ended}, e); strings.Join(got, "\n") != "friendmigrate: verified" {
		t.Errorf("%q", got)
	}
	e.Report = "r"
	if got := block(Snapshot{Phase: Ended}, e); strings.Join(got, "\n") != "friendmigrate: verified\n  report: r" {
		t.Errorf("%q", got)
	}
}
