package answers

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"sync"
	"syscall"
	"time"

	"friendmigrate/migrate/disk"
)

// memory is a disk in memory: in virtual time a real one would make every commit wait for its own
// fsync. It holds what the program itself writes and no more.
type memory struct {
	mu    sync.Mutex
	files map[string]*content
}

// content is a file's bytes, in pieces, so that a journal of hundreds of megabytes grows without
// being copied.
type content struct {
	mu     sync.RWMutex
	pieces [][]byte
	size   int64
}

const piece = 1 << 20

func newMemory() *memory { return &memory{files: map[string]*content{}} }

func (m *memory) OpenFile(name string, flag int, _ fs.FileMode) (disk.File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.files[name]
	if c == nil || flag&os.O_TRUNC != 0 {
		if c == nil && flag&os.O_CREATE == 0 {
			return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
		}
		c = &content{}
		m.files[name] = c
	}
	return &handle{name: name, content: c}, nil
}

func (m *memory) Rename(from, to string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.files[from] == nil {
		return &fs.PathError{Op: "rename", Path: from, Err: fs.ErrNotExist}
	}
	m.files[to] = m.files[from]
	delete(m.files, from)
	return nil
}

func (m *memory) Remove(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.files[name] == nil {
		return &fs.PathError{Op: "remove", Path: name, Err: fs.ErrNotExist}
	}
	delete(m.files, name)
	return nil
}

func (m *memory) MkdirAll(string, fs.FileMode) error { return nil }
func (m *memory) SyncDir(string) error               { return nil }

// handle is an open file. A handle belongs to one goroutine, but for ReadAt.
type handle struct {
	name string
	*content
	at int64
}

func (h *handle) Write(b []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for n := 0; n < len(b); {
		if int(h.at/piece) == len(h.pieces) {
			h.pieces = append(h.pieces, make([]byte, 0, 4<<10))
		}
		p, from := &h.pieces[h.at/piece], int(h.at%piece)
		part := b[n:min(len(b), n+piece-from)]
		if from > len(*p) {
			return n, errors.New("a gap")
		}
		*p = append((*p)[:from], append(part, (*p)[min(len(*p), from+len(part)):]...)...)
		n, h.at = n+len(part), h.at+int64(len(part))
	}
	h.size = max(h.size, h.at)
	return len(b), nil
}

func (h *handle) ReadAt(b []byte, at int64) (n int, err error) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	for n < len(b) && at < h.size {
		c := copy(b[n:], h.pieces[at/piece][at%piece:])
		n, at = n+c, at+int64(c)
	}
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

func (h *handle) Read(b []byte) (int, error) {
	n, err := h.ReadAt(b, h.at)
	h.at += int64(n)
	if n > 0 {
		err = nil
	}
	return n, err
}

func (h *handle) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += h.at
	case io.SeekEnd:
		offset += h.size
	}
	h.at = offset
	return offset, nil
}

func (h *handle) Name() string               { return h.name }
func (h *handle) Close() error               { return nil }
func (h *handle) Sync() error                { return nil }
func (h *handle) Truncate(int64) error       { return syscall.ENOTSUP }
func (h *handle) Stat() (fs.FileInfo, error) { return info(h.size), nil }

type info int64

func (i info) Name() string       { return "" }
func (i info) Size() int64        { return int64(i) }
func (i info) Mode() fs.FileMode  { return disk.FileMode }
func (i info) ModTime() time.Time { return time.Time{} }
func (i info) IsDir() bool        { return false }
func (i info) Sys() any           { return nil }
