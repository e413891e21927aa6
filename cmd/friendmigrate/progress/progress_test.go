package progress

import (
	"strings"
	"testing"
	"time"

	"friendmigrate/checkpoint"
	"friendmigrate/cmd/friendmigrate/report"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func TestTimeToGoCountsOnlyNewWork(t *testing.T) {
	var s Speed
	const before = 1_000_000 // settled by earlier runs
	for i := range 11 {
		s.Observe(start.Add(time.Duration(i)*time.Second), before+int64(i)*200)
	}
	if speed, ok := s.PerSecond(); !ok || speed != 200 {
		t.Errorf("speed is %v, %v", speed, ok)
	}
	if left := s.Seconds(2000); left == nil || *left != 10 {
		t.Errorf("left is %v", left)
	}
}

func TestSpeedFollowsAChangeOfPace(t *testing.T) {
	var s Speed
	count := int64(0)
	for i := range 120 {
		s.Observe(start.Add(time.Duration(i)*time.Second), count)
		if i < 60 {
			count += 200
		} else {
			count += 50
		}
	}
	if speed, _ := s.PerSecond(); speed < 49 || speed > 51 {
		t.Errorf("a minute after the pace fell to 50 the speed is said to be %v", speed)
	}
}

func TestNothingIsToldFromNothing(t *testing.T) {
	var s Speed
	if s.Seconds(10) != nil {
		t.Error("no observation, but a time to go")
	}
	s.Observe(start, 0)
	s.Observe(start.Add(time.Second), 0)
	if s.Seconds(10) != nil {
		t.Error("nothing moves, but there is a time to go")
	}
}

func TestProgressReachesExactlyOneHundredAndNotBefore(t *testing.T) {
	for _, c := range []struct {
		done, total int64
		want        float64
	}{{0, 0, 100}, {0, 10, 0}, {5, 10, 50}, {2_000_000_000 - 1, 2_000_000_000, 99.9}, {10, 10, 100}, {1, 3, 33.3}} {
		if got := Percent(c.done, c.total); got != c.want {
			t.Errorf("Percent(%d, %d) = %v, want %v", c.done, c.total, got, c.want)
		}
	}
}

func TestSnapshotIsOneLineOfJSON(t *testing.T) {
	var b strings.Builder
	account := report.Make(checkpoint.Identity{Rows: 1, Edges: 1}, checkpoint.Totals{Pending: 1})
	if err := (Snapshot{Version: Version, Sums: &account}).WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	if got := b.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, `"edges":{"read":1,`) {
		t.Errorf("%s", got)
	}
}

func TestAMinuteWithoutProgressSaysOnceWhatIsWaitedFor(t *testing.T) {
	v := NewView()
	at := func(second int, s Snapshot) string {
		s.Clock = start.Add(time.Duration(second) * time.Second)
		v.show(&s)
		return v.Still()
	}
	for _, c := range []struct {
		second        int
		sent, settled int64
		calls         Calls
		slow, want    string
	}{
		{0, 0, 0, Calls{}, "", ""},
		{59, 0, 0, Calls{InFlight: 2}, "", ""},
		{60, 0, 0, Calls{InFlight: 2}, "", "nothing was sent or settled for 1m 00s: waiting for the end of 2 calls, or for the disk"},
		{61, 0, 0, Calls{InFlight: 2}, "", ""},
		{600, 0, 0, Calls{InFlight: 2}, "", ""},
		{601, 1, 0, Calls{}, "", ""},
		{650, 1, 1, Calls{}, "", ""},
		{709, 1, 1, Calls{}, "", ""},
		{711, 1, 1, Calls{}, "", "nothing was sent or settled for 1m 01s: waiting for the disk with the state folder"},
		{712, 2, 1, Calls{}, "", ""},
		{800, 2, 1, Calls{}, "1 account waiting to be tried again", "nothing was sent or settled for 1m 28s: 1 account waiting to be tried again"},
	} {
		c.calls.Sent = c.sent
		got := at(c.second, Snapshot{Phase: Sending, Calls: &c.calls, Settled: c.settled, Slow: c.slow})
		if got != c.want {
			t.Errorf("second %d: %q, want %q", c.second, got, c.want)
		}
	}
	if got := at(3600, Snapshot{Phase: Reading}); got != "" {
		t.Errorf("reading: %q", got)
	}
}
