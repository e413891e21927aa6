package inspect

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"friendmigrate/checkpoint"
	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/progress"
	"friendmigrate/cmd/friendmigrate/report"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/migrate"
	"friendmigrate/migrate/disk"
	"friendmigrate/source"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func snapshot(t *testing.T, dir string, s progress.Snapshot) {
	t.Helper()
	text, err := json.Marshal(s)
	if err == nil {
		err = os.MkdirAll(dir, 0o700)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, folder.Progress), text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// locked is what a process does that works on a state.
func locked(t *testing.T, dir string) *checkpoint.Lock {
	t.Helper()
	lock, err := checkpoint.TryLock(dir)
	if err != nil {
		t.Fatal(err)
	}
	return lock
}

func status(t *testing.T, base string, light bool) *Status {
	t.Helper()
	s, err := ReadStatus(base, noon, light)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestARunningJobIsKnownByItsSignOfLife(t *testing.T) {
	for name, c := range map[string]struct {
		snapshot progress.Snapshot
		phase    string
		ended    bool
		line     string
	}{
		"reads":     {progress.Snapshot{Phase: progress.Reading, At: noon, Input: &progress.Input{Rows: 12}}, Reading, false, "reading: 12 rows, 0 B"},
		"sends":     {progress.Snapshot{Phase: progress.Sending, At: noon.Add(-3 * time.Second)}, Sending, false, "sending"},
		"is silent": {progress.Snapshot{Phase: progress.Sending, At: noon.Add(-time.Minute)}, Stopped, false, "no sign of life for 1m 00s, though a process holds the state: suspended, or another command"},
		"stopped":   {progress.Snapshot{Phase: progress.Ended, At: noon, Code: new(4), What: "stopped by SIGTERM"}, Stopped, false, "stopped (exit code 4)"},
		"finished":  {progress.Snapshot{Phase: progress.Ended, At: noon.Add(-time.Hour), Code: new(0), Sums: &report.Sums{}}, Finished, true, "finished: 100.0 %, 0 of 0 edges"},
	} {
		base := t.TempDir()
		snapshot(t, base, c.snapshot)
		lock := locked(t, base)
		s := status(t, base, false)
		if err := lock.Release(); err != nil {
			t.Fatal(err)
		}
		killed := status(t, base, false)
		if killed.Shards[0].Running() {
			t.Errorf("%s: nobody has the lock, and it is %s", name, killed.Phase)
		}
		if ended := c.snapshot.Phase == progress.Ended; killed.Ended() != ended {
			t.Errorf("%s: nobody has the lock, ended %v", name, !ended)
		}
		if s.Phase != c.phase || s.Ended() != c.ended || s.Line() != c.line {
			t.Errorf("%s: phase %s, ended %v, %q", name, s.Phase, s.Ended(), s.Line())
		}
	}
}

func TestShardsAreAddedUpAndMissingOnesNamed(t *testing.T) {
	base := t.TempDir()
	const src = ",AddSource_Type_A\n"
	rows := "a,b" + src + "b,a" + src + "c,d" + src + "d,c" + src + "e,e" + src + "f,a" + src
	for i := range 2 {
		s := newState(t, base, settings.Shard{Index: i, Count: 3}, rows, source.Options{Mutual: true})
		s.run(i == 1, func(e *migrate.Edge) migrate.Outcome {
			if e.From == "b" {
				return refused(30003)
			}
			if e.To == "d" {
				return migrate.Outcome{}
			}
			return migrate.Outcome{Kind: migrate.Imported}
		})
		defer locked(t, s.dir).Release()
		account := report.Make(s.journal.Identity(), s.journal.Totals())
		left := float64(10 * (i + 1))
		snapshot(t, s.dir, progress.Snapshot{Phase: progress.Sending, At: noon, Sums: &account, Failures: s.journal.Totals().FailedByCode, Settled: account.Edges() - account.Pending(), Total: account.Edges(), Percent: progress.Percent(account.Edges()-account.Pending(), account.Edges()), Left: &left, Calls: &progress.Calls{PerSecond: 30}})
	}
	for _, light := range []bool{false, true} {
		s := status(t, base, light)
		if s.Phase != Sending || len(s.Shards) != 2 || strings.Join(s.Missing, " ") != "2/3" || s.Ended() {
			t.Fatalf("%+v", s)
		}
		sum := report.Plus(*s.Shards[0].Sums, *s.Shards[1].Sums)
		if *s.Sums != sum || !sum.Rows.Balanced || sum.Check() != nil || s.Total != sum.Edges() || s.Settled != sum.Edges()-sum.Pending() {
			t.Errorf("light %v: the sum is %+v", light, s.Sums)
		}
		if s.PerSecond != 60 || s.Left == nil || *s.Left != 20 {
			t.Errorf("pace %v, left %v", s.PerSecond, s.Left)
		}
		if len(s.FailedBy) == 0 {
			t.Errorf("light %v: failed by %v", light, s.FailedBy)
		}
		if text := s.Text(); !strings.Contains(text, "sending, 2 of 3 shards have begun, 2 running: 66.6 %, 2 of 3 edges, 60 calls/s, 20s left; failed 1: 30003 ×1\n") || !strings.Contains(text, "\n  1/3 ") ||
			!strings.Contains(text, "without a state here: 2/3") {
			t.Errorf("%s", text)
		}
		var lines []string
		for _, row := range s.Block(79) {
			lines = append(lines, row.Head+row.Text)
		}
		if want := []string{
			"0/3  sending  100.0 %  1 of 1 edge  30 calls/s  10s left", "1/3  sending  50.0 %  1 of 2 edges  30 calls/s  20s left  failed 1: 30003 ×1",
			"2 of 3 shards  66.6 %  2 of 3 edges  60 calls/s  20s left", "failed 1: 30003 ×1  not begun: 2/3",
		}; !slices.Equal(lines, want) {
			t.Errorf("light %v:\n%s", light, strings.Join(lines, "\n"))
		}
	}
}

// A job of which a shard has not begun is not finished, whatever the others say.
func TestAJobIsNotFinishedBeforeItsLastShardBegins(t *testing.T) {
	base := t.TempDir()
	for i := range 2 {
		s := newState(t, base, settings.Shard{Index: i, Count: 2}, "a,b,AddSource_Type_A\nb,a,AddSource_Type_A\nc,a,AddSource_Type_A\nd,a,AddSource_Type_A\n", source.Options{})
		s.run(false, func(*migrate.Edge) migrate.Outcome { return migrate.Outcome{Kind: migrate.Imported} })
		want := []string{Stopped, Finished}[i]
		if got := status(t, base, false); got.Phase != want || got.Ended() != (i == 1) || got.Percent != 100 {
			t.Errorf("%d of 2 shards: %s, ended %v", i+1, got.Line(), got.Ended())
		}
	}
}

func TestAKilledRunIsCountedAndAJournalAloneIsEnough(t *testing.T) {
	base := t.TempDir()
	s := newState(t, base, settings.Shard{}, "a,b,AddSource_Type_A\n", source.Options{})
	s.run(true, func(*migrate.Edge) migrate.Outcome { return migrate.Outcome{} })
	s.run(false, func(*migrate.Edge) migrate.Outcome { return refused(30010) })
	got := status(t, base, true)
	one := got.Shards[0]
	if got.Phase != Finished || one.Runs != 2 || one.Killed != 1 || one.Code == nil || *one.Code != 4 || len(got.FailedBy) != 1 || got.FailedBy[0].Edges != 1 {
		t.Errorf("%+v", got)
	}
}

// The run may have died after its last edge was settled, and the report be about another run.
func TestAReportSaysHowTheLastRunEnded(t *testing.T) {
	imported := migrate.Outcome{Kind: migrate.Imported}
	for name, c := range map[string]struct {
		killed bool // or still running
		to     migrate.Outcome
		before string // report.json
		code   int
		what   string
	}{
		"killed in the middle":           {true, migrate.Outcome{}, `{}`, 4, "the last run was killed"},
		"running":                        {true, migrate.Outcome{}, `{}`, 4, "a run is on, and this is how far it has come"},
		"running, and all is settled":    {true, imported, `{}`, 4, "a run is on, and this is how far it has come"},
		"killed at its end":              {true, imported, `{}`, 0, "every edge is settled; the end of the last run is not recorded"},
		"killed at its end, with faults": {true, refused(30010), `{}`, 3, "every edge is settled; the end of the last run is not recorded"},
		"killed, and a run before it":    {true, imported, `{"ending": {"at": "2026-01-02T12:00:00Z", "code": 4, "what": "stopped"}}`, 0, "every edge is settled; the end of the last run is not recorded"},
		"killed, and one after it":       {true, imported, `{"ending": {"at": "9999-01-02T12:00:00Z", "what": "nothing to do"}}`, 0, "nothing to do"},
		"ended, and a run before it":     {false, imported, `{"ending": {"at": "2026-01-02T12:00:00Z", "code": 6, "what": "stopped"}}`, 4, "the last run ended by itself"},
		"ended, a damaged report":        {false, imported, `damaged`, 4, "the last run ended by itself"},
	} {
		base := t.TempDir()
		s := newState(t, base, settings.Shard{}, "a,b,AddSource_Type_A\n", source.Options{})
		s.run(c.killed, func(*migrate.Edge) migrate.Outcome { return c.to })
		s.must(os.WriteFile(filepath.Join(base, folder.Report), []byte(c.before), 0o600))
		running := strings.HasPrefix(name, "running")
		if running {
			writer, err := checkpoint.Open(disk.OS{}, s.dir)
			s.must(err)
			defer writer.Close()
		}
		r, err := jobsIn(t, base).Report("program")
		if last := r.Runs[len(r.Runs)-1]; last.Running != running || r.Ending.Running != running {
			t.Errorf("%s: %+v, %+v", name, last, r.Ending)
		}
		if err != nil || r.Ending.Code != c.code || r.Ending.What != c.what || r.Rows.Read != 1 {
			t.Errorf("%s: %+v, %v", name, r.Ending, err)
		}
	}
}

// What was killed has a next command, whole or not at all.
func TestTheNextCommandIsNotCut(t *testing.T) {
	base := t.TempDir()
	snapshot(t, base, progress.Snapshot{Phase: progress.Sending, At: noon, Hint: "friendmigrate import friends.csv"})
	s := status(t, base, true)
	for columns, want := range map[int]string{79: "next: friendmigrate import friends.csv", 35: "friendmigrate status says more"} {
		if rows := s.Block(columns); len(rows) != 2 || rows[1].Text != want {
			t.Errorf("at %d columns: %v", columns, rows)
		}
	}
}

// The first undo need not be that of the first shard, and a shard may have none. The sum does not
// show what was imported as if it were still there.
func TestTheUndoOfShardsIsShownAsOne(t *testing.T) {
	imported := func(n int64) *report.Sums {
		return &report.Sums{Rows: report.Sum{Counts: checkpoint.Counts{Imported: n}}}
	}
	shards := []JobStatus{{Shard: "0/3", Phase: Finished, Undone: &report.Undone{At: noon, Edges: 3, Deleted: 3}}, {Shard: "1/3", Phase: Finished},
		{Shard: "2/3", Phase: Finished, Undone: &report.Undone{At: noon.Add(-time.Hour), Edges: 4, Deleted: 1, Pending: 3}}}
	for i, n := range []int64{3, 5, 4} {
		shards[i].Sums = imported(n)
		shards[i].now = progress.Snapshot{Sums: shards[i].Sums, Settled: n, Total: n, Percent: 100}
	}
	s := &Status{Shards: shards}
	if s.addUp(); *s.Undone != (report.Undone{At: noon.Add(-time.Hour), Edges: 12, Deleted: 4, Pending: 3}) ||
		s.Line() != "undone in part, 0 of 3 shards running: 33.3 %, 4 of 12 edges" {
		t.Errorf("%s\n%+v", s.Line(), s.Undone)
	}
	s = &Status{Shards: shards[:1]}
	if s.addUp(); s.Line() != "undone, 0 of 1 shard running: 100.0 %, 3 of 3 edges" || s.Phase != Finished {
		t.Errorf("%s: %s", s.Phase, s.Line())
	}
}
