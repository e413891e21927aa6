package main

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"sync"
	"syscall"

	"friendmigrate/migrate/disk"
)

// harm is what happens at one file operation of a run, and from then on.
type harm int

const (
	unharmed   harm = iota
	diesBefore      // the process is dead before the operation is done
	diesAfter       // the operation is done, and the process dead
	diesHalf        // a write is done half-way, and the process is dead; other operations as in diesAfter
	failsOnce       // the operation is not done and reports an I/O error; the disk works again
	liesOnce        // the operation is done (a write half-way) and reports an I/O error; the disk works again
	fillsUp         // from here on nothing can be written any more
	panics          // there is a bug in whoever does the operation; it is not done
)

func (h harm) String() string {
	return [...]string{"", "dies before", "dies after", "dies half-way", "fails once", "is done but fails", "finds the disk full", "panics"}[h]
}

var errDead = errors.New("the process of this test is dead")

// brokenDisk is the real file system, of which one operation goes wrong. A dead process can do
// nothing more: every later operation fails and does nothing. It does not sync, since a process
// that dies leaves the system's cache as it was.
type brokenDisk struct {
	at   int
	harm harm

	mu   sync.Mutex
	ops  []string // done so far
	what string   // the operation that was harmed
	dead bool
}

// harmsOf are the harms that an operation can come to, each of which leaves something else: what is
// only read is the same before and after.
func harmsOf(operation string) []harm {
	switch kind, _, _ := strings.Cut(operation, " "); kind {
	case "write":
		return []harm{diesBefore, diesHalf, diesAfter, failsOnce, liesOnce, fillsUp}
	case "read", "close", "open":
		return []harm{diesBefore, failsOnce}
	}
	return []harm{diesBefore, diesAfter, failsOnce, liesOnce, fillsUp}
}

// next counts an operation. act says whether it is to be done; err is what it reports if that is
// not what doing it gives.
func (d *brokenDisk) next(what string, writes bool) (act bool, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	op := len(d.ops)
	d.ops = append(d.ops, what)
	switch {
	case d.dead:
		return false, errDead
	case d.harm == fillsUp && op >= d.at && writes:
		d.what = what
		return false, syscall.ENOSPC
	case op != d.at:
		return true, nil
	}
	d.what = what
	switch d.harm {
	case panics:
		panic("planted at " + what)
	case diesBefore:
		d.dead = true
		return false, errDead
	case diesAfter, diesHalf:
		d.dead = true
		return true, errDead
	case failsOnce:
		return false, syscall.EIO
	case liesOnce:
		return true, syscall.EIO
	}
	return true, nil
}

func (d *brokenDisk) do(what string, writes bool, act func() error) error {
	does, err := d.next(what, writes)
	if does {
		if done := act(); done != nil {
			return done
		}
	}
	return err
}

func (d *brokenDisk) OpenFile(name string, flag int, perm fs.FileMode) (disk.File, error) {
	var f *os.File
	what, creates := "open ", flag&os.O_CREATE != 0
	if creates {
		what = "create "
	}
	err := d.do(what+name, creates, func() (err error) {
		f, err = os.OpenFile(name, flag, perm)
		return err
	})
	if err != nil {
		if f != nil {
			err = errors.Join(err, f.Close())
		}
		return nil, err
	}
	return &brokenFile{File: f, disk: d}, nil
}

func (d *brokenDisk) Rename(from, to string) error {
	return d.do("rename "+from, true, func() error { return os.Rename(from, to) })
}

func (d *brokenDisk) Remove(name string) error {
	return d.do("remove "+name, false, func() error { return os.Remove(name) })
}

func (d *brokenDisk) MkdirAll(name string, perm fs.FileMode) error {
	return d.do("make "+name, true, func() error { return os.MkdirAll(name, perm) })
}

func (d *brokenDisk) SyncDir(name string) error {
	return d.do("sync folder "+name, true, func() error { return nil })
}

type brokenFile struct {
	*os.File
	disk *brokenDisk
}

func (f *brokenFile) Write(b []byte) (n int, err error) {
	does, err := f.disk.next("write "+f.Name(), true)
	switch {
	case !does:
		return 0, err
	case err != nil && (f.disk.harm == diesHalf || f.disk.harm == liesOnce):
		b = b[:len(b)/2]
	}
	n, done := f.File.Write(b)
	if done != nil {
		return n, done
	}
	return n, err
}

func (f *brokenFile) Sync() error {
	return f.disk.do("sync "+f.Name(), true, func() error { return nil })
}

func (f *brokenFile) Truncate(size int64) error {
	return f.disk.do("truncate "+f.Name(), true, func() error { return f.File.Truncate(size) })
}

func (f *brokenFile) ReadAt(b []byte, off int64) (n int, err error) {
	fault := f.disk.do("read "+f.Name(), false, func() error {
		n, err = f.File.ReadAt(b, off)
		return nil
	})
	if fault != nil {
		return 0, fault
	}
	return n, err
}

func (f *brokenFile) Read(b []byte) (n int, err error) {
	fault := f.disk.do("read "+f.Name(), false, func() error {
		n, err = f.File.Read(b)
		return nil
	})
	if fault != nil {
		return 0, fault
	}
	return n, err
}

// Close is done also by the dead: the kernel does it.
func (f *brokenFile) Close() error {
	_, err := f.disk.next("close "+f.Name(), false)
	return errors.Join(f.File.Close(), err)
}
