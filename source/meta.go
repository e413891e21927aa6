package source

import (
	"encoding/json"
	"errors"
	"fmt"

	"friendmigrate/migrate/disk"
	"friendmigrate/source/stage"
)

// metaVersion is the version of Meta. With another version the input is staged again.
const metaVersion = 1

// Meta is stored in the manifest of a sealed stage. It is everything that a rerun needs to know
// about the inputs without reading their rows.
type Meta struct {
	Version int               `json:"version"`
	Options map[string]string `json:"options"` // Options.Canonical
	Shard   int               `json:"shard"`
	Shards  int               `json:"shards"`
	Counts  Counts            `json:"counts"`
}

// OpenStaged opens the sealed stage in dir and reads its Meta. The error is fs.ErrNotExist if there
// is no stage, and stage.ErrDamaged if it is damaged or of another version and must be made again
// from the input.
func OpenStaged(dir string, fsys disk.FS) (*stage.Stage, Meta, error) {
	s, err := stage.Open(dir, fsys)
	if err != nil {
		return nil, Meta{}, err
	}
	m, err := ReadMeta(s)
	if err != nil {
		return nil, Meta{}, errors.Join(fmt.Errorf("open %q: %w", dir, err), s.Close())
	}
	return s, m, nil
}

// ReadMeta reads the meta data that Unsealed.Seal stored. An error wraps stage.ErrDamaged.
func ReadMeta(s *stage.Stage) (Meta, error) {
	var m Meta
	if err := json.Unmarshal(s.Meta(), &m); err != nil {
		return Meta{}, fmt.Errorf("%w: manifest: %w", stage.ErrDamaged, err)
	}
	if m.Version != metaVersion {
		return Meta{}, fmt.Errorf("%w: it says of its inputs in version %d, and this friendmigrate reads version %d",
			stage.ErrDamaged, m.Version, metaVersion)
	}
	return m, nil
}

// UpdateInputs stores the inputs that Compare found, so that the next run need not read them again.
func UpdateInputs(s *stage.Stage, inputs []Input) error {
	m, err := ReadMeta(s)
	if err != nil {
		return err
	}
	m.Counts.Inputs = inputs
	raw, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return s.UpdateMeta(raw)
}
