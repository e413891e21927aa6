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

// newScratch makes a folder next to the state folder, on the volume that an import would use. If
// nothing can be made next to it (for example because the state folder is the only volume of a
// container), the folder is made inside it. Its name is the same each time, so that the next plan of
// this state, or Clean, finds and removes what a killed one left. The error is checkpoint.ErrLocked
// if another plan uses it.
func newScratch(state string) (*scratch, error) {
	beside, inside, err := scratchDirs(state)
	if err != nil {
		return nil, err
	}
	s, err := scratchIn(beside)
	info, statErr := os.Stat(state)
	if err != nil && !errors.Is(err, checkpoint.ErrLocked) && statErr == nil && info.IsDir() {
		s, err = scratchIn(inside)
	}
	if err != nil && !errors.Is(err, checkpoint.ErrLocked) {
		return nil, fmt.Errorf("make a folder beside %q to stage the input in: %w", state, err)
	}
	return s, err
}

// Clean removes what a killed plan of this state staged, and reports whether it staged anything. The
// error is checkpoint.ErrLocked if a plan is being made.
func Clean(state string) (found bool, err error) {
	beside, inside, err := scratchDirs(state)
	if err != nil {
		return false, err
	}
	for _, dir := range []string{beside, inside} {
		made, _ := checkpoint.LockFile(dir)
		if _, none := os.Stat(filepath.Join(dir, staging)); !made || none != nil {
			continue
		}
		s, err := scratchIn(dir)
		if err == nil {
			found, err = true, s.remove()
		}
		if err != nil {
			return found, err
		}
	}
	return found, nil
}

func scratchDirs(state string) (beside, inside string, err error) {
	state, err = filepath.Abs(state)
	if err != nil {
		return "", "", fmt.Errorf("find the state folder: %w", err)
	}
	name := filepath.Base(state) + ".plan"
	return filepath.Join(existing(filepath.Dir(state)), name), filepath.Join(state, name), nil
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

func scratchIn(dir string) (*scratch, error) {
	made, err := checkpoint.LockFile(dir)
	if names, _ := os.ReadDir(dir); err == nil && !made && len(names) > 0 {
		err = fmt.Errorf("%q is there, and no plan has made it", dir)
	}
	if err != nil { // something of others would be overwritten or removed
		return nil, err
	}
	lock, err := checkpoint.TryLock(dir)
	if errors.Is(err, checkpoint.ErrLocked) {
		err = fmt.Errorf("a plan of this state is being made: %w", err)
	}
	if err != nil {
		return nil, err
	}
	return &scratch{dir: dir, staging: filepath.Join(dir, staging), lock: lock}, nil
}

func (s *scratch) remove() error {
	err := errors.Join(os.RemoveAll(s.staging), folder.Leave(s.dir), s.lock.Release())
	if err != nil {
		return fmt.Errorf("remove what was staged for the plan: %w", err)
	}
	return nil
}
