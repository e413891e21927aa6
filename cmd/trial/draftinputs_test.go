package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"friendmigrate/cmd/trial/lab"
)

// inputs are the inputs of one case and the command line that names them.
type inputs struct {
	rand  *rand.Rand
	dir   string
	args  []string
	stdin io.Reader

	files                  []draftFile
	folder                 bool // the folder is named, not its files
	leftFiles, leftFolders int64
	hidden                 int
	list                   []string // of --only-accounts; nil: none
	listEnds, listHead     string
	allowEmpty             bool

	sum count
}

type draftFile struct {
	name, format string
	text         []byte // unpacked
	alien        bool   // of a kind that is not read
}

// drawInputs draws a case.
func drawInputs(r *rand.Rand, dir string) *inputs {
	d := &inputs{rand: r, dir: dir, folder: r.IntN(2) == 0, allowEmpty: r.IntN(8) == 0}
	d.sum.from = map[string]bool{}
	n := []int{0, 1, 1, 1, 2, 2 + r.IntN(4), 2 + r.IntN(4), 6 + r.IntN(15), 6 + r.IntN(15), 20 +
		r.IntN(181)}[r.IntN(10)]
	most := []int{0, 1, 20, 20, 20, 200}[r.IntN(6)]
	odd := r.IntN(3) == 0 // some file of the case may not be read at all
	for i := range n {
		f := d.file(i, r.IntN(most+1), odd)
		c := readSimply(f.format, f.text)
		if f.alien {
			c.unusable = "of another kind"
		}
		d.files = append(d.files, f)
		d.sum.rows, d.sum.rejected = d.sum.rows+c.rows, d.sum.rejected+c.rejected
		if c.unusable != "" {
			d.sum.unusable = c.unusable
		}
		maps.Copy(d.sum.from, c.from)
	}
	if d.folder && r.IntN(2) == 0 {
		d.leftFiles, d.leftFolders, d.hidden = int64(r.IntN(4)), int64(r.IntN(3)), r.IntN(3)
	}
	d.command()
	return d
}

// pick draws one of several texts. One that stands there more often is more likely.
func (d *inputs) pick(from ...string) string { return from[d.rand.IntN(len(from))] }

// oneIn is true in one of n cases.
func (d *inputs) oneIn(n int) bool { return d.rand.IntN(n) == 0 }

// aliens are texts of other kinds than their names say.
var aliens = map[string][]string{
	"csv": {"From_Account;To_Account;AddSource\na;b;AddSource_Type_X\n", "PK\x03\x04zip", "BZh91AY&SY",
		"\xff\xfeF\x00r\x00o\x00m\x00", "{\"From_Account\":\"a\"}\n"},
	"jsonl": {"[\n{\"From_Account\":\"a\",\"To_Account\":\"b\"}\n]\n",
		"From_Account,To_Account,AddSource\na,b,AddSource_Type_X\n",
		"{\n  \"From_Account\": \"a\",\n  \"To_Account\": \"b\"\n}\n"},
}

// file draws an input of so many rows.
func (d *inputs) file(i, rows int, odd bool) draftFile {
	f := draftFile{format: d.pick("csv", "csv", "jsonl")}
	end := d.pick("\n", "\n", "\n", "\r\n")
	if odd && d.oneIn(4) {
		end = "\r"
	}
	text := strings.Join(append(d.lines(f.format, rows), ""), end)
	if d.oneIn(4) {
		text = strings.TrimSuffix(text, end)
	}
	if d.oneIn(6) {
		text = "\ufeff" + text
	}
	if f.alien = odd && d.oneIn(12); f.alien {
		text = d.pick(aliens[f.format]...)
	}
	suffix := "." + f.format
	if f.format == "jsonl" {
		suffix = d.pick(".jsonl", ".ndjson")
	}
	f.text = []byte(text)
	f.name = fmt.Sprintf("%s%03d%s%s", d.pick("part-", "a b ", "ü", "x.csv-"), i, suffix,
		d.pick("", "", "", ".gz", ".zst"))
	return f
}

// lines draws the lines of an input of so many rows. Some kinds of rows are odd, or rejected.
func (d *inputs) lines(format string, rows int) (lines []string) {
	quotes := d.rand.IntN(3) // none, some, all
	columns := strings.Fields(d.pick("From_Account To_Account AddSource", "To_Account AddSource From_Account Remark",
		"id From_Account Remark To_Account AddSource"))
	header := func() string { return d.csv(columns, quotes) }
	if format == "csv" && (rows > 0 || d.oneIn(2)) {
		lines = append(lines, header())
	}
	objects := false // there was one
	for range rows {
		kind := d.rand.IntN(40)
		row := d.row(kind)
		text := string(lab.Must(json.Marshal(row)))
		if format == "csv" {
			cells := slices.Clone(columns)
			for i, name := range columns {
				cells[i] = row[name]
			}
			text = d.csv(cells, quotes)
		}
		switch {
		case kind == 5:
			text = "" // no row
		case kind == 6:
			text = "\ufeff" + text
		case kind == 7 && format == "csv":
			text = header()
		case kind == 8 && format == "csv":
			text = d.pick(`a"b,c`, `"a"b,c,d`, "a", "a,b,c,d,e,f,g")
		case kind == 8 && objects:
			// Before the first object it may say that the file is of another kind.
			text = d.pick(`{"From_Account":"a"`, "[]", "7", `"text"`, "{]")
		}
		lines, objects = append(lines, text), objects || strings.Contains(text, "{")
	}
	return lines
}

// csv writes a record, with quotes around no cell that needs none (0), some (1) or all (2).
func (d *inputs) csv(cells []string, quotes int) string {
	cells = slices.Clone(cells)
	for i, s := range cells {
		if quotes == 2 || quotes == 1 && d.oneIn(3) || strings.ContainsAny(s, ",\"\n") {
			cells[i] = `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
		}
	}
	return strings.Join(cells, ",")
}

// row draws the fields of a row; some kinds are rejected.
func (d *inputs) row(kind int) map[string]string {
	row := map[string]string{
		"From_Account": fmt.Sprintf("u%d", d.rand.IntN(12)), "To_Account": fmt.Sprintf("f%d", d.rand.IntN(300)),
		"AddSource": "AddSource_Type_Web", "Remark": d.pick("", "hello", "a, b", `the "one"`, "two\nlines", "汉字"),
	}
	switch kind {
	case 0:
		row["From_Account"] = ""
	case 1:
		row["To_Account"] = row["From_Account"]
	case 2:
		row["To_Account"] = strings.Repeat("x", 33)
	case 3:
		row["AddSource"] = d.pick("", "Web", "AddSource_Type_123", "AddSource_Type_Abcdefghi")
	case 4:
		row["From_Account"] = "a\tb"
	}
	return row
}

// command draws the command line.
func (d *inputs) command() {
	names := []string{"in"}
	if !d.folder {
		names = nil
		for _, f := range d.files {
			names = append(names, filepath.Join("in", f.name))
		}
	}
	add := func(flags ...string) { d.args = append(d.args, flags...) }
	if d.oneIn(3) {
		add("import", "--rehearse", "--progress", d.pick("none", "lines"))
		if d.oneIn(2) {
			d.drawList()
			add("--only-accounts", "list.txt")
		}
	} else {
		add("plan", "--json")
	}
	if d.allowEmpty {
		add("--allow-empty")
	}
	if d.oneIn(3) {
		add("--memory", d.pick("64MiB", "128MiB", "512MiB"))
	}
	if d.oneIn(4) {
		add("--duplicates", d.pick("first", "last"))
	}
	if len(d.files) == 1 && !d.folder && d.oneIn(3) {
		f := d.files[0]
		add("--format", f.format)
		d.stdin, names = bytes.NewReader(lab.Pack(f.name, f.text)), []string{"-"}
	}
	add(names...)
}

// drawList draws a list of accounts: some that occur, some that do not, or nobody.
func (d *inputs) drawList() {
	d.list, d.listEnds = []string{}, d.pick("\n", "\n", "\r\n", "\r")
	d.listHead = d.pick("", "", "From_Account", "\ufeff")
	for range d.rand.IntN(6) {
		d.list = append(d.list, fmt.Sprintf("%s%d", d.pick("u", "u", "nobody"), d.rand.IntN(12)))
	}
}

// want are the exit codes that are right.
func (d *inputs) want() []int {
	known := slices.ContainsFunc(d.list, func(account string) bool { return d.sum.from[account] })
	unreadable := d.listEnds == "\r" && (len(d.list) > 1 || len(d.list) == 1 && d.listHead == "From_Account")
	nothing := len(d.files) == 0 && d.folder && d.leftFiles+d.leftFolders == 0 // an empty folder
	noRows := d.sum.rows+d.sum.rejected == 0
	switch {
	case d.list != nil && (unreadable || len(d.list) == 0 || !noRows && !known),
		len(d.files) == 0 && !nothing, d.sum.unusable != "", noRows && !d.allowEmpty:
		return []int{2}
	case d.list != nil && d.sum.rejected > 0: // it depends on whose rows these are
		return []int{0, 3}
	case d.sum.rejected > 0:
		return []int{3}
	}
	return []int{0}
}

func (d *inputs) story() string {
	return fmt.Sprintf("%d files, %d rows, %d rejected, unusable %q, list %q of %q ending in %q", len(d.files),
		d.sum.rows, d.sum.rejected, d.sum.unusable, d.list, d.listHead, d.listEnds)
}

// write writes all files.
func (d *inputs) write() {
	lab.Check(os.MkdirAll(d.dir, 0o700))
	write := func(name string, text []byte) { lab.Check(os.WriteFile(filepath.Join(d.dir, name), text, 0o600)) }
	for _, f := range d.files {
		write(f.name, lab.Pack(f.name, f.text))
	}
	for i := range d.leftFiles {
		write(fmt.Sprintf("notes%d%s", i, d.pick(".txt", "", ".csv.bak", ".pdf")), []byte("a,b\n"))
	}
	for i := range d.hidden {
		write(fmt.Sprintf("%s%d.csv", d.pick(".", "_"), i), []byte("a,b\n"))
	}
	for i := range d.leftFolders {
		lab.Check(os.Mkdir(filepath.Join(d.dir, fmt.Sprintf("more%d", i)), 0o700))
	}
	if d.list != nil {
		head := d.listHead
		if head == "From_Account" {
			head += d.listEnds
		}
		write("../list.txt", []byte(head+strings.Join(append(d.list, ""), d.listEnds)))
	}
}
