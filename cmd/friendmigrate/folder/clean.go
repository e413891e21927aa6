package folder

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"friendmigrate/checkpoint"
	"friendmigrate/migrate/disk"
	"friendmigrate/source"
	"friendmigrate/source/stage"
)

// UnfinishedError says that a job still needs its staged input.
type UnfinishedError struct {
	Dir     string
	Pending int64 // edges; negative: it has not got so far that this is known
	Missing int   // shards that have no state yet
}

func (e *UnfinishedError) Error() string {
	what := fmt.Sprintf("%d of its edges are pending", e.Pending)
	switch {
	case e.Missing > 0:
		what = fmt.Sprintf("%d of its shards have no state yet", e.Missing)
	case e.Pending < 0:
		what = "its input is not staged yet"
	}
	return fmt.Sprintf("the job in %q is not finished: %s", e.Dir, what)
}

// Done says what was removed.
type Done struct {
	Files int
	Bytes int64
	Aside []string // states that were set aside and may hold staged input of their own
}

// Job removes the staged input of all places. The error is an *UnfinishedError, unless unfinished
// is set, or checkpoint.ErrLocked, or one of the file system.
func Job(places []Place, unfinished bool) (d Done, err error) {
	for _, p := range places {
		lock, err := checkpoint.TryLock(p.Dir)
		if err != nil {
			return d, err
		}
		defer lock.Release()
	}
	if !unfinished {
		if missing := NotBegun(places); len(missing) > 0 {
			return d, &UnfinishedError{Dir: filepath.Dir(places[0].Dir), Missing: len(missing)}
		}
		for _, p := range places {
			if err := finished(p.Dir); err != nil {
				return d, err
			}
			undo := filepath.Join(p.Dir, Undo)
			if begun, err := checkpoint.Exists(disk.OS{}, undo); err != nil || begun {
				if err = errors.Join(err, finished(undo)); err != nil {
					return d, err
				}
			}
		}
	}
	for _, p := range places {
		if err := d.remove(p.Dir); err != nil {
			return d, err
		}
	}
	return d, nil
}

// finished returns nil for a job without pending edges.
func finished(dir string) error {
	journal, err := checkpoint.Open(disk.OS{}, dir, checkpoint.Options{ReadOnly: true})
	if errors.Is(err, fs.ErrNotExist) {
		return &UnfinishedError{Dir: dir, Pending: -1}
	}
	if err != nil {
		return err
	}
	if pending := journal.Totals().Pending; pending > 0 {
		return errors.Join(&UnfinishedError{Dir: dir, Pending: pending}, journal.Close())
	}
	return journal.Close()
}

// remove removes the staged input below dir, what a killed run left of rows beside its lists and what
// a killed --fresh has left, and notes old states.
func (d *Done) remove(dir string) error {
	before, err := removable(dir)
	if err != nil {
		return err
	}
	staged := filepath.Join(dir, Staged)
	if err := stage.Remove(staged, disk.OS{}); err != nil {
		return err
	}
	_ = os.Remove(staged) // somebody else's files stay
	source.ForgetLists(disk.OS{}, dir)
	for name := range before {
		if filepath.Dir(name) != filepath.Clean(dir) {
			continue
		}
		if err := os.Remove(name); err != nil {
			return fmt.Errorf("remove spooled rows: %w", err)
		}
	}
	after, err := removable(dir)
	if err != nil {
		return err
	}
	for name, size := range before {
		if _, stays := after[name]; !stays {
			d.Files++
			d.Bytes += size
		}
	}
	old, err := filepath.Glob(filepath.Join(quoted(dir), setAside+"*", Staged))
	if err != nil {
		return fmt.Errorf("look for old states: %w", err)
	}
	for _, staged := range old {
		d.Aside = append(d.Aside, filepath.Dir(staged))
	}
	return errors.Join(Drop(dir), (disk.OS{}).SyncDir(dir))
}

// quoted makes a name one that a pattern takes as it is.
func quoted(name string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(name)
}

// removable are the files of the staged input and the spooled rows beside it, with their sizes.
func removable(dir string) (map[string]int64, error) {
	sizes := map[string]int64{}
	for _, folder := range []string{dir, filepath.Join(dir, Staged)} {
		entries, err := os.ReadDir(folder)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("look into the state folder: %w", err)
		}
		for _, e := range entries {
			if e.IsDir() || folder == dir && !Spooled(e.Name()) {
				continue
			}
			info, err := e.Info()
			if err != nil {
				return nil, fmt.Errorf("look into the state folder: %w", err)
			}
			sizes[filepath.Join(folder, e.Name())] = info.Size()
		}
	}
	return sizes, nil
}
