package report

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"friendmigrate/cmd/friendmigrate/terminal"
)

// Verified is what a verify found. Edges is the sum of InPlace, Missing, Different, Failed and
// Pending; rejected rows are no edges.
type Verified struct {
	At      time.Time `json:"at"`
	How     string    `json:"how"` // friend_check or friend_get
	Edges   int64     `json:"edges"`
	InPlace int64     `json:"inPlace"`
	Unread  int64     `json:"fieldsUnread"` // of InPlace: --fields could not read them
	// the job counts them as in place, the service does not have them
	Missing   int64 `json:"missing"`
	Different int64 `json:"different"` // in place with other fields
	Failed    int64 `json:"failed"`    // in the job, before
	// of Failed: the service has them after all; absent: not asked
	There    *int64 `json:"failedButThere,omitempty"`
	Rejected int64  `json:"rejected"` // rows that were never sent
	// not sent by the job, not asked about, or without a verdict
	Pending int64 `json:"pending"`
	Unasked int64 `json:"unasked"` // of Pending: still to be asked about
	// of Missing: by the code that the service answers instead of yes or no
	MissingBy map[int]int64 `json:"missingByCode"`
	NoVerdict map[int]int64 `json:"noVerdict"` // of Pending: by a code that passes
	Sample    *Sample       `json:"sample,omitempty"`
	Lists     []string      `json:"lists"`
	Code      int           `json:"code"`
	What      string        `json:"what"`
	Hint      string        `json:"hint"`
}

// Sample says what a sample is worth.
type Sample struct {
	Drawn      int64   `json:"drawn"`
	Of         int64   `json:"of"`
	Seed       string  `json:"seed"`
	BadAtMost  float64 `json:"badAtMost"` // share of all
	Confidence float64 `json:"confidence"`
	Bound      string  `json:"bound"`
}

// String is what was found, in one line.
func (v *Verified) String() string {
	text := fmt.Sprintf("%s in place, %s missing, %s different", terminal.Count(v.InPlace), terminal.Count(v.Missing),
		terminal.Count(v.Different))
	for _, one := range []struct {
		n    int64
		what string
	}{{v.Failed, "failed before"}, {v.Rejected, "rejected"}, {v.Pending, "pending"}} {
		if one.n > 0 {
			text += fmt.Sprintf(", %s %s", terminal.Count(one.n), one.what)
		}
	}
	return text
}

// Read reads what WriteJSON wrote.
func Read(name string) (r Report, err error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(text, &r); err != nil {
		return r, fmt.Errorf("read %q: %w", name, err)
	}
	return r, nil
}
