package stage

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"sync"
	"syscall"
	"time"

	"friendmigrate/migrate/disk"
)

// memory is a file system in memory, on which operations can be made to fail.
type memory struct {
	mu    sync.Mutex
	files map[string]*content

	// fault is asked before every operation (open create write read sync rename remove syncdir
	// close stat); its error is what the operation returns. A write that fails leaves half of what
	// it should have written.
	fault func(op, name string) error
}

type content struct {
	data   []byte
	synced bool // all of data was written before the last sync
}

func newMemory() *memory { return &memory{files: map[string]*content{}} }

func (m *memory) check(op, name string) error {
	if m.fault == nil {
		return nil
	}
	return m.fault(op, path.Base(name))
}

func (m *memory) names() (names []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for name := range m.files {
		names = append(names, path.Base(name))
	}
	return names
}

func (m *memory) OpenFile(name string, flag int, _ fs.FileMode) (disk.File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	op := "open"
	if flag&os.O_CREATE != 0 {
		op = "create"
	}
	if err := m.check(op, name); err != nil {
		return nil, err
	}
	c := m.files[name]
	if c == nil {
		if flag&os.O_CREATE == 0 {
			return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
		}
		c = &content{}
		m.files[name] = c
	}
	if flag&os.O_TRUNC != 0 {
		c.data, c.synced = nil, false
	}
	return &handle{m: m, name: name, c: c}, nil
}

func (m *memory) Rename(from, to string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.check("rename", from); err != nil {
		return err
	}
	if m.files[from] == nil {
		return fs.ErrNotExist
	}
	m.files[to] = m.files[from]
	delete(m.files, from)
	return nil
}

func (m *memory) Remove(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.check("remove", name); err != nil {
		return err
	}
	if m.files[name] == nil {
		return fs.ErrNotExist
	}
	delete(m.files, name)
	return nil
}

func (m *memory) MkdirAll(name string, _ fs.FileMode) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.check("mkdir", name)
}

func (m *memory) SyncDir(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.check("syncdir", name)
}

// handle is an open file; everything is written at the end.
type handle struct {
	m      *memory
	name   string
	c      *content
	off    int64
	closed bool
}

func (h *handle) Write(b []byte) (int, error) {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	h.c.synced = false
	if err := h.m.check("write", h.name); err != nil {
		h.c.data = append(h.c.data, b[:len(b)/2]...)
		return len(b) / 2, err
	}
	h.c.data = append(h.c.data, b...)
	return len(b), nil
}

func (h *handle) ReadAt(b []byte, off int64) (int, error) {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	if h.closed {
		return 0, os.ErrClosed
	}
	if err := h.m.check("read", h.name); err != nil {
		return 0, err
	}
	n := 0
	if off < int64(len(h.c.data)) {
		n = copy(b, h.c.data[off:])
	}
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

func (h *handle) Read(b []byte) (int, error) {
	n, err := h.ReadAt(b, h.off)
	h.off += int64(n)
	if n > 0 && errors.Is(err, io.EOF) {
		err = nil
	}
	return n, err
}

func (h *handle) Sync() error {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	if err := h.m.check("sync", h.name); err != nil {
		return err
	}
	h.c.synced = true
	return nil
}

func (h *handle) Close() error {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	h.closed = true
	return h.m.check("close", h.name)
}

func (h *handle) Stat() (fs.FileInfo, error) {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	return stat(len(h.c.data)), h.m.check("stat", h.name)
}

func (h *handle) Name() string                   { return h.name }
func (h *handle) Seek(int64, int) (int64, error) { return 0, syscall.ENOTSUP }
func (h *handle) Truncate(int64) error           { return syscall.ENOTSUP }

type stat int64

func (s stat) Name() string       { return "" }
func (s stat) Size() int64        { return int64(s) }
func (s stat) Mode() fs.FileMode  { return disk.FileMode }
func (s stat) ModTime() time.Time { return time.Time{} }
func (s stat) IsDir() bool        { return false }
func (s stat) Sys() any           { return nil }

// raw lists the partitions among names.
func raw(names []string) (list []string) {
	for _, n := range names {
		if strings.HasPrefix(n, rawPrefix) {
			list = append(list, n)
		}
	}
	return list
}
