package folder

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
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
	name := filepath.Join(base, probedFile)
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return p, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &p)
	}
	if err != nil {
		return Probed{}, fmt.Errorf("read the result of doctor --probe from %q: %w", name, err)
	}
	return p, nil
}

// Write keeps what was found out in the state folder base.
func (p Probed) Write(fsys disk.FS, base string) error {
	return disk.WriteWhole(fsys, filepath.Join(base, probedFile), func(w io.Writer) error {
		return json.NewEncoder(w).Encode(p)
	})
}
