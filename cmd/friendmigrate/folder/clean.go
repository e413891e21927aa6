package folder

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"friendmigrate/checkpoint"
	"friendmigrate/cmd/friendmigrate/terminal"
	"friendmigrate/migrate/disk"
	"friendmigrate/source"
	"friendmigrate/source/stage"
)

// ErrUnfinished is wrapped by every error that says that a job still needs its staged input.
var ErrUnfinished = errors.New("not finished")

// Clean removes the staged input of all places. It returns the folders that had one, and the states
// that --fresh set aside and that may hold one of their own. The error is ErrUnfinished,
// checkpoint.ErrLocked, or one of the file system.
func Clean(places []Place) (cleaned, aside []string, err error) {
	for _, p := range places {
		lock, err := checkpoint.TryLock(p.Dir)
		if err != nil {
			return nil, nil, err
		}
		defer lock.Release()
	}
	if missing := NotBegun(places); len(missing) > 0 {
		return nil, nil, fmt.Errorf("the job in %q is %w: %s no state yet",
			filepath.Dir(places[0].Dir), ErrUnfinished, terminal.HasHave(int64(len(missing)), "shard"))
	}
	for _, p := range places {
		if err := finished(p.Dir, false); err != nil {
			return nil, nil, err
		}
		undo := filepath.Join(p.Dir, Undo)
		if begun, err := checkpoint.Exists(disk.OS{}, undo); err != nil || begun {
			if err = errors.Join(err, finished(undo, true)); err != nil {
				return nil, nil, err
			}
		}
	}
	for _, p := range places {
		if _, err := os.Stat(filepath.Join(p.Dir, Staged)); err == nil {
			cleaned = append(cleaned, p.Dir)
		}
		old, err := removeStaged(p.Dir)
		if aside = append(aside, old...); err != nil {
			return cleaned, aside, err
		}
	}
	return cleaned, aside, nil
}

// finished returns an error if the job has pending edges or no journal. An undo needs the staged
// input for its failed edges too: --retry-failed deletes them.
func finished(dir string, undo bool) error {
	journal, err := checkpoint.OpenReadOnly(disk.OS{}, dir)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the job in %q is %w: its input is not staged yet", dir, ErrUnfinished)
	}
	if err != nil {
		return err
	}
	switch t := journal.Totals(); {
	case t.Pending > 0:
		err = fmt.Errorf("the job in %q is %w: %s pending", dir, ErrUnfinished, terminal.IsAre(t.Pending, "edge"))
	case undo && t.Failed > 0:
		err = fmt.Errorf("the job in %q is %w: %s could not be deleted", dir, ErrUnfinished,
			terminal.Some(t.Failed, "edge"))
	}
	return errors.Join(err, journal.Close())
}

// removeStaged removes from dir the staged input, the rows that a killed run has spooled for its
// lists, and what a killed --fresh has left. It returns the old states that may have staged input.
// Files of others stay.
func removeStaged(dir string) (aside []string, err error) {
	staged := filepath.Join(dir, Staged)
	if err := stage.Remove(staged, disk.OS{}); err != nil {
		return nil, err
	}
	_ = os.Remove(staged)
	source.ForgetLists(disk.OS{}, dir)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("look into the state folder: %w", err)
	}
	for _, e := range entries {
		old := filepath.Join(dir, e.Name())
		if leftOver(e.Name()) {
			err = errors.Join(err, os.Remove(old))
		}
		if _, none := os.Stat(filepath.Join(old, Staged)); none == nil && strings.HasPrefix(e.Name(), setAside) {
			aside = append(aside, old)
		}
	}
	return aside, errors.Join(err, Drop(dir), (disk.OS{}).SyncDir(dir))
}
