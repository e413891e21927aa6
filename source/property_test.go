package source

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"friendmigrate/migrate"
	"friendmigrate/migrate/disk"
)

// messyCSV is made of pieces that begin, break, quote and end records in all ways.
func messyCSV(random *rand.Rand) string {
	pieces := []string{"a,b," + src + "\n", "c,d," + src + ",\"x\ny\"\n", "\"e\",\"f\",\"" + src + "\",\"\"\"\"\r\n", "\n", "\r\n", "\"", "\"\"", ",", "g,h", "\r", "\n",
		"i,\"j\nk,l," + src + ",\n", strings.Repeat("m", 90), "n,o," + src + ",\xff\n", "汉,p," + src + ",\"\r\n\"\n", "q,q," + src + ",\n",
		"\ufeff", "\ufeffr,s," + src + ",\n", "\ufeff\"t\",u," + src + ",\n", "From_Account,To_Account,AddSource,Remark\n"}
	var b strings.Builder
	b.WriteString("From_Account,To_Account,AddSource,Remark\n")
	for range random.IntN(25) {
		piece := pieces[random.IntN(len(pieces))]
		if piece == "\"" && random.IntN(3) > 0 {
			continue
		}
		b.WriteString(piece)
	}
	return b.String()
}

func messyJSONL(random *rand.Rand) string {
	pieces := []string{line("") + "\n", line(`,"Remark":"汉\n"`) + "\r\n", "\n", "{", "}", "\r", " ", "null\n", strings.Repeat("m", 90), "\xff", line(`,"unknown":1`) + "\n", "\"", "\ufeff"}
	var b strings.Builder
	for range random.IntN(25) {
		b.WriteString(pieces[random.IntN(len(pieces))])
	}
	return b.String()
}

func TestBlocksAndParsersChangeNothing(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	opened := 0
	for round := range 60 {
		in := text{"a.csv", messyCSV(random)}
		if round%3 == 2 {
			in = text{"a.jsonl", messyJSONL(random)}
		}
		limit := []int{40, 100, recordLimit}[random.IntN(3)]
		o := Options{InvalidField: "drop"}
		read := func(size, lanes int) (result, string) {
			r, err := readTexts(t, o, func(r *reading) { r.size, r.limit, r.parsers, r.buffers = size, limit, lanes, lanes+1 }, in)
			if err != nil {
				return result{}, err.Error()[strings.LastIndexByte(err.Error(), '/'):] // without the temporary folder
			}
			for _, a := range r.Counts.AllRejected {
				a.First[0] = ""
			}
			r.Counts.Inputs, r.Counts.ManyLines.Input = nil, ""
			return r, ""
		}
		want, wantErr := read(blockSize, 1)
		if wantErr != "" {
			opened++
		}
		for _, size := range []int{3, 64, 1000} {
			got, gotErr := read(size, 1+random.IntN(3))
			if gotErr != wantErr || !reflect.DeepEqual(got, want) {
				t.Fatalf("limit %d, blocks of %d:\n%q\ngot  %+v %s\nwant %+v %s", limit, size, in.content, got, gotErr, want, wantErr)
			}
		}
	}
	if opened == 0 || opened > 40 {
		t.Errorf("%d of 60 inputs could not be read: this test shows little", opened)
	}
}

func TestOrderOfRowsChangesNothingButLines(t *testing.T) {
	random := rand.New(rand.NewPCG(9, 10))
	var records []string
	for i := range 300 {
		records = append(records, []string{
			fmt.Sprintf("u%d,v%d,%s,\n", i, i, src), fmt.Sprintf("\"u%d\",v%d,%s,\"two\nlines\"\n", i, i, src), fmt.Sprintf("u%d,u%d,%s,\n", i, i, src),
			fmt.Sprintf("u%d,\"v%d\"x,%s,\n", i, i, src), fmt.Sprintf("u%d,v%d\n", i, i), fmt.Sprintf("u%d,v%d,%s,%s\r\n", i, i, src, strings.Repeat("x", 97)), "\n",
		}[random.IntN(7)])
	}
	type outcome struct{ what, at string }
	read := func(size, lanes int) []outcome {
		content := "From_Account,To_Account,AddSource,Remark\n" + strings.Join(records, "")
		lines := strings.Split(content, "\n")
		r, err := readTexts(t, Options{}, func(r *reading) { r.size, r.parsers = size, lanes }, text{"a.csv", content})
		if err != nil {
			t.Fatal(err)
		}
		var list []outcome
		for _, e := range r.Edges {
			at := lines[e.Line-1]
			e.Position = migrate.Position{}
			list = append(list, outcome{fmt.Sprint(e), at})
		}
		for _, row := range r.Rejected {
			var n int
			fmt.Sscan(row[1], &n)
			list = append(list, outcome{fmt.Sprint(row[2:]), lines[n-1]})
		}
		slices.SortFunc(list, func(a, b outcome) int { return strings.Compare(a.what+a.at, b.what+b.at) })
		return list
	}
	want := read(blockSize, 1)
	for _, size := range []int{50, 1000, blockSize} {
		random.Shuffle(len(records), func(i, j int) { records[i], records[j] = records[j], records[i] })
		if got := read(size, 3); !reflect.DeepEqual(got, want) {
			t.Fatalf("blocks of %d: got %v, want %v", size, got, want)
		}
	}
}

// naiveCut is the cutter in the simplest words: what encoding/csv takes for a record from the
// beginning of a line on is one, else its first line is rejected.
func naiveCut(b []byte, columns int) (n int, kind recordKind, cells []string) {
	first := bytes.IndexByte(b, '\n') + 1
	if len(trimCR(b[:first-1])) == 0 {
		return first, recordBlank, nil
	}
	read := func(b []byte) (cells []string, n int, err error) {
		r := csv.NewReader(bytes.NewReader(b))
		r.FieldsPerRecord = -1
		cells, err = r.Read()
		return cells, int(r.InputOffset()), err
	}
	cells, n, err := read(b)
	switch {
	case err != nil:
		return first, recordQuotes, nil
	case len(cells) != columns:
		return first, recordColumns, nil
	}
	// encoding/csv makes "\n" of every line end within quotes. With one '\r' more it keeps them.
	if inner := b[:n-1]; bytes.Contains(inner, []byte("\r\n")) {
		exact := bytes.ReplaceAll(trimCR(inner), []byte("\r\n"), []byte("\r\r\n"))
		cells, _, _ = read(append(exact, '\n'))
	}
	return n, recordWhole, cells
}

// FuzzCutCSV holds the cutter against encoding/csv, at every step and for every amount of bytes at
// hand.
func FuzzCutCSV(f *testing.F) {
	random := rand.New(rand.NewPCG(11, 12))
	for range 20 {
		f.Add([]byte(messyCSV(random)), 4)
	}
	for _, seed := range []string{"a,\"b\nc\"\nd", "\"a\"\r\nb\"c", "\"\"\"\",\"\n", "a\rb,\"c\"\r\r\n", "\"", "\"\n\""} {
		f.Add([]byte(seed), 2)
	}
	f.Fuzz(func(t *testing.T, b []byte, columns int) {
		if len(b) == 0 || len(b) > 1<<12 || columns < 1 || columns > 1<<12 {
			return
		}
		if b[len(b)-1] != '\n' {
			b = append(b, '\n')
		}
		for len(b) > 0 {
			f := recordFinder{columns: columns, limit: recordLimit}
			n, kind := f.next(b, true)
			wantN, wantKind, want := naiveCut(b, columns)
			if n != wantN || kind != wantKind {
				t.Fatalf("%q, %d columns: got %d bytes, kind %d, want %d, %d", b, columns, n, kind, wantN, wantKind)
			}
			if kind == recordWhole {
				p := csvParser{layout: &layout{wanted: slices.Repeat([]bool{true}, columns)}}
				if p.add(trimCR(b[:n-1]), f.ends, bytes.Count(b[:n], []byte{'\n'}) > 1); !slices.Equal(p.cells, want) {
					t.Fatalf("%q: got cells %q, want %q", b, p.cells, want)
				}
			}
			for _, have := range []int{1, len(b) / 2, n - 1, min(n+1, len(b))} {
				f := recordFinder{columns: columns, limit: recordLimit}
				if n2, kind2 := f.next(b[:have], false); kind2 != recordMore && (n2 != n || kind2 != kind) {
					t.Fatalf("%q: with %d bytes %d %d, with all %d %d", b, have, n2, kind2, n, kind)
				}
			}
			b = b[n:]
		}
	})
}

// noFS has no files: nothing of a small input is spilled.
type noFS struct{ disk.FS }

func (noFS) Remove(string) error { return nil }

// readBytes reads content without touching a file.
func readBytes(t *testing.T, format, content string, size int) ([]migrate.Edge, []string) {
	l := &layout{name: "fuzz", format: format}
	o := Options{}
	reader := newBlockReader(strings.NewReader(content), l, size, recordLimit)
	var sink memoryLane
	lists := newLists(noFS{}, "", []string{"fuzz"})
	p := &parser{lane: &sink, owns: func(string) bool { return true }, lists: lists, limit: recordLimit, valid: validator{rules: o.rules()}, tally: newTally()}
	r := &reading{rules: o.rules(), opener: opener{progress: new(readProgress)}}
	header, err := reader.header(new(block))
	if err == nil && format == CSV {
		err = l.readHeader(header, reader.headerLine, r.rules)
	}
	if err != nil {
		t.Fatal(err)
	}
	free, full := make(chan *block, 1), make(chan *block, 1)
	b := new(block)
	for {
		if err := reader.next(b); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		full <- b
		close(full)
		if err := r.parse(t.Context(), p, free, full); err != nil {
			if errors.Is(err, ErrUnusable) { // lines that end in CR, a second header with other columns
				t.Skip()
			}
			t.Fatal(err)
		}
		<-free
		clear(b.data) // nothing of it is kept
		full = make(chan *block, 1)
	}
	var rejected []string
	for row, err := range lists.rejected.Rows(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		rejected = append(rejected, fmt.Sprint(row.Line, string(row.Data)))
	}
	if p.tally.Rows != int64(len(sink.edges)+len(rejected)) {
		t.Fatalf("%d rows are not %d edges and %d rejected", p.tally.Rows, len(sink.edges), len(rejected))
	}
	return sink.edges, append(rejected, fmt.Sprint(p.tally.by, p.tally.ignored))
}

// FuzzRead reads anything as CSV and as JSONL: no row is lost, nothing but the limits of the
// product ends the job, and the size of blocks changes nothing.
func FuzzRead(f *testing.F) {
	random := rand.New(rand.NewPCG(13, 14))
	for range 5 {
		f.Add(messyCSV(random), true, uint8(random.Uint()))
		f.Add(messyJSONL(random), false, uint8(random.Uint()))
	}
	f.Fuzz(func(t *testing.T, content string, isCSV bool, size uint8) {
		format := JSONL
		if isCSV {
			format = CSV
			content = "From_Account,To_Account,AddSource,Remark\n" + content
		}
		if len(content) > 1<<12 || strings.HasPrefix(content, "\xff\xfe") || strings.HasPrefix(content, "\xfe\xff") {
			return
		}
		edges, rejected := readBytes(t, format, content, 1<<13)
		for i := range edges {
			e := edges[i]
			if _, r, _ := validate(Options{}, e, numbers{}); r.reason != "" || !utf8.ValidString(fmt.Sprint(e)) {
				t.Fatalf("%v is staged, and %v", e, r)
			}
		}
		edges2, rejected2 := readBytes(t, format, content, max(int(size), 3))
		if !reflect.DeepEqual(edges, edges2) || !reflect.DeepEqual(rejected, rejected2) {
			t.Fatalf("blocks of %d:\n%q", size, content)
		}
	})
}
