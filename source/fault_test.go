package source

import (
	"errors"
	"io/fs"
	"path/filepath"
	"sync/atomic"
	"testing"

	"friendmigrate/migrate/disk"
	"friendmigrate/source/stage"
)

var errInjected = errors.New("injected")

// faultFS fails the operation that is the nth to change anything, and all after it: the disk is
// gone.
type faultFS struct {
	quickFS
	left *atomic.Int64
}

func (f faultFS) fail() error {
	if f.left.Add(-1) < 0 {
		return errInjected
	}
	return nil
}

func (f faultFS) OpenFile(name string, flag int, perm fs.FileMode) (disk.File, error) {
	if err := f.fail(); err != nil {
		return nil, err
	}
	file, err := f.quickFS.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return faultFile{file, f}, nil
}

func (f faultFS) Rename(oldName, newName string) error {
	return errors.Join(f.fail(), f.quickFS.Rename(oldName, newName))
}

func (f faultFS) MkdirAll(name string, perm fs.FileMode) error {
	if err := f.fail(); err != nil {
		return err
	}
	return f.quickFS.MkdirAll(name, perm)
}

func (f faultFS) SyncDir(string) error { return f.fail() }

type faultFile struct {
	disk.File
	fs faultFS
}

func (f faultFile) Write(p []byte) (int, error) {
	if err := f.fs.fail(); err != nil {
		return 0, err
	}
	return f.File.Write(p)
}

func (f faultFile) Sync() error { return f.fs.fail() }

func (f faultFile) Read(p []byte) (int, error) {
	if err := f.fs.fail(); err != nil {
		return 0, err
	}
	return f.File.Read(p)
}

func TestEveryFileOperationMayFail(t *testing.T) {
	in := write(t, "a.csv", manyRows(50)+"broken\"\n")
	state := t.TempDir()
	j := Request{Inputs: []string{in}, StateDir: state, FS: quickFS{}, Lanes: 1}
	want, err := ReadInputs(t.Context(), j)
	if err != nil {
		t.Fatal(err)
	}
	if err := want.Abort(); err != nil {
		t.Fatal(err)
	}
	run := func(n int64) error {
		left := new(atomic.Int64)
		left.Store(n)
		broken := j
		broken.FS = faultFS{left: left}
		p, err := ReadInputs(t.Context(), broken)
		if err != nil {
			return err
		}
		s, err := p.Seal()
		if err != nil {
			return err
		}
		return s.Close()
	}
	failures := 0
	for ; ; failures++ {
		err := run(int64(failures))
		sealed, openErr := stage.Open(filepath.Join(state, StageFolder), disk.OS{})
		if err == nil {
			if openErr != nil {
				t.Fatal(openErr)
			}
			equal(t, "plan", sealed.Totals().PlanDigest, want.Totals.PlanDigest)
			sealed.Close()
			break
		}
		if !errors.Is(err, errInjected) || errors.Is(err, ErrUnusable) {
			t.Fatalf("operation %d: %v", failures, err)
		}
		if openErr == nil { // the manifest was renamed before the failure: what is sealed is whole
			equal(t, "plan", sealed.Totals().PlanDigest, want.Totals.PlanDigest)
			sealed.Close()
		} else if !errors.Is(openErr, fs.ErrNotExist) {
			t.Fatalf("operation %d leaves %v", failures, openErr)
		}
		if err := stage.Remove(filepath.Join(state, StageFolder), disk.OS{}); err != nil {
			t.Fatal(err)
		}
	}
	if failures < 20 {
		t.Errorf("only %d operations failed: this test shows little", failures)
	}
	rejected := readTable(t, filepath.Join(state, RejectedList))
	equal(t, "rejected", len(rejected), 1)
}
