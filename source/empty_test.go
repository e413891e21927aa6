package source

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"friendmigrate/migrate"
	"friendmigrate/source/stage"
)

func TestWhatAFolderLeavesOutIsSaid(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for _, name := range []string{
		"f/part-0.csv", "f/part-1.txt", "f/part-2.tsv", "f/dt=1/part-5.csv", "f/_part-7.csv", "f/friendmigrate-state/failed.csv", "f/friendmigrate-rehearsal/failed.csv", "f/_SUCCESS", "f/.part-0.csv.crc",
		"names/a.txt", "below/dt=1/a.csv", "hidden/_SUCCESS", "hidden/.a.csv",
	} {
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o700), os.WriteFile(name, []byte("From_Account,To_Account\na,b\n"), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(os.Mkdir("nothing", 0o700), os.Mkdir("links", 0o700), os.Symlink("gone.csv", "links/a.csv"), os.Symlink("gone.csv", "links/.#a.csv"),
		syscall.Mkfifo("f/pipe.csv", 0o600), os.Symlink("../below", "f/linked.csv")); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		inputs, format, says string
		allow                bool
	}{
		{inputs: "f", says: `3 files and 2 folders: "f/dt=1", "f/linked.csv", "f/part-1.txt" and 2 more`},
		{inputs: "f", format: CSV, says: `1 file and 2 folders: "f/dt=1", "f/linked.csv", "f/pipe.csv"`},
		{inputs: "f nothing", says: `3 files and 2 folders: "f/dt=1", "f/linked.csv", "f/part-1.txt" and 2 more`},
		{inputs: "links", says: `input "links/a.csv": it is a link to "gone.csv", which is not there`},
		{inputs: "f/part-0.csv"},
		{inputs: "names", says: `input "names": nothing in it can be read; it holds 1 file: "names/a.txt"`},
		{inputs: "f names", says: `input "names": nothing in it can be read; it holds 1 file: "names/a.txt"`},
		{inputs: "names", allow: true, says: `input "names": nothing in it can be read; it holds 1 file: "names/a.txt"`},
		{inputs: "below", says: `input "below": nothing in it can be read; it holds 1 folder: "below/dt=1"`},
		{inputs: "nothing", says: `no rows in "nothing": there is no file to read in it`},
		{inputs: "hidden", says: `no rows in "hidden": there is no file to read in it`},
		{inputs: "hidden nothing", says: `no rows in "hidden", "nothing"`},
		{inputs: "nothing", allow: true},
	} {
		_, left, err := Request{Inputs: strings.Fields(c.inputs), Options: Options{Format: c.format, AllowEmpty: c.allow}}.Resolve(t.Context())
		said := left.String()
		if err != nil {
			said, _, _ = strings.Cut(err.Error(), " (only")
		}
		equal(t, c.inputs, said, c.says)
	}
	w := warningsOf(t, "f", "nothing")
	if len(w) < 2 || !strings.HasPrefix(w[0], "left out 3 files and 2 folders: ") || w[1] != `no rows in "nothing"` {
		t.Errorf("warnings: %q", w)
	}
}

// warningsOf stages inputs whose rows have no AddSource.
func warningsOf(t *testing.T, inputs ...string) (list []string) {
	t.Helper()
	p, err := ReadInputs(t.Context(), Request{
		Inputs: inputs, StateDir: filepath.Join(t.TempDir(), "state"), FS: quickFS{}, Options: Options{DefaultAddSource: src},
		Warn: func(w string) { list = append(list, w) },
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Abort(); err != nil {
		t.Fatal(err)
	}
	return list
}

func TestInputWithoutARowIsRefused(t *testing.T) {
	const header = "From_Account,To_Account,AddSource\n"
	empty := map[string]text{
		"a file of no bytes":     {"a.csv", ""},
		"a header":               {"a.csv", header},
		"a header without LF":    {"a.csv", strings.TrimSpace(header)},
		"a header, blank lines":  {"a.csv", header + "\n\r\n\n"},
		"blank lines":            {"a.csv", "\r\n\n"},
		"a mark":                 {"a.csv", "\xef\xbb\xbf"},
		"header, lines of marks": {"a.csv", header + "\ufeff\n\ufeff"},
		"JSONL of marks":         {"a.jsonl", "\ufeff\n\ufeff"},
		"JSONL of no bytes":      {"a.jsonl", ""},
		"JSONL of blank lines":   {"a.ndjson", "\n \t\n"},
		"gzip of nothing":        {"a.csv.gz", gzipped(t, "")},
		"gzip of a header":       {"a.csv.gz", gzipped(t, header)},
		"gzip of blank lines":    {"a.jsonl.gz", gzipped(t, "\n\n")},
		"gzip of no bytes":       {"a.csv.gz", ""},
		"zstd of nothing":        {"a.jsonl.zst", zstandard(t, "")},
		"zstd of no bytes":       {"a.jsonl.zst", ""},
		"blank beyond one block": {"a.jsonl", strings.Repeat("\n", 3*blockSize)},
	}
	for name, in := range empty {
		t.Run(name, func(t *testing.T) {
			if _, err := readTexts(t, Options{}, nil, in); !errors.As(err, new(*EmptyError)) || !errors.Is(err, ErrUnusable) {
				t.Errorf("got %v", err)
			}
			if _, err := readTexts(t, Options{}, nil, in, in, in); !errors.As(err, new(*EmptyError)) {
				t.Errorf("three of them: got %v", err)
			}
			r, err := readTexts(t, Options{AllowEmpty: true}, nil, in)
			if err != nil || !r.Counts.NoRows() || len(r.Counts.Inputs) != 1 {
				t.Errorf("allowed: %+v, %v", r.Counts, err)
			}
			r, err = readTexts(t, Options{}, nil, in, text{"b.csv", header + "a,b," + src + "\n"}, in)
			if err != nil || len(r.Counts.Empty) != 2 || r.Counts.NoRows() || r.pairs() != "a>b@2" {
				t.Errorf("beside others: %+v, %v", r.Counts, err)
			}
			if w := Warnings(&r.Counts, &stage.Totals{}, Options{}); len(w) == 0 || !strings.HasPrefix(w[0], "no rows in ") {
				t.Errorf("warnings: %q", w)
			}
		})
	}
	for name, in := range map[string]text{"a broken row": {"a.csv", header + "x\n"}, "a space": {"a.csv", header + " \n"}, "a broken line": {"a.jsonl", "{\n"}} {
		if r, err := readTexts(t, Options{}, nil, in); err != nil || r.Counts.Rejected != 1 || len(r.Counts.Empty) > 0 {
			t.Errorf("%s is a row: %+v, %v", name, r.Counts, err)
		}
	}
}

// A shard whose rows all belong to others is not without input.
func TestAShardWithoutRowsIsNoEmptyInput(t *testing.T) {
	tune := func(r *reading) {
		r.owns = func(string) bool { return false }
		r.lane = func(int) lane { return othersLane{} }
	}
	r, err := readTexts(t, Options{}, tune, text{"a.csv", "From_Account,To_Account,AddSource\na,b," + src + "\n"})
	if err != nil || r.Counts.Rows != 0 || r.Counts.NoRows() {
		t.Errorf("%+v, %v", r.Counts, err)
	}
}

// othersLane takes rows of other shards.
type othersLane struct{}

func (othersLane) Add(*migrate.Edge) (bool, error) { return false, nil }

// A folder whose files were taken away is gone, as a file is: the job goes on with what is staged.
func TestAFolderThatWasEmptiedIsGone(t *testing.T) {
	dir := t.TempDir()
	input := filepath.Join(dir, "a.csv")
	if err := os.WriteFile(input, []byte(manyRows(3)), 0o600); err != nil {
		t.Fatal(err)
	}
	p, _, _ := staged(t, Request{Inputs: []string{dir}, FS: quickFS{}})
	if err := os.Remove(input); err != nil {
		t.Fatal(err)
	}
	for _, allowed := range []bool{false, true} {
		c, err := Compare(t.Context(), p.Counts.Inputs, Request{Inputs: []string{dir}, Options: Options{AllowEmpty: allowed}})
		if err != nil || c.Match != Gone || len(c.Reasons) != 1 || !strings.Contains(c.Reasons[0], "is empty now") {
			t.Errorf("%+v, %v", c, err)
		}
	}
	c, err := Compare(t.Context(), nil, Request{Inputs: []string{dir}, Options: Options{AllowEmpty: true}})
	if err != nil || c.Match != Same {
		t.Errorf("it was empty before: %+v, %v", c, err)
	}
}
