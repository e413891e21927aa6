package main

import (
	"path/filepath"
	"strings"
	"testing"

	"friendmigrate/migrate/disk"
)

func TestRoomForTheRestOfAJob(t *testing.T) {
	for _, c := range []struct {
		chunks, edges, edge int64
		certain, likely     int64
	}{
		{0, 1, 0, 128 << 10, 128 << 10},
		{1000, 10_000, 0, 128<<10 + 64_000, 128<<10 + 64_000 + 4*1000*120},
		{1000, 10_000, 500, 128<<10 + 64_000, 128<<10 + 64_000 + 4*1000*560},
	} {
		if certain, likely := room(c.chunks, c.edges, c.edge); certain != c.certain || likely != c.likely {
			t.Errorf("room for %d chunks of %d edges of %d bytes: %d and %d, want %d and %d", c.chunks, c.edges, c.edge, certain, likely, c.certain, c.likely)
		}
	}
}

// A disk that won't hold what has to be recorded is noticed before the first call, and the same command goes on when there is room.
func TestNoRoomToFinish(t *testing.T) {
	j := newSmallJob(t, 0)
	for i := range j.lives {
		l := &j.lives[i]
		state := filepath.Join(t.TempDir(), "state")
		j.copy(t, l, state)
		s := j.serve(l)
		s.free = func(string) (int64, error) { return 1000, nil }
		code, out := s.run(disk.OS{}, state, l.flags...)
		if code != 1 || !strings.Contains(out, "no space to finish") || s.sim.Stats().Calls > 0 {
			t.Errorf("%s: %d, %d calls\n%s", l.name, code, s.sim.Stats().Calls, out)
		}
		s.free = disk.Free
		code, out = s.run(disk.OS{}, state, l.flags...)
		l.ended(named{t, l.name}, s, state, code, out)
	}
}
