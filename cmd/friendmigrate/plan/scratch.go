package plan

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"friendmigrate/checkpoint"
	"friendmigrate/migrate/disk"
	"friendmigrate/source"
)

// scratchMark stands between the name of the state folder and a random number.
const scratchMark = ".plan-"

// scratch is the folder in which the input is staged. While it is in use a lock in it says so.
type scratch struct {
	dir   string
	lock  *checkpoint.Lock // nil where the volume gives no locks
	files *meter
}

// newScratch makes a folder beside the state folder, on the volume that an import would use, and
// removes what killed plans left there. Where nothing can be made beside it (the state folder is
// the only volume of a container, say) it is made inside.
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

// existing is the folder itself or the next one above it that is there.
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
			continue // another plan takes it for left behind, and removes it
		}
		return &scratch{dir: dir, lock: lock, files: &meter{sizes: map[string]int64{}}}, nil
	}
}

// removeLeft removes the folders of plans that were killed: nobody holds their locks. Anything else
// of such a name stays: it has no lock of ours.
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
			_ = os.Remove(dir) // it goes if it is empty
		} else if lock, err := checkpoint.TryLock(dir); err == nil {
			_ = os.RemoveAll(dir) // what can't be removed harms nobody here
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

// disk says what the staged input takes, and what staging it took.
func (j *job) disk() (d Disk, err error) {
	entries, err := os.ReadDir(filepath.Join(j.dir, source.StageFolder))
	if err != nil {
		return d, fmt.Errorf("look at the staged input: %w", err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			return d, fmt.Errorf("look at the staged input: %w", err)
		}
		d.Staged += info.Size()
	}
	if j.scratch != nil {
		peak := j.scratch.files.peak()
		d.Peak = &peak
	}
	return d, nil
}

// meter is the real file system, but for syncs, which would be for nothing: what lies there is gone
// when the plan is made. It adds up how much lies there.
type meter struct {
	disk.OS
	mu    sync.Mutex // guards what follows
	sizes map[string]int64
	sum   int64
	most  int64
}

func (m *meter) peak() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.most
}

// grow notes what was written to a file or, with less than 0, that it is gone.
func (m *meter) grow(name string, n int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if n < 0 {
		n = -m.sizes[name]
	}
	m.sizes[name] += n
	m.sum += n
	m.most = max(m.most, m.sum)
}

// OpenFile opens a file whose writes are added up.
func (m *meter) OpenFile(name string, flag int, perm fs.FileMode) (disk.File, error) {
	f, err := m.OS.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return &metered{File: f, meter: m, name: name}, nil
}

// Remove removes a file and what was added up for it.
func (m *meter) Remove(name string) error {
	err := m.OS.Remove(name)
	if err == nil {
		m.grow(name, -1)
	}
	return err
}

// Rename gives a file another name.
func (m *meter) Rename(oldName, newName string) error {
	err := m.OS.Rename(oldName, newName)
	if err == nil {
		m.mu.Lock()
		m.sum -= m.sizes[newName]
		m.sizes[newName] = m.sizes[oldName]
		delete(m.sizes, oldName)
		m.mu.Unlock()
	}
	return err
}

// SyncDir does nothing.
func (*meter) SyncDir(string) error { return nil }

type metered struct {
	disk.File
	meter *meter
	name  string
}

func (f *metered) Write(b []byte) (int, error) {
	n, err := f.File.Write(b)
	f.meter.grow(f.name, int64(n))
	return n, err
}

// Sync does nothing.
func (*metered) Sync() error { return nil }
