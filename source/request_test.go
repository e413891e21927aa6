package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"friendmigrate/migrate"
	"friendmigrate/migrate/disk"
	"friendmigrate/source/stage"
)

// write puts an input of a test into a folder of its own.
func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// staged stages a job and reads back all its edges in plan order.
func staged(t *testing.T, j Request) (*Unsealed, *stage.Stage, []migrate.Edge) {
	t.Helper()
	if j.StateDir == "" {
		j.StateDir = filepath.Join(t.TempDir(), "state")
	}
	p, err := ReadInputs(t.Context(), j)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stage.Open(filepath.Join(j.StateDir, StageFolder), disk.OS{}); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("sealed before Seal: %v", err)
	}
	s, err := p.Seal()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	var edges []migrate.Edge
	for roster, err := range s.Rosters(t.Context(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		for i := range roster.Chunks {
			chunk, err := roster.Load(i)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range chunk.Edges {
				edges = append(edges, clone(&e))
			}
		}
	}
	return p, s, edges
}

func graph(edges []migrate.Edge) string {
	var list []string
	for _, e := range edges {
		added := ""
		if e.Added {
			added = "+"
		}
		list = append(list, e.From+">"+e.To+added)
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}

func TestStageBalancesAndRemembers(t *testing.T) {
	in := write(t, "friends.csv", "From_Account,To_Account,AddSource,Remark,Extra\n"+
		"a,b,"+src+",old,\n"+"a,a,"+src+",,\n"+"b,c,"+src+",same,\n"+"a,b,"+src+",new,\n"+"b,c,"+src+",same,\n"+"b,,x,,\n"+"c,d,"+src+","+strings.Repeat("y", 97)+",\n")
	var warned []string
	var read, total, rows int64
	j := Request{Inputs: []string{in}, StateDir: filepath.Join(t.TempDir(), "state"), Options: Options{InvalidField: "drop"},
		Warn: func(message string) { warned = append(warned, message) }, Progress: func(r, all, n int64) { read, total, rows = r, all, n }}
	p, s, edges := staged(t, j)
	equal(t, "graph", graph(edges), "a>b b>c c>d")
	equal(t, "sum", fmt.Sprint(p.Counts.Rows, p.Totals.Edges, p.Totals.Duplicates, p.Totals.Differing, p.Counts.Rejected, p.Counts.Changed), "7 3 2 1 2 1")
	equal(t, "rejected by", fmt.Sprint(p.Counts.RejectedBy), "map[To_Account is empty:1 To_Account is the account itself:1]")
	equal(t, "progress reaches the end", fmt.Sprint(read == total, total > 0, rows), "true true 7")
	equal(t, "warnings", len(warned), 2) // an unknown column, no reverses
	meta, err := ReadMeta(s)
	if err != nil {
		t.Fatal(err)
	}
	if meta.Counts.Rows != 7 || meta.Counts.Inputs[0].Digest == "" || meta.Options["--invalid-field"] != "drop" || meta.Counts.ListFormat() != CSV {
		t.Errorf("meta: %+v", meta)
	}
	duplicates := readTable(t, filepath.Join(j.StateDir, DuplicatesList))
	equal(t, "those that differ are listed", len(duplicates), 1)
	equal(t, "duplicate", strings.Join(duplicates[0], ","), "a,b,old,,,"+src+",,,"+in+",2,"+in+",5")
	entries, err := os.ReadDir(j.StateDir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	equal(t, "state folder", strings.Join(names, " "), "changed.csv duplicates.csv rejected.csv staged")
}

func TestUpdatedInputsAreRemembered(t *testing.T) {
	in := write(t, "a.csv", manyRows(3))
	_, s, _ := staged(t, Request{Inputs: []string{in}})
	meta, err := ReadMeta(s)
	if err != nil {
		t.Fatal(err)
	}
	meta.Counts.Inputs[0].Inode++
	c, err := Compare(t.Context(), meta.Counts.Inputs, Request{Inputs: []string{in}})
	if err != nil || !c.Updated {
		t.Fatalf("got %+v, %v", c, err)
	}
	if err := UpdateInputs(s, c.Inputs); err != nil {
		t.Fatal(err)
	}
	meta, err = ReadMeta(s)
	if err != nil {
		t.Fatal(err)
	}
	c, err = Compare(t.Context(), meta.Counts.Inputs, Request{Inputs: []string{in}})
	if err != nil || c.Updated || c.Match != Same {
		t.Errorf("got %+v, %v", c, err)
	}
}

func TestDuplicatesPolicies(t *testing.T) {
	in := write(t, "a.csv", "From_Account,To_Account,AddSource,Remark\na,b,"+src+",1\na,b,"+src+",2\na,b,"+src+",3\n")
	for policy, want := range map[string]string{"": "3", "last": "3", "first": "1"} {
		_, _, edges := staged(t, Request{Inputs: []string{in}, Options: Options{Duplicates: policy}})
		equal(t, "--duplicates "+policy, edges[0].Remark, want)
	}
	state := t.TempDir()
	_, err := ReadInputs(t.Context(), Request{Inputs: []string{in}, StateDir: state, Options: Options{Duplicates: "error"}})
	var pairs *stage.DuplicatesError
	if !errors.Is(err, ErrUnusable) || !errors.As(err, &pairs) || len(pairs.First) == 0 {
		t.Errorf("--duplicates error: got %v", err)
	}
}

func TestMutualGivesTheWholeGraph(t *testing.T) {
	in := write(t, "a.csv", "From_Account,To_Account,AddSource,Remark\na,b,"+src+",x\nb,a,"+src+",y\nc,a,"+src+",z\nc,c,"+src+",\n")
	p, _, edges := staged(t, Request{Inputs: []string{in}, Options: Options{Mutual: true}})
	equal(t, "graph", graph(edges), "a>b a>c+ b>a c>a")
	equal(t, "sum", fmt.Sprint(p.Counts.Rows, p.Totals.Edges, p.Totals.Added, p.Totals.Duplicates, p.Counts.Rejected), "4 4 1 0 1")
}

func TestShardsShareTheRows(t *testing.T) {
	var content strings.Builder
	content.WriteString("From_Account,To_Account,AddSource\nbroken\"\n,nobody," + src + "\n")
	for i := range 500 {
		fmt.Fprintf(&content, "u%d,v%d,%s\nu%d,u%d,%s\n", i, i, src, i, i, src)
	}
	in := write(t, "a.csv", content.String())
	for _, mutual := range []bool{false, true} {
		_, _, all := staged(t, Request{Inputs: []string{in}, Options: Options{Mutual: mutual}})
		var union []migrate.Edge
		var rows, rejected int64
		for i := range 3 {
			p, _, edges := staged(t, Request{Inputs: []string{in}, Options: Options{Mutual: mutual}, Shard: i, Shards: 3})
			union = append(union, edges...)
			rows += p.Counts.Rows
			rejected += p.Counts.Rejected
			equal(t, "rejected in all", fmt.Sprint(p.Counts.Rejected+p.Counts.RejectedElsewhere), "502")
			if i == 0 && p.Counts.RejectedBy["quotes are broken"]+p.Counts.RejectedBy["From_Account is empty"] != 2 {
				t.Errorf("rows without an account belong to shard 0: %v", p.Counts.RejectedBy)
			}
		}
		equal(t, "rows", fmt.Sprint(rows, rejected), "1002 502")
		equal(t, "graph", graph(union), graph(all))
	}
}

func TestStandardInputAndSeveralInputs(t *testing.T) {
	a := write(t, "a.jsonl", line("")+"\n")
	p, _, edges := staged(t, Request{Inputs: []string{a, Standard}, Stdin: strings.NewReader("From_Account,To_Account,AddSource\nc,d," + src + "\n"), Options: Options{Format: CSV}})
	equal(t, "graph", graph(edges), "a>b c>d")
	equal(t, "lists", p.Counts.ListFormat(), JSONL)
	equal(t, "name", p.Counts.InputName(1), Standard)
	_, err := ReadInputs(t.Context(), Request{Inputs: []string{Standard}, Stdin: strings.NewReader(""), StateDir: t.TempDir(), Options: Options{Format: CSV}, Shards: 2})
	if !errors.Is(err, ErrUnusable) {
		t.Errorf("standard input with shards: got %v", err)
	}
}

func TestUnusableOptions(t *testing.T) {
	for _, o := range []Options{
		{Format: "xml"}, {InvalidField: "keep"}, {Duplicates: "all"}, {DefaultAddSource: "Web"}, {IntegerTags: []string{""}},
		{Map: map[string]string{"From": "uid"}}, {Map: map[string]string{"From_Account": ""}}, {Map: map[string]string{"CustomItem": "x"}}, {Map: map[string]string{"": "x"}},
		{Map: map[string]string{"From_Account": "uid", "To_Account": "uid"}},
	} {
		_, err := ReadInputs(t.Context(), Request{Inputs: []string{"a.csv"}, StateDir: "never", Options: o})
		var option *OptionError
		if !errors.As(err, &option) || !errors.Is(err, ErrUnusable) {
			t.Errorf("%+v: got %v", o, err)
		}
	}
	for flag, o := range map[Flag]Options{
		{"format", "csv"}: {Format: "CSV"}, {"invalid-field", "reject"}: {InvalidField: "keep"}, {"duplicates", "first"}: {Duplicates: "firs"},
		{"default-add-source", "AddSource_Type_Web"}: {DefaultAddSource: "Web"}, {"default-add-source", "AddSource_Type_WORD"}: {DefaultAddSource: "AddSource_Type_网"},
		{"integer-tags", "Tag_SNS_Custom_WORD,A"}: {IntegerTags: []string{"my-tag", "A"}},
		{"map", "From_Account=uid"}:               {Map: map[string]string{"from_account": "uid"}}, {"map", ""}: {Map: map[string]string{"nick": "uid"}},
	} {
		equal(t, "better", Better(o.Check()), flag)
	}
	if _, err := os.Stat("never"); !errors.Is(err, fs.ErrNotExist) {
		t.Error("a state folder was made")
	}
}

func TestSameFlagsInAnotherOrderAreTheSameJob(t *testing.T) {
	a := Options{Map: map[string]string{"From_Account": "f", "To_Account": "t"}, IntegerTags: []string{"B", "Tag_SNS_Custom_A", "A"}, Format: "ndjson", MaxFriends: 3000}
	b := Options{Map: map[string]string{"To_Account": "t", "From_Account": "f"}, IntegerTags: []string{"A", "B"}, Format: "jsonl", InvalidField: "reject", Duplicates: "last"}
	equal(t, "canonical", fmt.Sprint(a.Canonical()), fmt.Sprint(b.Canonical()))
	b.Mutual = true
	if fmt.Sprint(a.Canonical()) == fmt.Sprint(b.Canonical()) {
		t.Error("--mutual makes another job")
	}
}

func TestNothingIsLeftAfterAnError(t *testing.T) {
	state := t.TempDir()
	in := write(t, "a.csv.gz", gzipped(t, manyRows(5000))[:3000])
	_, err := ReadInputs(t.Context(), Request{Inputs: []string{in}, StateDir: state})
	if !errors.Is(err, ErrUnusable) {
		t.Fatalf("got %v", err)
	}
	filepath.WalkDir(state, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			t.Errorf("%s is left", path)
		}
		return err
	})
}

func TestReadingEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe() // a terminal at which nobody types
	defer w.Close()
	go func() {
		io.WriteString(w, "From_Account,To_Account,AddSource\n")
		cancel()
	}()
	_, err := ReadInputs(ctx, Request{Inputs: []string{Standard}, Stdin: r, StateDir: t.TempDir(), Options: Options{Format: CSV}})
	if !errors.Is(err, context.Canceled) || errors.Is(err, ErrUnusable) {
		t.Fatalf("got %v", err)
	}
}

func TestFullDiskIsNoUnusableInput(t *testing.T) {
	in := write(t, "a.csv", manyRows(10))
	_, err := ReadInputs(t.Context(), Request{Inputs: []string{in}, StateDir: t.TempDir(), FS: fullFS{}})
	if !errors.Is(err, errFull) || errors.Is(err, ErrUnusable) {
		t.Fatalf("got %v", err)
	}
}

// badRows are the lines of the fixtures that are not valid, and why.
func badRows(t *testing.T, name string) (bad string, r result) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("..", "testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	r = mustRead(t, Options{IntegerTags: []string{"Tag_SNS_Custom_Level"}}, name, string(content))
	return r.reasons(), r
}

func TestEveryBadRowIsNamedAndEveryGoodOneArrives(t *testing.T) {
	for _, name := range []string{"bad-rows.csv", "bad-rows.jsonl"} {
		t.Run(name, func(t *testing.T) {
			got, r := badRows(t, name)
			want, err := os.ReadFile(filepath.Join("..", "testdata", name+".expected"))
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "rejected", strings.ReplaceAll(got, "; ", "\n")+"\n", string(want))
			good := 0
			for _, e := range r.Edges {
				if !strings.HasPrefix(e.From, "good") {
					t.Errorf("line %d is valid", e.Line)
				}
				good++
			}
			content, err := os.ReadFile(filepath.Join("..", "testdata", name))
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "good rows", good, strings.Count(string(content), "good,")+strings.Count(string(content), `"good"`))
		})
	}
}

// A buffer that was kept at the end of every input once made reading hang in input 2 * lanes + 2.
func TestAnyNumberOfInputs(t *testing.T) {
	const header = "From_Account,To_Account,AddSource\n"
	kinds := []struct {
		name    string
		content func(i int) string
	}{
		{"%d.csv", func(i int) string { return header + fmt.Sprintf("u%d,v%d,%s\n", i, i, src) }},
		{"%d.jsonl", func(i int) string {
			return fmt.Sprintf(`{"From_Account":"u%d","To_Account":"v%d","AddSource":"%s"}`, i, i, src)
		}},
		{"%d.csv.gz", func(i int) string { return gzipped(t, header+fmt.Sprintf("u%d,v%d,%s\n", i, i, src)) }},
		{"%d.jsonl.zst", func(i int) string {
			return zstandard(t, fmt.Sprintf(`{"From_Account":"u%d","To_Account":"v%d","AddSource":"%s"}`, i, i, src))
		}},
		{"%d-header-alone.csv", func(int) string { return header }},
	}
	for _, lanes := range []int{1, 2, 5} {
		for _, n := range []int{1, 2, 2*lanes + 1, 2*lanes + 2, 40} {
			for k, kind := range append(kinds, kinds[0]) { // the last time all kinds in turn
				if k < len(kinds) && n != 2*lanes+2 {
					continue
				}
				folder, rows := t.TempDir(), 0
				for i := range n {
					if k == len(kinds) {
						kind = kinds[i%len(kinds)]
					}
					if i == n-1 {
						kind = kinds[0] // has a row, so that there is one
					}
					if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf(kind.name, i)), []byte(kind.content(i)), 0o600); err != nil {
						t.Fatal(err)
					}
					if !strings.Contains(kind.name, "alone") {
						rows++
					}
				}
				j := Request{Inputs: []string{folder}, StateDir: t.TempDir(), Lanes: lanes, FS: quickFS{}}
				p, err := ReadInputs(t.Context(), j)
				if err != nil {
					t.Fatal(err)
				}
				if p.Counts.Rows != int64(rows) || len(p.Counts.Inputs) != n {
					t.Errorf("%d of %s, %d lanes: %d rows of %d inputs", n, kind.name, lanes, p.Counts.Rows, len(p.Counts.Inputs))
				}
			}
		}
	}
}

// countingFS counts how many inputs are open at once.
type countingFS struct {
	quickFS
	open, most *atomic.Int64
}

func (f countingFS) OpenFile(name string, flag int, perm fs.FileMode) (disk.File, error) {
	file, err := f.quickFS.OpenFile(name, flag, perm)
	if err != nil || !strings.HasSuffix(name, ".csv") || flag != os.O_RDONLY {
		return file, err
	}
	f.most.Store(max(f.most.Load(), f.open.Add(1)))
	return countedFile{file, f.open}, nil
}

type countedFile struct {
	disk.File
	open *atomic.Int64
}

func (f countedFile) Close() error {
	f.open.Add(-1)
	return f.File.Close()
}

func TestThousandsOfInputsAreOpenOneAfterTheOther(t *testing.T) {
	folder := t.TempDir()
	const n = 600
	for i := range n {
		row := fmt.Sprintf("From_Account,To_Account,AddSource\nu%d,v%d,%s\n", i, i, src)
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("%d.csv", i)), []byte(row), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var open, most atomic.Int64
	p, s, _ := staged(t, Request{Inputs: []string{folder}, FS: countingFS{open: &open, most: &most}})
	equal(t, "rows", p.Counts.Rows, n)
	meta, err := ReadMeta(s)
	if err != nil {
		t.Fatal(err)
	}
	for i := range meta.Counts.Inputs { // so that each is read again
		meta.Counts.Inputs[i].ModTime++
	}
	c, err := Compare(t.Context(), meta.Counts.Inputs, Request{Inputs: []string{folder}, FS: countingFS{open: &open, most: &most}})
	if err != nil || c.Match != Same || !c.Updated {
		t.Errorf("compared: %+v, %v", c.Match, err)
	}
	equal(t, "open at once", most.Load(), 1)
	equal(t, "open at the end", open.Load(), 0)
}

// On 96 processors the lanes alone once needed more memory than there is by default.
func TestLanesFollowFromMemory(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	in := write(t, "a.csv", manyRows(1000))
	for _, processors := range []int{1, 2, 96, 1000} {
		runtime.GOMAXPROCS(processors)
		for _, memory := range []int64{1, 35 << 20, 140 << 20, 1 << 40} {
			if lanes := Lanes(memory); lanes < 1 || lanes > processors || int64(lanes)*8<<20 > max(memory, 8<<20) {
				t.Errorf("%d lanes on %d processors with %d bytes", lanes, processors, memory)
			}
			p, err := ReadInputs(t.Context(), Request{Inputs: []string{in}, StateDir: t.TempDir(), Memory: min(memory, 140<<20), FS: quickFS{}})
			if err != nil {
				t.Fatalf("%d processors, %d bytes: %v", processors, memory, err)
			}
			equal(t, "rows", p.Counts.Rows, 1000)
		}
	}
}

// Each field is within its limit, but not all of them together.
func TestAnEdgeThatIsTooLargeIsRejectedWithTheLimit(t *testing.T) {
	var names, values strings.Builder
	for i := range stage.MaxEdgeBytes / maxCustom {
		fmt.Fprintf(&names, ",Tag_SNS_Custom_%c%c", 'A'+i/26, 'A'+i%26)
		values.WriteString("," + strings.Repeat("v", maxCustom))
	}
	in := write(t, "a.csv", "From_Account,To_Account,AddSource"+names.String()+"\na,b,"+src+values.String()+"\n"+
		"a,c,"+src+strings.Repeat(",", strings.Count(names.String(), ","))+"\n")
	p, _, edges := staged(t, Request{Inputs: []string{in}})
	equal(t, "rejected by", fmt.Sprint(p.Counts.RejectedBy), "map[the texts of the edge are together over 64 KiB:1]")
	equal(t, "graph", graph(edges), "a>c")
}
