// Package disk is the only way by which staging, journal and lists access files, so that a test can
// make each operation fail or stop in the middle. It holds mechanism only: what a file means is up
// to its owner.
package disk

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// All files that the program writes hold personal data: only their owner may read them.
const (
	FileMode   fs.FileMode = 0o600
	FolderMode fs.FileMode = 0o700
)

// FS is the set of file operations that the durable steps of the program use.
type FS interface {
	OpenFile(name string, flag int, perm fs.FileMode) (File, error)
	Rename(oldName, newName string) error
	Remove(name string) error
	MkdirAll(name string, perm fs.FileMode) error
	SyncDir(name string) error // makes the folder's entries durable
}

// File is an open file. *os.File is one.
type File interface {
	io.Reader
	io.ReaderAt
	io.Writer
	io.Seeker
	io.Closer
	Name() string
	Stat() (fs.FileInfo, error)
	Sync() error
	Truncate(size int64) error
}

// OS is the real file system.
type OS struct{}

// OpenFile is os.OpenFile.
func (OS) OpenFile(name string, flag int, perm fs.FileMode) (File, error) {
	f, err := os.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return file(f), nil
}

// Rename is os.Rename.
func (OS) Rename(oldName, newName string) error { return os.Rename(oldName, newName) }

// Remove is os.Remove.
func (OS) Remove(name string) error { return os.Remove(name) }

// MkdirAll is os.MkdirAll.
func (OS) MkdirAll(name string, perm fs.FileMode) error { return os.MkdirAll(name, perm) }

// SyncDir opens the folder and syncs it.
func (OS) SyncDir(name string) error {
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	return cmp.Or(syncFolder(d), d.Close())
}

// Open opens a file for reading.
func Open(fsys FS, name string) (File, error) { return fsys.OpenFile(name, os.O_RDONLY, 0) }

// WriteWhole writes a file that appears whole or not at all. It writes a temporary file next to it,
// syncs that, renames it to the final name and syncs the folder. A crash before the rename leaves
// the old file and perhaps the temporary one, which the next WriteWhole of that name replaces.
func WriteWhole(fsys FS, name string, write func(io.Writer) error) error {
	return writeWhole(fsys, name, name+".tmp", write)
}

// WriteShared is WriteWhole for a file that several processes may write at once: the temporary file
// of each has a number of its own. One that a crash leaves stays.
func WriteShared(fsys FS, name string, write func(io.Writer) error) error {
	return writeWhole(fsys, name, fmt.Sprintf("%s.tmp%d", name, rand.Uint64()), write)
}

func writeWhole(fsys FS, name, temporary string, write func(io.Writer) error) error {
	f, err := fsys.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, FileMode)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 64<<10)
	err = cmp.Or(write(w), w.Flush(), f.Sync(), f.Close()) // the first failure is the cause of the others
	if err == nil {
		err = fsys.Rename(temporary, name)
	}
	if err != nil {
		_ = fsys.Remove(temporary)
		return fmt.Errorf("write %q: %w", name, err)
	}
	return fsys.SyncDir(filepath.Dir(name))
}

// ReadJSON reads a file that holds one value. After an error the value is zero.
func ReadJSON[T any](name string) (v T, err error) {
	text, err := os.ReadFile(name)
	if err == nil {
		err = json.Unmarshal(text, &v)
	}
	if err != nil {
		return *new(T), fmt.Errorf("read %q: %w", name, err)
	}
	return v, nil
}

// Wait returns what f returns, or the cause of ctx if ctx ends first. Opening or reading a named
// pipe waits in the kernel for a writer, and nothing in Go can interrupt that. f then keeps running
// until the process ends, so it must not touch anything that is used elsewhere.
func Wait[T any](ctx context.Context, f func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := f()
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		var none T
		return none, context.Cause(ctx)
	}
}
