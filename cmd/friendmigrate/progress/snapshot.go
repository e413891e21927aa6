package progress

import (
	"encoding/json"
	"io"
	"math"
	"os"
	"time"

	"friendmigrate/cmd/friendmigrate/report"
	"friendmigrate/migrate"
	"friendmigrate/sink"
)

// Version of the JSON form. It changes when a key changes its meaning or goes, so a key may be
// older than the name of its field.
const Version = 1

// The phases of a command.
const (
	Starting = "starting" // before reading; progress.json does not exist yet
	Reading  = "reading"  // the input is read, checked and grouped; nothing is sent
	Sending  = "sending"  // calls are sent, whatever the command does with them
	Ended    = "ended"
)

// Snapshot is the progress of a command at one moment. The terminal, progress.json, /status,
// /metrics and the termination message are views of it.
type Snapshot struct {
	Version int       `json:"version"`
	At      time.Time `json:"at"`
	PID     int       `json:"pid"`
	Clock   time.Time `json:"-"` // At, by a clock that nobody sets; zero if read from a file

	// What the command fills in.
	Phase        string        `json:"phase"`
	Doing        string        `json:"doing,omitempty"` // the word for Phase for people, if it is another one
	Did          string        `json:"did,omitempty"`   // the word for imported for people, if it is another one
	Input        *Input        `json:"input,omitempty"` // while reading
	*report.Sums               // nil: not known yet, or the command has none
	Failures     map[int]int64 `json:"failures,omitempty"` // failed edges of the job, by ResultCode
	Noun         string        `json:"noun,omitempty"`     // what Settled and Total count, "" for edge
	Settled      int64         `json:"settled"`            // in this job, or in its pilot (--only-accounts)
	Total        int64         `json:"total"`
	Note         string        `json:"note,omitempty"` // further text
	Done, ToGo   int64         `json:"-"`              // counts of what takes the time, such as calls

	// What View adds.
	Percent   float64  `json:"percent"` // of Settled in Total
	Calls     *Calls   `json:"calls,omitempty"`
	Left      *float64 `json:"leftSeconds,omitempty"`  // absent: not known
	Slow      string   `json:"slow,omitempty"`         // why it is slower than asked for
	Few       int      `json:"accountsLeft,omitempty"` // set if too few are left for calls to overlap fully
	Stop      string   `json:"stop,omitempty"`         // how to stop at once or learn why it stops; empty: it does not
	Finishing bool     `json:"resting,omitempty"`      // no more calls, lists are written; the key stays: see Version
	Code      *int     `json:"code,omitempty"`         // exit code, when it has ended
	What      string   `json:"what,omitempty"`
	Hint      string   `json:"hint,omitempty"` // the command to run next; only in progress.json
	Dir       string   `json:"dir,omitempty"`  // the working folder of that command

	Drain time.Duration `json:"-"` // longest time that a call in flight takes

	// Counts for /metrics alone.
	Stats  sink.Stats       `json:"-"`
	Engine migrate.Snapshot `json:"-"`
}

// WithHint returns the snapshot with the command to run next, from the working folder.
func (s Snapshot) WithHint(hint string) Snapshot {
	s.Hint = hint
	s.Dir, _ = os.Getwd() // without it, the command is shown as it is
	return s
}

// New returns a snapshot of this process at a time.
func New(now time.Time, phase string) Snapshot {
	return Snapshot{Version: Version, At: now.UTC(), Clock: now, PID: os.Getpid(), Phase: phase}
}

// Input is the progress of reading the input.
type Input struct {
	Bytes int64 `json:"bytes"`
	Total int64 `json:"total"` // 0: not known, as for standard input
	Rows  int64 `json:"rows"`
}

// Calls are the calls of this run and their speed.
type Calls struct {
	Sent      int64   `json:"sent"`
	Retried   int64   `json:"retried"`
	Throttled int64   `json:"throttled"`
	Uncertain int64   `json:"uncertain"`
	InFlight  int64   `json:"inFlight"` // calls sent but not answered yet
	Waiting   int     `json:"waiting"`  // accounts that wait to be tried again
	PerSecond float64 `json:"perSecond"`
	Asked     float64 `json:"asked"`   // calls per second of the run's settings
	Pace      float64 `json:"pace"`    // calls per second that may be sent now
	Reason    string  `json:"reason"`  // the reason for Pace, a word of Reasons
	Holding   bool    `json:"holding"` // nothing gets through
}

// The reasons for a pace that are not the client's.
const (
	ReasonNone    = "none"
	ReasonHold    = "hold"    // nothing gets through
	ReasonWaiting = "waiting" // all remaining accounts wait to be tried again
	ReasonHalving = "halving" // accounts wait for the search for the edges that are refused
)

// Reasons lists the reasons for a pace.
func Reasons() []string {
	all := []string{ReasonNone, ReasonHold, ReasonWaiting, ReasonHalving}
	for _, cause := range sink.PaceCauses() {
		all = append(all, string(cause))
	}
	return all
}

// Percent returns the share of done in total, rounded down to a tenth so that it is never 100 too
// early. It is 100 if total is 0.
func Percent(done, total int64) float64 {
	if done >= total {
		return 100
	}
	return min(99.9, math.Floor(1000*float64(done)/float64(total))/10)
}

// Plus returns the snapshot of two shards of a job together.
func (s Snapshot) Plus(b Snapshot) Snapshot {
	s.Sums, s.Failures = report.Plus(s.Sums, b.Sums), report.Plus(s.Failures, b.Failures)
	s.Settled, s.Total = s.Settled+b.Settled, s.Total+b.Total
	s.Percent = Percent(s.Settled, s.Total)
	if b.Left != nil && (s.Left == nil || *b.Left > *s.Left) {
		s.Left = b.Left
	}
	if s.Calls = report.Plus(s.Calls, b.Calls); b.Calls != nil && s.Calls != nil {
		s.Calls.PerSecond += b.Calls.PerSecond
	}
	return s
}

// WriteJSON writes the snapshot on one line.
func (s Snapshot) WriteJSON(w io.Writer) error { return json.NewEncoder(w).Encode(s) }
