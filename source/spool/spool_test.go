package spool

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"

	"friendmigrate/migrate"
	"friendmigrate/migrate/disk"
)

func TestSpoolSortsWhateverTheOrderAndMemory(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	type row struct {
		migrate.Position
		data string
	}
	var rows []row
	for range 5000 {
		rows = append(rows, row{migrate.Position{Input: random.IntN(3), Line: random.Int64N(1000)}, fmt.Sprintf("%0*d", random.IntN(100), random.IntN(1000))})
	}
	rows = append(rows, row{migrate.Position{Input: 1, Line: 500}, string(make([]byte, 1<<20))}, row{}, row{})
	sorted := slices.Clone(rows)
	slices.SortFunc(sorted, func(a, b row) int {
		return cmp.Or(cmp.Compare(a.Input, b.Input), cmp.Compare(a.Line, b.Line), cmp.Compare(a.data, b.data))
	})
	for _, memory := range []int64{0, 100 << 10, 16 << 20} {
		path := filepath.Join(t.TempDir(), "list.spool")
		s := New(disk.OS{}, path, memory)
		s.memory = min(s.memory, int(max(memory, 3000)))
		var group sync.WaitGroup
		for part := range 4 {
			group.Go(func() {
				for i := part; i < len(rows); i += 4 {
					if err := s.Add(rows[i].Position, []byte(rows[i].data)); err != nil {
						t.Error(err)
					}
				}
			})
		}
		group.Wait()
		for range 2 {
			i := 0
			for got, err := range s.Rows(t.Context()) {
				if err != nil {
					t.Fatal(err)
				}
				if got.Position != sorted[i].Position || string(got.Data) != sorted[i].data {
					t.Fatalf("memory %d, row %d: got %v", memory, i, got.Position)
				}
				i++
			}
			if i != len(rows) {
				t.Errorf("memory %d: got %d of %d rows", memory, i, len(rows))
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the temporary file is left: %v", err)
		}
	}
}

// watchedFS calls alive whenever something is written.
type watchedFS struct {
	disk.OS
	alive func()
}

func (f watchedFS) OpenFile(name string, flag int, perm fs.FileMode) (disk.File, error) {
	file, err := f.OS.OpenFile(name, flag, perm)
	return watchedFile{file, f}, err
}

type watchedFile struct {
	disk.File
	fs watchedFS
}

func (f watchedFile) Write(p []byte) (int, error) {
	f.fs.alive()
	return f.File.Write(p)
}

// However many runs of however long rows there are, few are open at once, in every round.
func TestMergingTakesLittleMemory(t *testing.T) {
	const rows, length = 200, 128 << 10
	var before, most uint64
	calls := 0
	alive := func() {
		if calls++; calls%5 != 1 { // collecting garbage takes long
			return
		}
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		most = max(most, m.HeapAlloc)
		before = cmp.Or(before, m.HeapAlloc)
	}
	s := New(watchedFS{alive: alive}, filepath.Join(t.TempDir(), "list.spool"), 0)
	defer s.Close()
	alive()
	row := make([]byte, length)
	for round := range 2 { // rows may be added after some were merged
		for i := range rows / 2 {
			if err := s.Add(migrate.Position{Line: int64(i), Input: round}, row); err != nil {
				t.Fatal(err)
			}
		}
		n := 0
		for _, err := range s.Rows(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			n++
			alive()
		}
		if want := (round + 1) * rows / 2; n != want || len(s.runs) > fewestRuns {
			t.Errorf("got %d of %d rows from %d runs", n, want, len(s.runs))
		}
	}
	if took := most - before; took > (fewestRuns+4)*length {
		t.Errorf("%d KiB were alive at once, of %d KiB in all", took>>10, rows*length>>10)
	}
}

// A merge that its caller gave up leaves all rows as they were.
func TestRowsAfterAMergeThatWasGivenUp(t *testing.T) {
	const rows = 200
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	merging, writes := false, 0
	s := New(watchedFS{alive: func() {
		if merging {
			writes++
		}
		if writes == 5 {
			cancel()
		}
	}}, filepath.Join(t.TempDir(), "list.spool"), 0)
	defer s.Close()
	for i := range rows {
		if err := s.Add(migrate.Position{Line: int64(rows - i)}, make([]byte, 64<<10)); err != nil {
			t.Fatal(err)
		}
	}
	merging = true
	for _, err := range s.Rows(ctx) {
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("got %v after %d writes", err, writes)
		}
	}
	line := int64(0)
	for row, err := range s.Rows(t.Context()) {
		if line++; err != nil || row.Line != line {
			t.Fatalf("row %d is %d: %v", line, row.Line, err)
		}
	}
	if line != rows {
		t.Errorf("%d rows of %d", line, rows)
	}
}

func TestSpoolRemovesWhatAKilledRunLeft(t *testing.T) {
	path := filepath.Join(t.TempDir(), "list.spool")
	if err := os.WriteFile(path, []byte("somebody's friends"), 0o600); err != nil {
		t.Fatal(err)
	}
	defer New(disk.OS{}, path, 0).Close()
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it is still there: %v", err)
	}
}

// fullFS takes no more bytes.
type fullFS struct{ disk.OS }

func (f fullFS) OpenFile(name string, flag int, perm fs.FileMode) (disk.File, error) {
	file, err := f.OS.OpenFile(name, flag, perm)
	return fullFile{file}, err
}

type fullFile struct{ disk.File }

var errFull = errors.New("no space left on device")

func (fullFile) Write([]byte) (int, error) { return 0, errFull }

func TestFullDiskEndsTheSpool(t *testing.T) {
	s := New(fullFS{}, filepath.Join(t.TempDir(), "list.spool"), 0)
	defer s.Close()
	var err error
	for range 100 {
		if err = s.Add(migrate.Position{}, make([]byte, 4096)); err != nil {
			break
		}
	}
	if !errors.Is(err, errFull) {
		t.Fatalf("got %v", err)
	}
	if err := s.Add(migrate.Position{}, nil); !errors.Is(err, errFull) {
		t.Errorf("the first error is final: got %v", err)
	}
	for _, err := range s.Rows(t.Context()) {
		if !errors.Is(err, errFull) {
			t.Errorf("a spool that lost rows gives none: got %v", err)
		}
	}
}
