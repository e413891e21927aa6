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

// Version of the JSON form. It changes when a key changes its meaning or goes.
const Version = 1

// The phases of a command.
const (
	Starting = "starting" // before reading; progress.json does not exist yet
	Reading  = "reading"  // the input is read, checked and grouped; nothing is sent
	Sending  = "sending"  // calls leave: they import, ask or read, whatever the command does
	Ended    = "ended"
)

// Snapshot is where a command stands at one moment. The terminal, progress.json, /status, /metrics
// and the termination message are views of it.
type Snapshot struct {
	Version int       `json:"version"`
	At      time.Time `json:"at"`
	PID     int       `json:"pid"`

	// What the command fills in.
	Phase        string        `json:"phase"`
	Doing        string        `json:"doing,omitempty"` // Phase for people, where it has another word
	Did          string        `json:"did,omitempty"`   // imported for people, the same
	Input        *Input        `json:"input,omitempty"` // while reading
	*report.Sums               // nil: not known yet, or the command has none
	Failures     map[int]int64 `json:"failures,omitempty"` // failed edges of the job, by ResultCode
	Noun         string        `json:"noun,omitempty"`     // what Settled and Total count, "" for edge
	Settled      int64         `json:"settled"`            // of this job, or of its pilot (--only-accounts)
	Total        int64         `json:"total"`
	Note         string        `json:"note,omitempty"` // what else there is to say
	Done, ToGo   int64         `json:"-"`              // what takes the time, such as calls

	// What View adds.
	Percent float64  `json:"percent"` // of Settled in Total
	Calls   *Calls   `json:"calls,omitempty"`
	Left    *float64 `json:"leftSeconds,omitempty"`  // absent: cannot be told
	Slow    string   `json:"slow,omitempty"`         // why it is slower than asked for
	Few     int      `json:"accountsLeft,omitempty"` // where so few are left that calls cannot overlap as they could
	Stop    string   `json:"stop,omitempty"`         // how to stop at once what stops by itself; empty: it goes on
	Resting bool     `json:"resting,omitempty"`      // no more calls leave; lists and report are written
	Code    *int     `json:"code,omitempty"`         // exit code, when it has ended
	What    string   `json:"what,omitempty"`

	Drain time.Duration `json:"-"` // how long a call in flight takes at most

	// Counts for /metrics alone.
	Stats  sink.Stats       `json:"-"`
	Engine migrate.Snapshot `json:"-"`
}

// New is a snapshot of this process at a time.
func New(now time.Time, phase string) Snapshot {
	return Snapshot{Version: Version, At: now.UTC(), PID: os.Getpid(), Phase: phase}
}

// Input is how far the input is read.
type Input struct {
	Bytes int64 `json:"bytes"`
	Total int64 `json:"total"` // 0: not known, as of standard input
	Rows  int64 `json:"rows"`
}

// Calls is what this run sent, and how fast.
type Calls struct {
	Sent      int64   `json:"sent"`
	Retried   int64   `json:"retried"`
	Throttled int64   `json:"throttled"`
	Uncertain int64   `json:"uncertain"`
	InFlight  int64   `json:"inFlight"` // calls that left and have no answer yet
	Waiting   int     `json:"waiting"`  // accounts that wait to be tried again
	PerSecond float64 `json:"perSecond"`
	Asked     float64 `json:"asked"`   // calls per second that the run was given
	Pace      float64 `json:"pace"`    // calls per second that may leave now
	Reason    string  `json:"reason"`  // for Pace, as a word of Reasons
	Holding   bool    `json:"holding"` // nothing gets through
}

// The reasons for a pace that are not the client's.
const (
	ReasonNone    = "none"
	ReasonHold    = "hold"    // nothing gets through
	ReasonWaiting = "waiting" // all accounts that are left wait to be tried again
)

// Reasons lists the reasons for a pace.
func Reasons() []string {
	all := []string{ReasonNone, ReasonHold, ReasonWaiting}
	for _, cause := range sink.PaceCauses() {
		all = append(all, string(cause))
	}
	return all
}

// Percent is the share of done in total, cut to a tenth, so that it never says 100 too early. Of
// nothing, all is done.
func Percent(done, total int64) float64 {
	if done >= total {
		return 100
	}
	return min(99.9, math.Floor(1000*float64(done)/float64(total))/10)
}

// Plus is where two shards of a job stand together.
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
