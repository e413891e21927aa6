package export

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"friendmigrate/migrate/disk"
)

// identity is what makes an export the same: the app, where it is, the accounts in their order, and
// the format.
type identity struct {
	SDKAppID uint64 `json:"sdkAppID"`
	Target   string `json:"target"`
	Accounts string `json:"accounts"` // digest of the file
	Format   string `json:"format"`
}

// ErrOther is the error of a destination that another export has begun.
var ErrOther = errors.New("the destination belongs to another export")

// ErrExists is the error of a destination that no export has begun.
var ErrExists = errors.New("the destination is there already")

// Position is how far an export is, in a file that is replaced whole.
type Position struct {
	Version int `json:"version"`
	identity
	Done     int64            `json:"accountsDone"`
	Rows     int64            `json:"rowBytes"`    // of the file that rows are written to
	Failures int64            `json:"failedBytes"` // of the list of failures
	Failed   int64            `json:"accountsFailed"`
	Short    int64            `json:"accountsShort,omitempty"` // of accountsFailed: exported, but FriendNum differs
	Edges    int64            `json:"edges"`
	Bare     int64            `json:"edgesWithoutAddSource"`
	Tags     map[string]bool  `json:"customFields"`                // and whether they are integers
	Other    map[string]int64 `json:"valuesNotExported,omitempty"` // by tag
	Finished bool             `json:"finished"`
}

const (
	positionVersion = 1
	positionName    = "position.json"
)

func newPosition(id identity) Position {
	return Position{Version: positionVersion, identity: id, Tags: map[string]bool{},
		Other: map[string]int64{}}
}

// Unread is how many accounts could not be read.
func (p *Position) Unread() int64 { return p.Failed - p.Short }

// readPosition reads how far an export is; fs.ErrNotExist if none has begun.
func readPosition(folder string) (p Position, err error) {
	name := filepath.Join(folder, positionName)
	content, err := os.ReadFile(name)
	if err != nil {
		return p, err
	}
	p = newPosition(identity{})
	p.Version = 0
	if err := json.Unmarshal(content, &p); err != nil {
		return p, fmt.Errorf("read %q: %w", name, err)
	}
	if p.Version != positionVersion {
		return p, fmt.Errorf("read %q: it is of version %d, which this program does not know", name, p.Version)
	}
	return p, nil
}

func (p *Position) write(fsys disk.FS, folder string) error {
	return disk.WriteWhole(fsys, filepath.Join(folder, positionName),
		func(w io.Writer) error { return json.NewEncoder(w).Encode(p) })
}

// take counts an entry.
func (p *Position) take(e *entry, csv bool) error {
	for tag, integer := range e.tags {
		if is, known := p.Tags[tag]; csv && known && is != integer {
			return mixed(tag)
		}
		p.Tags[tag] = p.Tags[tag] || integer
	}
	p.Done++
	p.Edges += e.edges
	p.Bare += e.bare
	for tag, n := range e.other {
		p.Other[tag] += n
	}
	if e.failed || e.short {
		p.Failed++
	}
	if e.short {
		p.Short++
	}
	return nil
}

// cutBack opens a file for going on at a length, or makes it.
func cutBack(fsys disk.FS, name string, length int64) (disk.File, error) {
	f, err := fsys.OpenFile(name, os.O_RDWR|os.O_CREATE, disk.FileMode)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && info.Size() < length {
		err = fmt.Errorf("%q has %d bytes, fewer than the %d that were written", name, info.Size(), length)
	}
	if err == nil {
		err = f.Truncate(length)
	}
	if err == nil {
		_, err = f.Seek(length, io.SeekStart)
	}
	if err == nil {
		err = fsys.SyncDir(filepath.Dir(name))
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
