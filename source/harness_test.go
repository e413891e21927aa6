package source

import (
	"encoding/csv"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"friendmigrate/migrate"
	"friendmigrate/migrate/disk"
)

// memoryLane keeps what is staged.
type memoryLane struct {
	mu    sync.Mutex
	edges []migrate.Edge
}

func (l *memoryLane) Add(e *migrate.Edge) (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.edges = append(l.edges, clone(e))
	return true, nil
}

// clone copies what a reader may reuse. Strings too: they must not change under whoever keeps them.
func clone(e *migrate.Edge) migrate.Edge {
	c := *e
	for _, s := range []*string{&c.From, &c.To, &c.Remark, &c.AddSource, &c.AddWording} {
		*s = strings.Clone(*s)
	}
	c.Groups, c.Custom = nil, nil
	for _, group := range e.Groups {
		c.Groups = append(c.Groups, strings.Clone(group))
	}
	for _, item := range e.Custom {
		c.Custom = append(c.Custom, migrate.CustomItem{Tag: strings.Clone(item.Tag), Value: strings.Clone(item.Value), Integer: item.Integer})
	}
	return c
}

// quickFS doesn't wait for the disk: what is written is read back by this process alone.
type quickFS struct{ disk.OS }

func (f quickFS) OpenFile(name string, flag int, perm fs.FileMode) (disk.File, error) {
	file, err := f.OS.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return quickFile{file}, nil
}

func (quickFS) SyncDir(string) error { return nil }

type quickFile struct{ disk.File }

func (quickFile) Sync() error { return nil }

// result is what reading came to, in the order of the input.
type result struct {
	Edges    []migrate.Edge
	Rejected [][]string // Input, Line, Column, Reason, Row
	Changed  [][]string
	Counts   Counts
}

// text is an input of a test.
type text struct{ name, content string }

// readTexts reads inputs without staging them.
func readTexts(t *testing.T, o Options, tune func(*reading), texts ...text) (result, error) {
	t.Helper()
	dir, state := t.TempDir(), t.TempDir()
	j := Request{Options: o, Lanes: 2, FS: quickFS{}}
	for _, in := range texts {
		name := filepath.Join(dir, in.name)
		if err := os.WriteFile(name, []byte(in.content), 0o600); err != nil {
			t.Fatal(err)
		}
		j.Inputs = append(j.Inputs, name)
	}
	l := newLists(quickFS{}, state, j.Inputs)
	defer l.close()
	var sink memoryLane
	r := newReading(j, l, func(string) bool { return true }, func(int) lane { return &sink })
	if tune != nil {
		tune(r)
	}
	counts, err := r.run(t.Context())
	if err != nil {
		return result{}, err
	}
	for i := range texts {
		l.names[i] = texts[i].name
	}
	if err := l.save(t.Context()); err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(sink.edges, func(a, b migrate.Edge) int {
		if a.Before(b.Position) {
			return -1
		}
		return 1
	})
	if counts.Rows != int64(len(sink.edges))+counts.Rejected {
		t.Errorf("%d rows are not %d edges and %d rejected", counts.Rows, len(sink.edges), counts.Rejected)
	}
	rejected := readTable(t, filepath.Join(state, RejectedList))
	if int64(len(rejected)) != counts.Rejected {
		t.Errorf("%d rejected rows are listed, %d counted", len(rejected), counts.Rejected)
	}
	return result{sink.edges, rejected, readTable(t, filepath.Join(state, ChangedList)), counts}, nil
}

// mustRead is readTexts for one input that can be read.
func mustRead(t *testing.T, o Options, name, content string) result {
	t.Helper()
	r, err := readTexts(t, o, nil, text{name, content})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// readTable reads a list without its header.
func readTable(t *testing.T, name string) [][]string {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) == 0 {
		t.Fatalf("%s has no header", name)
	}
	return rows[1:]
}

// pairs are the edges as "from>to@line".
func (r result) pairs() string {
	var list []string
	for _, e := range r.Edges {
		list = append(list, e.From+">"+e.To+"@"+itoa(e.Line))
	}
	return strings.Join(list, " ")
}

// reasons are the rejected rows as "line column reason".
func (r result) reasons() string {
	var list []string
	for _, row := range r.Rejected {
		list = append(list, strings.Join(strings.Fields(row[1]+" "+row[2]+" "+row[3]), " "))
	}
	return strings.Join(list, "; ")
}

func itoa(n int64) string { return timeCell(n) }

const src = "AddSource_Type_Test"

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
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
