package plan

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"friendmigrate/checkpoint"
	"friendmigrate/cmd/friendmigrate/folder"
)

// scratch is the folder in which the input is staged. Its lock is held while it is in use.
type scratch struct {
	dir     string
	staging string // in dir
	lock    *checkpoint.Lock
}

// staging is the name of the only thing in the folder, beside the lock, that is a plan's to remove.
const staging = "staging"

// newScratch makes a folder next to the state folder, on the volume that an import would use. Its
// name is the same each time, so that the next plan of this state, or Clean, finds and removes what
// a killed one left. The error is checkpoint.ErrLocked if another plan uses it.
func newScratch(state string) (*scratch, error) {
	dir, err := scratchDir(state)
	if err != nil {
		return nil, err
	}
	lock, err := checkpoint.TryLock(dir)
	switch {
	case errors.Is(err, checkpoint.ErrLocked):
		return nil, fmt.Errorf("a plan of this state is being made: %w", err)
	case err != nil:
		return nil, fmt.Errorf("make a folder beside %q to stage the input in: %w", state, err)
	}
	return &scratch{dir: dir, staging: filepath.Join(dir, staging), lock: lock}, nil
}

// Clean removes what a killed plan of this state staged, and reports whether it staged anything. The
// error is checkpoint.ErrLocked if a plan is being made.
func Clean(state string) (found bool, err error) {
	dir, err := scratchDir(state)
	if err != nil {
		return false, err
	}
	made, _ := checkpoint.LockFile(dir)
	if _, none := os.Stat(filepath.Join(dir, staging)); !made || none != nil {
		return false, nil
	}
	s, err := newScratch(state)
	if err != nil {
		return false, err
	}
	return true, s.remove()
}

func scratchDir(state string) (string, error) {
	state, err := filepath.Abs(state)
	if err != nil {
		return "", fmt.Errorf("find the state folder: %w", err)
	}
	return filepath.Join(existing(filepath.Dir(state)), filepath.Base(state)+".plan"), nil
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

func (s *scratch) remove() error {
	err := errors.Join(os.RemoveAll(s.staging), folder.Leave(s.dir), s.lock.Release())
	if err != nil {
		return fmt.Errorf("remove what was staged for the plan: %w", err)
	}
	return nil
}
