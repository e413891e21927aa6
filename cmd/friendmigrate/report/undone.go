package report

import (
	"fmt"
	"time"

	"friendmigrate/cmd/friendmigrate/terminal"
)

// Undone is how far the undo of a job is.
type Undone struct {
	At      time.Time `json:"at"`    // it began
	Edges   int64     `json:"edges"` // that the job has imported
	Deleted int64     `json:"deleted"`
	Failed  int64     `json:"failed"`
	Pending int64     `json:"pending"`
}

func (u Undone) String() string {
	text := fmt.Sprintf("%s of %s deleted", terminal.Count(u.Deleted), terminal.IsAre(u.Edges, "imported edge"))
	if u.Failed > 0 {
		text += fmt.Sprintf(", %s failed", terminal.Count(u.Failed))
	}
	if u.Pending > 0 {
		text += fmt.Sprintf(", %s pending", terminal.Count(u.Pending))
	}
	return text
}
