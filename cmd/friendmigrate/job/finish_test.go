package job

import (
	"errors"
	"testing"

	"friendmigrate/checkpoint"
	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/migrate"
	"friendmigrate/migrate/disk"
)

// withJournal gives a job a folder with a journal of one edge, in which no run has begun.
func withJournal(t *testing.T, j *Run) *Run {
	t.Helper()
	j.FS, j.Dir = disk.OS{}, t.TempDir()
	var err error
	if j.Journal, err = checkpoint.Begin(j.FS, j.Dir, checkpoint.Identity{Rows: 1, Edges: 1, Chunks: 1}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Journal.Close() })
	return j
}

func TestAPilotThatIsFinishedHasNoPendingEdge(t *testing.T) {
	for _, c := range []struct {
		pending int64
		err     error
		trouble bool
	}{
		{0, nil, false}, {1, nil, true}, {-1, nil, true},
		{1, &migrate.StopError{Reason: migrate.ReasonSignal}, false},
	} {
		j := withJournal(t, judged("--only-accounts pilot.txt a.csv", c.err))
		j.Pilot = &Pilot{edges: 3, settled: 3 - c.pending}
		if o := j.writeFailedAndSum(); (o.trouble != nil) != c.trouble {
			t.Errorf("%d pending after %v: %v", c.pending, c.err, o.trouble)
		}
	}
}

// The exit code is 1 then, so that nobody takes the run for one that can be resumed as it is.
func TestAnEndThatCannotBeRecordedIsAnError(t *testing.T) {
	for _, c := range []struct {
		err      error
		reported bool
	}{
		{nil, true}, {&migrate.StopError{Reason: migrate.ReasonSignal}, true}, {errors.New("disk full"), false},
	} {
		j := withJournal(t, judged("a.csv", c.err)) // no run has begun, so none can end
		if err := j.endRun(exit.Unfinished); (err != nil) != c.reported {
			t.Errorf("after %v: %v", c.err, err)
		}
	}
}
