package source

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"friendmigrate/migrate/disk"
)

// Lists that somebody has deleted come back to the byte, in any combination, and nothing else
// changes.
func TestListsThatAreGoneAreMadeAgain(t *testing.T) {
	content := "From_Account,To_Account,AddSource,Remark\n,b," + src + ",\na,b," + src + ",x\na,b," + src + ",y\na,c," + src + "," + strings.Repeat("r", 100) + "\n"
	lists := []string{RejectedList, ChangedList, DuplicatesList}
	for name, c := range map[string]struct {
		content string
		options Options
	}{
		"with rows":    {content, Options{InvalidField: "cut"}},
		"without rows": {"From_Account,To_Account,AddSource\na,b," + src + "\n", Options{}},
	} {
		t.Run(name, func(t *testing.T) {
			j := Request{Inputs: []string{write(t, "a.csv", c.content)}, StateDir: filepath.Join(t.TempDir(), "state"), Options: c.options, Lanes: 1, FS: quickFS{}}
			p, s, _ := staged(t, j)
			files, err := os.ReadDir(j.StateDir)
			if err != nil {
				t.Fatal(err)
			}
			want := map[string][]byte{}
			for _, list := range lists {
				if want[list], err = os.ReadFile(filepath.Join(j.StateDir, list)); err != nil {
					t.Fatal(err)
				}
				if rows := bytes.Count(want[list], []byte("\n")) - 1; (rows > 0) != (name == "with rows") {
					t.Fatalf("%s has %d rows", list, rows)
				}
			}
			left := filepath.Join(j.StateDir, againFolder, StageFolder) // by a killed run
			if err := errors.Join(os.MkdirAll(left, 0o700), os.WriteFile(filepath.Join(j.StateDir, againFolder, RejectedList+".spool"), nil, 0o600)); err != nil {
				t.Fatal(err)
			}
			for subset := range 1 << len(lists) {
				for i, list := range lists {
					if subset>>i&1 == 1 {
						if err := os.Remove(filepath.Join(j.StateDir, list)); err != nil {
							t.Fatal(err)
						}
					}
				}
				if gone, err := RestoreLists(t.Context(), j, p.Counts, s.Totals()); err != nil || len(gone) > 0 {
					t.Fatalf("%v are gone: %v", gone, err)
				}
				for _, list := range lists {
					if got, err := os.ReadFile(filepath.Join(j.StateDir, list)); err != nil || !bytes.Equal(got, want[list]) {
						t.Errorf("%s is %q, %v; was %q", list, got, err, want[list])
					}
				}
				now, err := os.ReadDir(j.StateDir)
				if err != nil || len(now) != len(files) {
					t.Errorf("the state folder has %v, had %v", now, files)
				}
			}
		})
	}
}

func TestListsThatCannotBeMadeAgain(t *testing.T) {
	const content = "From_Account,To_Account,AddSource\n,b," + src + "\n"
	input := write(t, "a.csv", content)
	stdin := func() *strings.Reader { return strings.NewReader(content) }
	for name, c := range map[string]struct {
		request Request
		spoil   func() error
	}{
		"the input is gone":  {Request{Inputs: []string{input}}, func() error { return os.Rename(input, input+".csv") }},
		"the input is other": {Request{Inputs: []string{input + ".csv"}}, func() error { return os.WriteFile(input+".csv", []byte(content+content), 0o600) }},
		"standard input":     {Request{Inputs: []string{Standard}, Options: Options{Format: CSV}, Stdin: stdin()}, func() error { return nil }},
	} {
		if name == "the input is other" {
			if err := os.WriteFile(input+".csv", []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		j := c.request
		j.StateDir, j.Lanes, j.FS = filepath.Join(t.TempDir(), "state"), 1, quickFS{}
		p, s, _ := staged(t, j)
		if err := errors.Join(c.spoil(), os.Remove(filepath.Join(j.StateDir, RejectedList))); err != nil {
			t.Fatal(err)
		}
		j.Stdin = stdin()
		gone, err := RestoreLists(t.Context(), j, p.Counts, s.Totals())
		if !errors.Is(err, ErrUnusable) || !slices.Equal(gone, []string{RejectedList}) {
			t.Errorf("%s: %v, %v", name, gone, err)
		}
		if _, err := os.Stat(filepath.Join(j.StateDir, againFolder)); err == nil {
			t.Errorf("%s: the folder is left", name)
		}
	}
}

// cancelFS cancels when a file is opened.
type cancelFS struct {
	quickFS
	name   string
	cancel context.CancelFunc
}

func (f cancelFS) OpenFile(name string, flag int, perm fs.FileMode) (disk.File, error) {
	if filepath.Base(name) == f.name {
		f.cancel()
	}
	return f.quickFS.OpenFile(name, flag, perm)
}

func TestWritingAListEndsWithItsContext(t *testing.T) {
	in := write(t, "a.csv", "From_Account,To_Account,AddSource,Remark\n,b,"+src+",\na,b,"+src+",x\na,b,"+src+","+strings.Repeat("r", 100)+"\n")
	for _, list := range []string{RejectedList, ChangedList, DuplicatesList} {
		ctx, cancel := context.WithCancel(t.Context())
		r := Request{Inputs: []string{in}, StateDir: t.TempDir(), FS: cancelFS{name: list + ".tmp", cancel: cancel}, Options: Options{InvalidField: "cut"}}
		if _, err := ReadInputs(ctx, r); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got %v", list, err)
		}
		if left, err := os.ReadFile(filepath.Join(r.StateDir, list)); err == nil {
			t.Errorf("%s is written: %s", list, left)
		}
	}
}
