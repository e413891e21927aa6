package job

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"friendmigrate/checkpoint"
	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/progress"
	"friendmigrate/cmd/friendmigrate/terminal"
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

// slowDisk waits before it opens a file.
type slowDisk struct {
	disk.OS
	name string
	wait chan struct{}
}

func (d slowDisk) OpenFile(name string, flag int, perm fs.FileMode) (disk.File, error) {
	if filepath.Base(name) == d.name {
		<-d.wait
	}
	return d.OS.OpenFile(name, flag, perm)
}

// Snapshots are taken while a list of millions is written, and at its end a run gives it up.
func TestTheFailedListIsWrittenBesideTheSnapshots(t *testing.T) {
	for _, given := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			j := withJournal(t, judged("a.csv", nil))
			slow := slowDisk{name: "failed.csv.tmp", wait: make(chan struct{})}
			j.FS, j.Log, j.View, j.Screen = slow, zap.NewNop(), progress.NewView(), terminal.New(io.Discard, nil)
			failed := migrate.Settlement{Chunk: migrate.Chunk{Edges: []migrate.Edge{{From: "a", To: "b"}}},
				Settled: []migrate.Settled{{Outcome: migrate.Outcome{Kind: migrate.Failed, Code: 30003}, Attempts: 1}}}
			err := errors.Join(j.Journal.BeginRun(checkpoint.RunStart{At: time.Now()}), j.Journal.Announce(0),
				j.Journal.Settle(t.Context(), failed))
			if err != nil {
				t.Fatal(err)
			}
			j.View.Watch(progress.Work{Fill: func(s *progress.Snapshot) {
				s.Phase = progress.Sending
				addEdges(s, j.Journal)
			}})
			j.watch = startWatch(j)
			time.Sleep(listsEvery + time.Minute)
			synctest.Wait()
			if s := j.View.Snapshot(); time.Since(s.At) > Tick {
				t.Errorf("the last snapshot is of %v ago", time.Since(s.At))
			}
			if given {
				time.AfterFunc(time.Minute, func() { close(slow.wait) })
			} else {
				close(slow.wait)
				synctest.Wait()
			}
			j.watch.Stop()
			list, err := os.ReadFile(j.ListPath(folder.Failed))
			if given != errors.Is(err, fs.ErrNotExist) || !given && !strings.Contains(string(list), "30003") {
				t.Errorf("given up %v: %s, %v", given, list, err)
			}
			if temporary, _ := filepath.Glob(filepath.Join(j.Dir, "failed*.tmp")); temporary != nil || j.Bug() != nil {
				t.Errorf("%s is left; %v", temporary, j.Bug())
			}
		})
	}
}
