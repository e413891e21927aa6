package plan

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"friendmigrate/checkpoint"
)

// scratchMark stands between the name of the state folder and a random number.
const scratchMark = ".plan-"

// scratch is the folder in which the input is staged. A lock in it is held while it is in use.
type scratch struct {
	dir  string
	lock *checkpoint.Lock // nil if the volume has no locks
}

// newScratch makes a folder next to the state folder, on the volume that an import would use, and
// removes what killed plans left there. If nothing can be made next to it (for example because the
// state folder is the only volume of a container), the folder is made inside it.
func newScratch(state string) (*scratch, error) {
	state, err := filepath.Abs(state)
	if err != nil {
		return nil, fmt.Errorf("find the state folder: %w", err)
	}
	prefix := filepath.Base(state) + scratchMark
	s, err := scratchIn(existing(filepath.Dir(state)), prefix)
	if info, statErr := os.Stat(state); err != nil && statErr == nil && info.IsDir() {
		s, err = scratchIn(state, prefix)
	}
	if err != nil {
		return nil, fmt.Errorf("make a folder beside %q to stage the input in: %w", state, err)
	}
	return s, nil
}

// existing returns the folder itself or the nearest parent that exists.
func existing(dir string) string {
	for {
		if _, err := os.Stat(dir); err == nil || filepath.Dir(dir) == dir {
			return dir
		}
		dir = filepath.Dir(dir)
	}
}

func scratchIn(parent, prefix string) (*scratch, error) {
	removeLeft(parent, prefix)
	for {
		dir, err := os.MkdirTemp(parent, prefix+"*")
		if err != nil {
			return nil, err
		}
		lock, err := checkpoint.TryLock(dir)
		if errors.Is(err, checkpoint.ErrLocked) {
			continue // another plan takes it for a leftover and removes it
		}
		return &scratch{dir: dir, lock: lock}, nil
	}
}

// removeLeft removes the folders of killed plans, whose locks no process holds. Anything else with
// such a name has no lock of ours and remains.
func removeLeft(parent, prefix string) {
	entries, err := os.ReadDir(parent)
	if err != nil {
		return
	}
	for _, e := range entries {
		random, found := strings.CutPrefix(e.Name(), prefix)
		dir := filepath.Join(parent, e.Name())
		if !found || !e.IsDir() || strings.Trim(random, "0123456789") != "" {
			continue
		}
		if made, err := checkpoint.LockFile(dir); !made || err != nil {
			_ = os.Remove(dir) // succeeds only if it is empty
		} else if lock, err := checkpoint.TryLock(dir); err == nil {
			_ = os.RemoveAll(dir) // what cannot be removed does no harm here
			_ = lock.Release()
		}
	}
}

func (s *scratch) remove() error {
	err := os.RemoveAll(s.dir)
	if s.lock != nil {
		err = errors.Join(err, s.lock.Release())
	}
	if err != nil {
		return fmt.Errorf("remove what was staged for the plan: %w", err)
	}
	return nil
}
