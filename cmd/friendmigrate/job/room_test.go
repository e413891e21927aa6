package job

import (
	"os"
	"path/filepath"
	"testing"
)

func TestStagingNeedsAboutTheSizeOfTheInput(t *testing.T) {
	dir := t.TempDir()
	for name, size := range map[string]int{"a.csv": 1000, "b.csv.gz": 100} {
		if err := os.WriteFile(filepath.Join(dir, name), make([]byte, size), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	j := Run{Job: Job{Program: new(Program), Inputs: []string{dir}}}
	if j.MeasureStage(t.Context()); j.Needed != 1000+packed*100 {
		t.Errorf("%d bytes", j.Needed)
	}
}

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
