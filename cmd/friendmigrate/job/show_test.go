package job

import (
	"testing"
	"time"

	"friendmigrate/migrate"
	"friendmigrate/sink"
)

func TestWhatIsSlowIsSaid(t *testing.T) {
	now := time.Unix(1e9, 0)
	const pace = "slowed down, since the service refused calls as too frequent (code 60007)"
	causes := map[string]sink.PaceCause{"paused": sink.PacePaused, "pace set to 50": sink.PaceSet}
	held := migrate.Snapshot{Holding: true, HoldSince: now.Add(-90 * time.Second), HoldReason: "connection refused", Parked: 4}
	for _, c := range []struct {
		name        string
		m           migrate.Snapshot
		pace        string
		full, short string
	}{
		{"at full pace", migrate.Snapshot{InFlight: 20, Parked: 3}, "", "", ""},
		{"slowed down", migrate.Snapshot{InFlight: 20, Parked: 3}, pace, pace, "slowed by the service"},
		{"only backoffs are left", migrate.Snapshot{Parked: 1}, "", "1 account waiting to be tried again", "1 account waiting to be tried again"},
		{"only backoffs are left, whatever the pace", migrate.Snapshot{Parked: 12}, pace, "12 accounts waiting to be tried again", "12 accounts waiting to be tried again"},
		{"paused, and nothing else counts", held, "paused", "paused by friendmigrate pace", "paused"},
		{"set", migrate.Snapshot{InFlight: 20}, "pace set to 50", "pace set to 50", "pace set to 50"},
		{"held", held, pace, "holding for 1m 30s: nothing gets through, and it is tried again by itself; the last answer: connection refused", "holding for 1m 30s"},
	} {
		if full, short := Slow(c.m, sink.Pace{Reason: c.pace, Cause: causes[c.pace]}, now); full != c.full || short != c.short {
			t.Errorf("%s: %q, %q", c.name, full, short)
		}
	}
}
