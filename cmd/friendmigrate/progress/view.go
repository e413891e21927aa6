package progress

import (
	"os"
	"sync"
	"time"

	"friendmigrate/cmd/friendmigrate/report"
	"friendmigrate/migrate"
	"friendmigrate/sink"
)

// Facts is what the metrics of a run are made of.
type Facts struct {
	Account  *report.Account // nil: not known yet, or the command has none
	FailedBy map[int]int64   // edges by ResultCode
	Stats    sink.Stats
	Pace     *sink.Pace // nil: there is no client yet
	Engine   migrate.Snapshot
}

// View is what others can see of a run at present. It is safe for concurrent use. The run tells it
// where it stands; whoever watches asks it. New makes one.
type View struct {
	metrics *metrics

	mu        sync.Mutex // guards what follows; nothing is waited for under it
	job       Job
	last      Snapshot
	live      func() Facts
	ready     string // why it is not ready; "": it is
	heartbeat heartbeat
	code      int // when it has ended
	hasEnded  bool
}

// Job says what runs, for labels.
type Job struct {
	Command string
	Shard   string // i/n; "": none
	Version string
}

// New makes a view of a run that is about to begin.
func NewView() *View {
	s := &View{ready: "starting", last: Snapshot{Version: Version, At: time.Now().UTC(),
		PID: os.Getpid(), Phase: Starting}}
	s.metrics = newMetrics(s)
	return s
}

// Begin says what it is that runs.
func (s *View) Begin(j Job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.job = j
}

// Show takes in where the run stands: each second, while it goes on.
func (s *View) Show(now Snapshot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hasEnded {
		return
	}
	s.last = now
	s.heartbeat.show(now)
	if now.Phase == Reading {
		s.ready = "reading the input"
	}
}

// Follow takes in where the facts come from. It is called without a lock, at every scrape, until
// the end.
func (s *View) Follow(facts func() Facts) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.live = facts
}

// Sending says that calls are about to leave, or that there are none to be sent.
func (s *View) Sending() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ready = ""
	if s.last.Phase != Sending {
		s.last = Snapshot{Version: s.last.Version, At: time.Now().UTC(), PID: s.last.PID,
			Phase: Sending, Account: s.last.Account}
	}
}

// Closing says that no more calls leave and that the lists are written, during which nobody shows
// anything.
func (s *View) Closing() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heartbeat.closing = time.Now()
}

// End is the last word: from here on everything stays as it is, but for a code that changes since
// something could not be closed. The snapshot of an ending that was not foreseen is made here.
func (s *View) End(code int, what string) {
	facts := s.facts()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hasEnded && s.code == code {
		return
	}
	if s.last.Phase != Ended {
		s.last.Phase, s.last.At, s.last.Calls, s.last.Left, s.last.Slow = Ended, time.Now().UTC(), nil, nil, ""
		if s.last.Account == nil {
			s.last.Account = facts.Account
		}
		if a := s.last.Account; a != nil && s.last.Total == 0 { // it ended before it was shown what it is about
			s.last.Settled, s.last.Total = a.Edges()-a.Pending(), a.Edges()
			s.last.Percent = Percent(s.last.Settled, s.last.Total)
		}
	}
	s.last.Code, s.last.What = &code, what
	s.code, s.hasEnded = code, true
	s.live = func() Facts { return facts }
	if s.ready != "" {
		s.ready = "ended before anything was sent"
	}
}

// facts asks for the facts, without holding the lock.
func (s *View) facts() Facts {
	s.mu.Lock()
	live := s.live
	s.mu.Unlock()
	if live == nil {
		return Facts{}
	}
	return live()
}

// Snapshot is the last that was shown.
func (s *View) Snapshot() Snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}

// Ready returns why the run is not ready yet; "" means that it is.
func (s *View) Ready() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ready
}

// Health returns what looks as if the run were stuck; "" means that nothing does.
func (s *View) Health(now time.Time) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hasEnded {
		return ""
	}
	return s.heartbeat.health(now)
}

// ended reports whether the run has ended, and its exit code.
func (s *View) ended() (code int, ended bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.code, s.hasEnded
}

// Counts is what is known of the job's edges (nil: nothing) and of the calls of this run (nil:
// nothing). It waits for nobody.
func (s *View) Counts() (account *report.Account, calls *int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last.Calls != nil {
		calls = &s.last.Calls.Sent
	}
	if s.hasEnded {
		if f := s.live(); f.Pace != nil { // what was kept at the end
			calls = &f.Stats.Attempts
		}
	}
	return s.last.Account, calls
}

// Job is what runs.
func (s *View) Job() Job {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.job
}
