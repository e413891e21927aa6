package job

import "testing"

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
