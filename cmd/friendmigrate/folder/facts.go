package folder

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"path/filepath"
	"time"

	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/migrate/disk"
)

// Pace is what was set with friendmigrate pace. Its file is in the state folder, above those of
// shards.
type Pace struct {
	Rate   float64   `json:"rate"` // calls per second, all shards together; 0: as --rate says
	Paused bool      `json:"paused"`
	At     time.Time `json:"at"`
}

const paceFile = "pace.json"

// ReadPace returns the pace that is set in the state folder base, or the zero Pace.
func ReadPace(base string) (Pace, error) { return readFact[Pace](base, paceFile) }

// Write sets the pace of the commands that run on the state folder base.
func (p Pace) Write(fsys disk.FS, base string) error { return writeFact(fsys, base, paceFile, p) }

// String describes what is set; "" if nothing is.
func (p Pace) String() string {
	rate := settings.RateWords(p.Rate)
	switch {
	case p.Paused && p.Rate > 0:
		return "paused; after that " + rate
	case p.Paused:
		return "paused"
	case p.Rate > 0:
		return rate
	}
	return ""
}

// Probed is what doctor --probe has found out about an app, as evidence for undo. Its file is in
// the state folder, above those of shards.
type Probed struct {
	SDKAppID uint64    `json:"sdkAppID"`
	Target   string    `json:"target"`
	Already  bool      `json:"already"` // the app does not answer "imported" for friends that it had before
	At       time.Time `json:"at"`
}

const probedFile = "probe.json"

// ReadProbed returns what was found out, or the zero Probed.
func ReadProbed(base string) (Probed, error) { return readFact[Probed](base, probedFile) }

// Write writes what was found out into the state folder base.
func (p Probed) Write(fsys disk.FS, base string) error { return writeFact(fsys, base, probedFile, p) }

// readFact reads one of the small files in a state folder. v is zero if the file does not exist or
// cannot be read.
func readFact[T any](base, file string) (v T, err error) {
	v, err = disk.ReadJSON[T](filepath.Join(base, file))
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return v, err
}

func writeFact(fsys disk.FS, base, file string, v any) error {
	return disk.WriteShared(fsys, filepath.Join(base, file), func(w io.Writer) error {
		return json.NewEncoder(w).Encode(v)
	})
}
