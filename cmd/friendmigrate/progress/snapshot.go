package progress

import (
	"encoding/json"
	"io"
	"math"
	"os"
	"time"

	"friendmigrate/cmd/friendmigrate/report"
)

// Version of the JSON form.
const Version = 1

// The phases of a job.
const (
	Starting = "starting" // before reading; progress.json does not exist yet
	Reading  = "reading"  // the input is read, checked and grouped; nothing is sent
	Sending  = "sending"
	Ended    = "ended"
)

// Snapshot is where a job stands at one moment.
type Snapshot struct {
	Version         int       `json:"version"`
	At              time.Time `json:"at"`
	PID             int       `json:"pid"`
	Phase           string    `json:"phase"`
	Input           *Input    `json:"input,omitempty"` // while reading
	*report.Account           // from then on
	Settled         int64     `json:"settled"` // edges of this job, or of its pilot (--only-accounts)
	Total           int64     `json:"total"`
	Percent         float64   `json:"percent"` // of them
	Calls           *Calls    `json:"calls,omitempty"`
	Left            *float64  `json:"leftSeconds,omitempty"` // absent: cannot be told
	Slow            string    `json:"slow,omitempty"`        // why it is slower than asked for
	Short           string    `json:"-"`                     // the same in a few words, for behind a bar
	Code            *int      `json:"code,omitempty"`        // exit code, when it has ended
	What            string    `json:"what,omitempty"`
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

// Calls is what this run sent.
type Calls struct {
	Sent      int64   `json:"sent"`
	Retried   int64   `json:"retried"`
	Throttled int64   `json:"throttled"`
	Uncertain int64   `json:"uncertain"`
	InFlight  int     `json:"inFlight"`
	Waiting   int     `json:"waiting"` // rosters that wait out a backoff
	PerSecond float64 `json:"perSecond"`
	Pace      float64 `json:"pace"` // calls per second that may leave now
	Holding   bool    `json:"holding"`
}

// Percent is the share of done in total, cut to a tenth, so that it never says 100 too early. Of
// nothing, all is done.
func Percent(done, total int64) float64 {
	if done >= total {
		return 100
	}
	return min(99.9, math.Floor(1000*float64(done)/float64(total))/10)
}

// WriteJSON writes the snapshot on one line.
func (s Snapshot) WriteJSON(w io.Writer) error { return json.NewEncoder(w).Encode(s) }
