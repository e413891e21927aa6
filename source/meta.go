package source

import (
	"encoding/json"
	"errors"
	"fmt"

	"friendmigrate/migrate/disk"
	"friendmigrate/source/stage"
)

// metaVersion is the version of Meta's form. Another one is not understood: the input is staged
// again.
const metaVersion = 1

// Meta lies in the manifest of a sealed stage: all that a rerun has to know about the inputs
// without reading a row of them.
type Meta struct {
	Version int               `json:"version"`
	Options map[string]string `json:"options"` // Options.Canonical
	Shard   int               `json:"shard"`
	Shards  int               `json:"shards"`
	Counts  Counts            `json:"counts"`
}

func newMeta(j Job, c Counts) Meta {
	return Meta{Version: metaVersion, Options: j.Options.Canonical(), Shard: j.Shard, Shards: j.Shards, Counts: c}
}

func (m Meta) encode() (json.RawMessage, error) {
	raw, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encode manifest: %w", err)
	}
	return raw, nil
}

// OpenStaged opens the sealed stage in dir with what it says of its inputs. The error is
// fs.ErrNotExist where there is none, and stage.ErrDamaged where one has to be made again from the
// input: it is damaged, or of another version.
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

// ReadMeta reads what Finish has stored. An error wraps stage.ErrDamaged.
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

// UpdateInputs stores what Compare found, so that the next run need not read contents again.
func UpdateInputs(s *stage.Stage, inputs []Input) error {
	m, err := ReadMeta(s)
	if err != nil {
		return err
	}
	m.Counts.Inputs = inputs
	raw, err := m.encode()
	if err != nil {
		return err
	}
	return s.UpdateMeta(raw)
}
