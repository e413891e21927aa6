package checkpoint

import (
	"errors"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"friendmigrate/migrate/disk"
)

// memFS is a file system in memory that knows what is durable and what is not, counts its
// operations, and does to each what the test wants.
type memFS struct {
	mu      sync.Mutex
	names   map[string]*inode // as a process sees them
	durable map[string]*inode // as they are after a power cut, if their folder is
	folders map[string]bool   // whether the folder is durable
	ops     int
	syncs   int
	deaf    bool                            // syncs do nothing and say nothing
	fault   func(op int, name string) fault // nil: none
}

type inode struct {
	data   []byte // as a process sees it
	synced []byte // on the platter for certain
	same   int    // so many bytes of the two are the same for certain
}

// fault is what happens to an operation.
type fault int

const (
	works       fault = iota
	refuses           // an error, nothing done
	halfDone          // a write stops half-way, with an error; other operations are done and report an error
	shortSilent       // a write stops half-way without an error; other operations work
)

var errFault = errors.New("no space left on this test")

func newMemFS() *memFS {
	return &memFS{names: map[string]*inode{}, durable: map[string]*inode{}, folders: map[string]bool{".": true}}
}

// meets counts an operation and says what happens to it.
func (m *memFS) meets(name string) fault {
	op := m.ops
	m.ops++
	if m.fault == nil {
		return works
	}
	return m.fault(op, name)
}

// do runs an operation that is done wholly or not at all.
func (m *memFS) do(name string, act func() error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch m.meets(name) {
	case refuses:
		return errFault
	case halfDone:
		return errors.Join(act(), errFault)
	}
	return act()
}

func (m *memFS) OpenFile(name string, flag int, _ fs.FileMode) (disk.File, error) {
	var node *inode
	err := m.do("open", func() error {
		var ok bool
		if node, ok = m.names[name]; !ok && flag&os.O_CREATE == 0 {
			return &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
		} else if !ok {
			node = &inode{}
			m.names[name] = node
		}
		if flag&os.O_TRUNC != 0 {
			node.data, node.same = nil, 0
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &memFile{fs: m, node: node, name: name}, nil
}

func (m *memFS) Rename(from, to string) error {
	return m.do("rename", func() error {
		m.names[to] = m.names[from]
		delete(m.names, from)
		return nil
	})
}

func (m *memFS) Remove(name string) error {
	return m.do("remove", func() error {
		delete(m.names, name)
		return nil
	})
}

func (m *memFS) MkdirAll(name string, _ fs.FileMode) error {
	return m.do("mkdir", func() error {
		for ; name != "."; name = filepath.Dir(name) {
			if !m.folders[name] {
				m.folders[name] = false // known now
			}
		}
		return nil
	})
}

func (m *memFS) SyncDir(dir string) error {
	return m.do("syncdir", func() error {
		for name := range m.folders {
			if filepath.Dir(name) == dir {
				m.folders[name] = true
			}
		}
		for name := range m.durable {
			if _, ok := m.names[name]; filepath.Dir(name) == dir && !ok {
				delete(m.durable, name)
			}
		}
		for name, node := range m.names {
			if filepath.Dir(name) == dir {
				m.durable[name] = node
			}
		}
		return nil
	})
}

// restart returns the file system as a new process finds it after a kill -9 of the old one.
func (m *memFS) restart() *memFS {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := newMemFS()
	copies := map[*inode]*inode{}
	clone := func(node *inode) *inode {
		if copies[node] == nil {
			copies[node] = &inode{data: slices.Clone(node.data), synced: slices.Clone(node.synced), same: node.same}
		}
		return copies[node]
	}
	for name, node := range m.names {
		n.names[name] = clone(node)
	}
	for name, node := range m.durable {
		n.durable[name] = clone(node)
	}
	n.folders = maps.Clone(m.folders)
	return n
}

// reachable reports whether all folders that lead to the file are durable.
func (m *memFS) reachable(name string) bool {
	for name != "." {
		if name = filepath.Dir(name); !m.folders[name] {
			return false
		}
	}
	return true
}

// powerCut returns the file system as the machine finds it when it is up again: of what was not
// synced each sector may be there, or be zero.
func (m *memFS) powerCut(rng *rand.Rand) *memFS {
	const sector = 64 // small, as the journals of these tests are
	n := m.restart()
	n.names = map[string]*inode{}
	for name, node := range n.durable {
		if !n.reachable(name) {
			continue
		}
		size := len(node.synced)
		if len(node.data) != size && rng.IntN(2) == 0 {
			size = min(len(node.data), len(node.synced)+rng.IntN(len(node.data)+1))
		}
		after := make([]byte, size)
		copy(after, node.synced)
		for at := 0; at < size; at += sector {
			if end := min(at+sector, size); rng.IntN(2) == 0 && at < len(node.data) {
				copy(after[at:end], node.data[at:min(end, len(node.data))])
			}
		}
		n.names[name] = &inode{data: after, synced: slices.Clone(after)}
	}
	n.durable = map[string]*inode{}
	for name, node := range n.names {
		n.durable[name] = node
	}
	return n
}

// content is the file as a process sees it; put replaces it.
func (m *memFS) content(name string) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.names[name] == nil {
		return nil
	}
	return slices.Clone(m.names[name].data)
}

func (m *memFS) put(name string, data []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	node := &inode{data: slices.Clone(data), synced: slices.Clone(data)}
	m.names[name], m.durable[name] = node, node
	for dir := filepath.Dir(name); dir != "."; dir = filepath.Dir(dir) {
		m.folders[dir] = true
	}
}

func (m *memFS) opCount() (ops, syncs int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.ops, m.syncs
}

type memFile struct {
	fs   *memFS
	node *inode
	name string
	at   int64
}

func (f *memFile) Name() string { return f.name }

func (f *memFile) ReadAt(b []byte, off int64) (n int, err error) {
	err = f.fs.do("read", func() error {
		if off < int64(len(f.node.data)) {
			n = copy(b, f.node.data[off:])
		}
		if n < len(b) {
			return io.EOF
		}
		return nil
	})
	return n, err
}

func (f *memFile) Read(b []byte) (int, error) {
	n, err := f.ReadAt(b, f.at)
	f.at += int64(n)
	if n > 0 && err == io.EOF {
		err = nil
	}
	return n, err
}

func (f *memFile) Write(b []byte) (int, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	n, err := len(b), error(nil)
	switch f.fs.meets("write") {
	case refuses:
		return 0, errFault
	case halfDone:
		n, err = n/2, errFault
	case shortSilent:
		n = n / 2
	}
	if grow := f.at + int64(n) - int64(len(f.node.data)); grow > 0 {
		f.node.data = append(f.node.data, make([]byte, grow)...)
	}
	copy(f.node.data[f.at:], b[:n])
	f.node.same = min(f.node.same, int(f.at))
	f.at += int64(n)
	return n, err
}

func (f *memFile) Seek(off int64, whence int) (int64, error) {
	err := f.fs.do("seek", func() error {
		if whence != io.SeekStart {
			return errors.New("the test knows no other way")
		}
		f.at = off
		return nil
	})
	return f.at, err
}

func (f *memFile) Truncate(size int64) error {
	return f.fs.do("truncate", func() error {
		f.node.data = f.node.data[:min(size, int64(len(f.node.data)))]
		f.node.same = min(f.node.same, int(size))
		return nil
	})
}

func (f *memFile) Sync() error {
	return f.fs.do("sync", func() error {
		f.fs.syncs++
		if f.fs.deaf {
			return nil
		}
		f.node.synced = append(f.node.synced[:f.node.same], f.node.data[f.node.same:]...)
		f.node.same = len(f.node.data)
		return nil
	})
}

func (f *memFile) Stat() (info fs.FileInfo, err error) {
	err = f.fs.do("stat", func() error {
		info = memInfo(len(f.node.data))
		return nil
	})
	return info, err
}

func (f *memFile) Close() error { return f.fs.do("close", func() error { return nil }) }

type memInfo int64

func (i memInfo) Size() int64      { return int64(i) }
func (memInfo) Name() string       { return FileName }
func (memInfo) Mode() fs.FileMode  { return disk.FileMode }
func (memInfo) ModTime() time.Time { return time.Time{} }
func (memInfo) IsDir() bool        { return false }
func (memInfo) Sys() any           { return nil }
