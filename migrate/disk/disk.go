// Package disk is the one narrow seam through which staging, journal and lists touch files, so that
// a test can fail or cut each operation in turn. It holds mechanism only: what a file means is its
// owner's.
package disk

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Everything that is written holds personal data: only its owner may read it.
const (
	FileMode   fs.FileMode = 0o600
	FolderMode fs.FileMode = 0o700
)

// FS is the set of file operations that the program's durable steps are made of.
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

// WriteWhole writes a file that appears whole or not at all: a temporary file beside it, synced,
// renamed over it, and the folder synced. A crash before the rename leaves the old file and perhaps
// the temporary one, which the next WriteWhole of that name replaces.
func WriteWhole(fsys FS, name string, write func(io.Writer) error) error {
	temporary := name + ".tmp"
	f, err := fsys.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, FileMode)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 64<<10)
	err = cmp.Or(write(w), w.Flush(), f.Sync(), f.Close()) // all of them; the first to fail says why the others did
	if err == nil {
		err = fsys.Rename(temporary, name)
	}
	if err != nil {
		_ = fsys.Remove(temporary)
		return fmt.Errorf("write %q: %w", name, err)
	}
	return fsys.SyncDir(filepath.Dir(name))
}

// Wait returns what f returns, or the cause of ctx if that ends first. Opening or reading a named
// pipe waits in the kernel for somebody who writes, and nothing in Go interrupts that: f is then
// left behind until the process ends, so it must touch nothing that anybody else uses.
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
