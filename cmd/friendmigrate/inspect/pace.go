package inspect

import (
	"fmt"
	"math"
	"time"

	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/terminal"
)

// Pace returns the pace that is set for the job in base, and how fast its running processes may
// send, in words.
func Pace(base string, now folder.Pace) string {
	text := "set: " + now.String()
	if now.String() == "" {
		text = "set: nothing, so --rate holds"
	}
	running, err := folder.Running(base)
	switch {
	case err != nil: // a folder that cannot be written to has no lock that could be tried
		return text + "\nwhether a run is on cannot be seen: " + err.Error()
	case !running:
		return text + "\nno run is on; the next one obeys"
	case now.Paused:
		return text + "\nno call leaves within 2 seconds from now; those under way are seen through"
	}
	text += "\nthe run obeys within 2 seconds"
	if s, err := ReadStatus(base, time.Now(), true); err == nil && s.PerSecond > 0 {
		text += fmt.Sprintf("; it sends %s per second now", terminal.Some(int64(math.Round(s.PerSecond)), "call"))
	}
	return text
}
