package inspect

import (
	"path/filepath"
	"slices"
	"time"

	"friendmigrate/checkpoint"
	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/progress"
	"friendmigrate/cmd/friendmigrate/report"
	"friendmigrate/migrate/disk"
)

// StatusVersion of the JSON form. It changes when a key changes its meaning or goes.
const StatusVersion = 1

// The phases of a job, or of one of its shards.
const (
	Reading = "reading" // a process reads the input
	Sending = "sending" // a process sends
	// Stopped means that nothing runs and the job is not finished. The same command continues it,
	// or begins a shard that has no state yet.
	Stopped  = "stopped"
	Finished = "finished" // nothing is pending
)

// SignOfLife is how old the last snapshot of a running job may be. The job writes one a second, but
// a busy disk may delay it.
const SignOfLife = 10 * time.Second

// Status is the progress of a job, over all shards.
type Status struct {
	Version int    `json:"version"`
	State   string `json:"state"`
	Phase   string `json:"phase"`
	Mixed   string `json:"mixedShards,omitempty"` // says which shards are of different jobs; absent: none

	*report.Sums         // of the shards that have read their input; absent until the first has
	Settled      int64   `json:"settled"` // edges
	Total        int64   `json:"total"`
	Percent      float64 `json:"percent"`
	PerSecond    float64 `json:"callsPerSecond"`
	// of the shard that takes longest; absent: not known
	Left     *float64         `json:"leftSeconds,omitempty"`
	FailedBy []report.Code    `json:"failedByCode"`
	Missing  []string         `json:"missingShards,omitempty"`
	Verified *report.Verified `json:"verified,omitempty"` // of the shards that were verified
	Undone   *report.Undone   `json:"undone,omitempty"`   // nil: no undo has begun
	Pace     *folder.Pace     `json:"pace,omitempty"`     // set by friendmigrate pace; absent: not set
	Shards   []JobStatus      `json:"shards"`             // one for a job without shards

	now progress.Snapshot // of all shards that have begun
}

// JobStatus is the progress of one shard, or of a job without shards.
type JobStatus struct {
	Dir      string             `json:"folder"`
	Shard    string             `json:"shard,omitempty"`
	Phase    string             `json:"phase"`
	Sums     *report.Sums       `json:"account,omitempty"`
	Percent  float64            `json:"percent"`
	Progress *progress.Snapshot `json:"progress,omitempty"` // the last one, of any age
	Silent   float64            `json:"silentSeconds"`      // since then
	Runs     int                `json:"runs"`
	Killed   int                `json:"killedRuns"` // of those, runs without an end, except a running one
	Code     *int               `json:"code,omitempty"`
	What     string             `json:"what,omitempty"` // how its last run ended
	Hint     string             `json:"hint,omitempty"` // the command that goes on with what has stopped
	Verified *report.Verified   `json:"verified,omitempty"`
	Undone   *report.Undone     `json:"undone,omitempty"`

	now       progress.Snapshot // as the process itself shows it while it runs
	failed    map[int]int64     // edges of the job, by code
	held      bool              // a process holds the state, though the last snapshot is old or of an end
	otherWork bool              // what runs is an undo or a verify of the job
}

// Running reports whether a process works on the job.
func (s *JobStatus) Running() bool { return s.Phase == Reading || s.Phase == Sending }

// Ended reports whether there is nothing to wait for: every shard has a state, and each has
// finished, or recorded how its last run ended and no process is at work: one that has just begun
// shows nothing yet.
func (s *Status) Ended() bool {
	going := func(j JobStatus) bool {
		return j.Running() || j.Phase != Finished && (j.held || j.Code == nil && j.Undone == nil)
	}
	return !slices.ContainsFunc(s.Shards, going) && len(s.Missing) == 0
}

// ReadStatus returns the status of the job in a folder. With light it does not read the journal of
// a running shard, whose snapshots are cheaper and have most of it.
func ReadStatus(base string, now time.Time, light bool) (*Status, error) {
	places, err := folder.Find(base)
	if err != nil {
		return nil, err
	}
	s := &Status{Version: StatusVersion, State: base}
	for _, place := range places {
		one := JobStatus{Dir: place.Dir, Shard: place.Shard.String()}
		if err := one.read(now, light); err != nil {
			return nil, err
		}
		s.Shards = append(s.Shards, one)
	}
	if pace, err := folder.ReadPace(base); err == nil && pace.String() != "" {
		s.Pace = &pace
	}
	for _, shard := range folder.NotBegun(places) {
		s.Missing = append(s.Missing, shard.String())
	}
	s.Mixed = folder.Mixed(places)
	s.addUp()
	return s, nil
}

func (s *JobStatus) read(now time.Time, light bool) error {
	s.readProgress(now)
	if !light || !s.Running() || s.Sums == nil {
		if err := s.readJournal(); err != nil {
			return err
		}
	}
	if r, err := report.Read(filepath.Join(s.Dir, folder.Report)); err == nil { // ignore one that cannot be read
		s.Verified = r.Verified
	}
	var err error
	if s.Undone, err = Undoing(s.Dir); err != nil {
		return err
	}
	if a := s.Sums; a != nil {
		s.Percent = progress.Percent(a.Edges()-a.Pending(), a.Edges())
		if !s.Running() && a.Pending() == 0 {
			s.Phase = Finished
		}
		// else it runs a pilot, an undo or a verify, and its snapshot is about that
		if !s.Running() || s.now.Total == a.Edges() && !s.otherWork {
			s.now.Settled, s.now.Total, s.now.Percent = a.Edges()-a.Pending(), a.Edges(), s.Percent
		}
	}
	if s.now.Sums = s.Sums; !s.Running() {
		s.now.Doing = s.ended()
	}
	switch {
	case s.Running(), s.Undone != nil && s.Undone.Left() == 0, s.Undone == nil && s.Phase == Finished:
		s.Hint = ""
	case s.Undone != nil: // no import goes on after it
		s.Hint = lastSnapshot(filepath.Join(s.Dir, folder.Undo)).Hint
	}
	return nil
}

// workFolder returns where a process records what it does with the state in dir: an undo and a verify have
// folders of their own below it.
func workFolder(dir string) string {
	for _, name := range []string{folder.Undo, folder.Verify} {
		inside := filepath.Join(dir, name)
		if writing, _ := checkpoint.Writing(inside); writing { // the lock of a read-only folder cannot be tried
			return inside
		}
	}
	return dir
}

// lastSnapshot reads the last snapshot in a folder. It is the zero Snapshot if there is none, or one
// that cannot be read: the journal has what matters.
func lastSnapshot(dir string) progress.Snapshot {
	p, _ := disk.ReadJSON[progress.Snapshot](filepath.Join(dir, folder.Progress))
	p.Hint = hintOf(p.Dir, p.Hint)
	return p
}

// readProgress reads the last snapshot. Its age shows whether a process is running.
func (s *JobStatus) readProgress(now time.Time) {
	s.Phase, s.now.Phase = Stopped, progress.Ended
	p := lastSnapshot(s.Dir)
	s.Sums, s.failed, s.Code, s.What, s.Hint = p.Sums, p.Failures, p.Code, p.What, p.Hint
	s.now.Failures = p.Failures
	if dir := workFolder(s.Dir); dir != s.Dir {
		s.otherWork, p = true, lastSnapshot(dir)
	}
	held, err := checkpoint.Locked(s.Dir) // a run that was just killed left a recent snapshot
	if p.Phase == "" || s.otherWork && p.Phase == progress.Ended {
		if held {
			s.Phase, s.now.Phase = Reading, progress.Starting
		}
		return
	}
	s.Progress = &p
	age := now.Sub(p.At)
	s.Silent = max(0, age.Seconds())
	switch {
	case age >= SignOfLife, p.Phase == progress.Ended:
		s.held = held
	case held || err != nil: // the lock of a read-only folder cannot be tested
		s.Phase, s.now = p.Phase, p
	}
}

// readJournal reads what is durable from the journal.
func (s *JobStatus) readJournal() error {
	journal, err := openJournal(s.Dir)
	if journal == nil || err != nil {
		return err
	}
	defer journal.Close() // read only
	totals := journal.Totals()
	sums := report.Make(journal.Identity(), totals)
	if s.Sums, s.failed = &sums, totals.FailedByCode; !s.otherWork {
		s.now.Failures = s.failed
	}
	s.countRuns(journal.Runs())
	return nil
}

func (s *JobStatus) countRuns(runs []checkpoint.Run) {
	s.Runs = len(runs)
	running := s.Running() && !s.otherWork
	for i, run := range runs {
		last := i == len(runs)-1
		if run.End == nil && !(last && running) {
			s.Killed++
		}
		if last && run.End != nil && s.Code == nil && !running {
			s.Code = &run.End.Code // the snapshot of its end was lost
		}
	}
}

// addUp puts the shards together.
func (s *Status) addUp() {
	sum := progress.Snapshot{Phase: progress.Sending, Failures: map[int]int64{}, Calls: new(progress.Calls)}
	other := slices.ContainsFunc(s.Shards, func(j JobStatus) bool { return j.otherWork })
	failed, undone := map[int]int64{}, report.Undone{}
	for i := range s.Shards {
		j := &s.Shards[i]
		s.Phase = graver(s.Phase, j.Phase)
		now := j.now
		if j.otherWork != other { // the sum is about the shards that are undone or verified now
			now.Settled, now.Total = 0, 0
		}
		sum, failed = sum.Plus(now), report.Plus(failed, j.failed)
		if j.now.Slow != "" && sum.Slow == "" {
			sum.Slow = "shard " + j.Shard + ": " + j.now.Slow
		}
		undone, s.Verified = undone.Plus(j.Undone, j.Sums), s.Verified.Plus(j.Verified)
	}
	if !undone.At.IsZero() {
		s.Undone = &undone
	}
	if s.Phase == Finished && (len(s.Missing) > 0 || s.Mixed != "") {
		s.Phase = Stopped
	}
	if s.Mixed != "" {
		s.Verified = nil
	}
	if s.Sums = sum.Sums; s.Sums != nil {
		s.Total = s.Sums.Edges()
		s.Settled = s.Total - s.Sums.Pending()
		s.Percent = progress.Percent(s.Settled, s.Total)
	}
	if s.PerSecond = sum.Calls.PerSecond; s.Phase == Sending {
		s.Left = sum.Left
	}
	s.FailedBy = report.ByCode(failed)
	for i := range s.Shards {
		if j := &s.Shards[i]; !j.Running() {
			showUndone(&j.now, j.Undone)
		}
	}
	if s.now = sum; s.sharded() {
		if s.Phase == Stopped || s.Phase == Finished {
			showUndone(&s.now, s.Undone)
		}
		s.now.Doing = s.begun()
	} else {
		s.now = s.Shards[0].now
	}
}

// showUndone makes the snapshot of what no process works on show how far its undo is, if one has
// begun.
func showUndone(now *progress.Snapshot, u *report.Undone) {
	if u == nil {
		return
	}
	now.Doing = u.How()
	now.Settled, now.Total, now.Percent = u.Deleted, u.Edges, progress.Percent(u.Deleted, u.Edges)
}

func (s *Status) sharded() bool { return len(s.Shards) > 1 || s.Shards[0].Shard != "" }

// graver returns the phase of a job with one part in each of two phases: reading before sending
// before stopped before finished.
func graver(a, b string) string {
	for _, phase := range []string{Reading, Sending, Stopped, Finished} {
		if a == phase || b == phase {
			return phase
		}
	}
	return a
}
