package checkpoint

import "time"

// RunStart is what is known when a run begins.
type RunStart struct {
	At      time.Time `json:"at"`
	Workers int       `json:"workers"`
	Version string    `json:"version"` // of the program

	OnlyMissing bool `json:"onlyMissing,omitempty"` // it asked first, and imported what was not there
}

// RunEnd is the account of a run that ended in order.
type RunEnd struct {
	At    time.Time `json:"at"`
	Code  int       `json:"code"` // exit code
	Calls int64     `json:"calls"`

	// AllAnswered: the run left no edge open that a call without an answer carried. Without it,
	// Open says that every chunk that the run touched may have been sent.
	AllAnswered bool             `json:"allAnswered"`
	Facts       map[string]int64 `json:"facts,omitempty"` // whatever else the report adds up over runs, by name
}

// Run is one run of the job. End is nil while it lasts, and for good if it was killed.
type Run struct {
	Start RunStart
	End   *RunEnd
}
