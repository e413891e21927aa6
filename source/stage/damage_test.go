package stage

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"friendmigrate/migrate"
)

// readAll opens a stage and reads all of it, in the way of the job: what it returns without an
// error was believed.
func readAll(fsys *memory) (rosters [][]migrate.Edge, meta string, totals Totals, err error) {
	s, err := Open("staged", fsys)
	if err != nil {
		return nil, "", Totals{}, err
	}
	defer s.Close()
	for r, err := range s.Rosters(context.Background(), nil) {
		if err != nil {
			return nil, "", Totals{}, err
		}
		var list []migrate.Edge
		for i := range r.Chunks {
			c, err := r.Load(i)
			if err != nil {
				return nil, "", Totals{}, err
			}
			list = append(list, c.Edges...)
		}
		rosters = append(rosters, list)
	}
	return rosters, string(s.Meta()), s.Totals(), nil
}

// smallStage is a stage with bundles, a large roster and two files, a few kilobytes together.
func smallStage(t testing.TB) *memory {
	t.Helper()
	rows := graph{seed: 3, rows: 40, accounts: 8, hot: 50}.edges()
	l := limits{parts: 8, page: 512, lane: 16 << 10, batch: 2 << 10, builders: 1, builder: 20 << 10, unit: 2 << 10, bundleBytes: 300, largeBlockBytes: 100, segment: 2}
	s, _, _ := build(t, rows, Options{Lanes: 1, Mutual: true}, l, nil, 1)
	return s.fsys.(*memory)
}

// A sealed stage that is flipped at any byte, cut at any length, emptied, lengthened or gone is
// refused or reads as before; it is never half read.
func TestDamageIsRefusedWherever(t *testing.T) {
	m := smallStage(t)
	want, meta, totals, err := readAll(m)
	if err != nil {
		t.Fatal(err)
	}
	try := func(what, name string, data []byte) {
		t.Helper()
		damaged := newMemory()
		for n, c := range m.files {
			damaged.files[n] = c
		}
		damaged.files[name] = &content{data: data}
		got, gotMeta, gotTotals, err := readAll(damaged)
		if err == nil && (!reflect.DeepEqual(got, want) || meta != gotMeta || !reflect.DeepEqual(totals, gotTotals)) {
			t.Errorf("%s %s: other content was believed", name, what)
		}
		if err != nil && (!errors.Is(err, ErrDamaged) || errors.Is(err, fs.ErrNotExist)) {
			t.Errorf("%s %s: %v", name, what, err)
		}
		if err == nil && !bytes.Equal(data, m.files[name].data) {
			t.Errorf("%s %s: not noticed", name, what)
		}
	}
	for name, c := range m.files {
		for i := range c.data {
			for _, flip := range []byte{0x20, 0xFF} {
				data := slices.Clone(c.data)
				data[i] ^= flip
				try(fmt.Sprintf("flipped by %#x at %d", flip, i), name, data)
			}
			try(fmt.Sprintf("cut at %d", i), name, c.data[:i])
		}
		try("lengthened", name, append(slices.Clone(c.data), '\n'))
		try("zeroed", name, make([]byte, len(c.data)))
	}
}

func TestDamageOfAFileThatIsOpen(t *testing.T) {
	m := smallStage(t)
	s, err := Open("staged", m)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range m.files {
		if !strings.HasSuffix(name, manifestName) {
			c.data = c.data[:len(c.data)/2]
		}
	}
	var last error
	for r, err := range s.Rosters(context.Background(), nil) {
		for i := range r.Chunks {
			if _, err := r.Load(i); err != nil {
				last = err
			}
		}
		last = errors.Join(last, err)
	}
	if !errors.Is(last, ErrDamaged) {
		t.Errorf("rosters: %v", last)
	}
}

// A sealed file of another stage is not taken for ours, though its own checksums are right.
func TestSealedFileOfAnotherStageIsRefused(t *testing.T) {
	m := smallStage(t)
	s, _, _ := build(t, graph{seed: 4, rows: 60, accounts: 12, hot: 40}.edges(), Options{Lanes: 1}, roomy(1), nil, 1)
	name := filepath.Join("staged", sealedPrefix+"0")
	other := s.fsys.(*memory).files[name].data
	size := len(m.files[name].data)
	m.files[name].data = append(slices.Clone(other), make([]byte, size)...)[:size]
	if _, _, _, err := readAll(m); !errors.Is(err, ErrDamaged) {
		t.Errorf("read: %v", err)
	}
}

func TestStageWithoutItsFilesIsDamagedNotAbsent(t *testing.T) {
	m := smallStage(t)
	delete(m.files, filepath.Join("staged", sealedPrefix+"0"))
	if _, err := Open("staged", m); !errors.Is(err, ErrDamaged) || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("open: %v", err)
	}
}

func TestOtherVersionsAreRefused(t *testing.T) {
	m := smallStage(t)
	name := filepath.Join("staged", manifestName)
	var e envelope
	if err := json.Unmarshal(m.files[name].data, &e); err != nil {
		t.Fatal(err)
	}
	for version, word := range map[int]string{0: "version 0", manifestVersion + 1: "newer"} {
		e.Version = version
		text, err := render(e)
		if err != nil {
			t.Fatal(err)
		}
		m.files[name].data = append(text, '\n')
		if _, err := Open("staged", m); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), word) {
			t.Errorf("open version %d: %v", version, err)
		}
	}
}
