package folder

import (
	"time"

	"friendmigrate/migrate/disk"
)

// Probed is what doctor --probe has found out about an app, as evidence for undo. Its file lies in
// the state folder, above those of shards.
type Probed struct {
	SDKAppID uint64    `json:"sdkAppID"`
	Target   string    `json:"target"`
	Already  bool      `json:"already"` // the app does not answer "imported" for friends that it had before
	At       time.Time `json:"at"`
}

const probedFile = "probe.json"

// ReadProbed reads what was found out; the zero Probed if nothing was.
func ReadProbed(base string) (p Probed, err error) {
	if err := readFact(base, probedFile, &p); err != nil {
		return Probed{}, err
	}
	return p, nil
}

// Write keeps what was found out in the state folder base.
func (p Probed) Write(fsys disk.FS, base string) error { return writeFact(fsys, base, probedFile, p) }
