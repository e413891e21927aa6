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
	if e.Missing > 0 {
		return fmt.Sprintf("the job in %q is not finished: %d of its shards have no state yet", e.Dir, e.Missing)
	}
	if e.Pending < 0 {
		return fmt.Sprintf("the job in %q is not finished: its input is not staged yet", e.Dir)
	}
	return fmt.Sprintf("the job in %q is not finished: %d of its edges are pending", e.Dir, e.Pending)
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

// remove removes the staged input below dir, and what a killed run left of rows beside its lists.
func (d *Done) remove(dir string) error {
	staged := filepath.Join(dir, Staged)
	before, err := sizes(staged)
	if err != nil {
		return err
	}
	if err := stage.Remove(staged, disk.OS{}); err != nil {
		return err
	}
	after, err := sizes(staged)
	if err != nil {
		return err
	}
	d.Files += len(before) - len(after)
	for name, size := range before {
		if _, stays := after[name]; !stays {
			d.Bytes += size
		}
	}
	if len(after) == 0 {
		if err := os.Remove(staged); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove the staged input: %w", err)
		}
	}
	return d.rest(dir)
}

// rest removes spooled rows and what a killed --fresh has left, and notes old states.
func (d *Done) rest(dir string) error {
	source.ForgetLists(disk.OS{}, dir)
	beside, err := sizes(dir)
	if err != nil {
		return err
	}
	for name, size := range beside {
		if !Spooled(name) {
			continue
		}
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("remove spooled rows: %w", err)
		}
		d.Files++
		d.Bytes += size
	}
	old, err := filepath.Glob(filepath.Join(quoted(dir), "old-*", Staged))
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

// sizes lists the files of a folder; one that is not there has none.
func sizes(dir string) (map[string]int64, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("look into the state folder: %w", err)
	}
	list := map[string]int64{}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			return nil, fmt.Errorf("look into the state folder: %w", err)
		}
		if !e.IsDir() {
			list[e.Name()] = info.Size()
		}
	}
	return list, nil
}
