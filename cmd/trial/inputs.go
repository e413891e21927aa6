package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"friendmigrate/cmd/trial/lab"
)

// everyday gives the program inputs and a command line as people have them, and holds what it says
// of them against a simple reader: nothing hangs, no input changes, and every row there is was
// read, rejected or is in something that is named as left out.
func everyday(_ context.Context, c *bench) (int, error) {
	d := draftInputs(c.rand, filepath.Join(c.dir, "in"))
	if err := d.write(); err != nil {
		return 0, err
	}
	before, err := contents(d.dir)
	if err != nil {
		return 0, err
	}
	binary, ok := c.program.(lab.Binary)
	if !ok {
		return 0, fmt.Errorf("the row inputs needs the program itself")
	}
	env := []string{fmt.Sprintf("GOMAXPROCS=%d", 1+c.rand.IntN(16))}
	p, err := binary.RunIn(c.dir, env, d.stdin, d.args...)
	if err != nil {
		return 0, err
	}
	end := p.Wait(time.Minute)
	fail := func(format string, args ...any) {
		c.wrong = append(c.wrong, fmt.Sprintf("%s: %s\n    %s %.300s (%s)", fmt.Sprintf(format, args...), end.Last,
			env[0],
			strings.Join(d.args, " "), d.story()))
	}
	if after, err := contents(d.dir); err != nil || !maps.Equal(before, after) {
		fail("an input was changed (%v)", err)
	}
	switch want := d.want(); {
	case end.Code == lab.Hung:
		fail("it hangs\n%s", end.Out)
	case !slices.Contains(want, end.Code):
		fail("it ended with %d, not with one of %v", end.Code, want)
	case end.Code == 2:
		if !strings.Contains(end.Last, "; hint: ") {
			fail("no hint")
		}
	default:
		got, err := d.told(c.dir, end)
		if err != nil {
			return 0, err
		}
		if wanted := d.counted(); got != wanted {
			fail("it tells of %+v, and there are %+v", got, wanted)
		}
	}
	return 1, nil
}

// told is what a run says it found.
type told struct {
	rows, rejected int64
	others         bool  // rows are the sum of all that became of them
	files, folders int64 // left out
}

func (d *inputs) counted() told {
	t := told{rows: d.sum.rows, rejected: d.sum.rejected, others: true}
	if d.folder {
		t.files, t.folders = d.leftFiles, d.leftFolders
	}
	return t
}

// told reads the plan's JSON, or the report of an import.
func (d *inputs) told(dir string, end lab.Ended) (t told, err error) {
	if d.args[0] == "plan" {
		var plan struct {
			Rows     struct{ Read, Rejected, Duplicate int64 }
			Edges    int64
			Warnings []string
		}
		if err := json.Unmarshal([]byte(end.Std), &plan); err != nil {
			return t, fmt.Errorf("read the plan: %w", err)
		}
		t = told{rows: plan.Rows.Read - plan.Rows.Rejected, rejected: plan.Rows.Rejected,
			others: plan.Rows.Read == plan.Edges+plan.Rows.Duplicate+plan.Rows.Rejected}
		for _, w := range plan.Warnings {
			t.files, t.folders = leftOut(w, t.files, t.folders)
		}
		return t, nil
	}
	var report struct {
		Edges struct{ Read, Imported, Already, Failed, Rejected, Duplicate, Pending int64 }
		Job   struct {
			LeftOut struct{ Files, Folders int64 }
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "friendmigrate-rehearsal", "report.json"))
	if err == nil {
		err = json.Unmarshal(text, &report)
	}
	e := report.Edges
	t = told{rows: e.Read - e.Rejected, rejected: e.Rejected, files: report.Job.LeftOut.Files,
		folders: report.Job.LeftOut.Folders}
	t.others = e.Read == e.Imported+e.Already+e.Failed+e.Rejected+e.Duplicate+e.Pending &&
		(d.list != nil || e.Pending == 0) && e.Failed == 0
	return t, err
}

// leftOut reads the warning of what a folder holds beside its inputs.
func leftOut(warning string, files, folders int64) (int64, int64) {
	rest, found := strings.CutPrefix(warning, "left out ")
	if !found {
		return files, folders
	}
	kinds, _, _ := strings.Cut(rest, ":")
	for kind := range strings.SplitSeq(kinds, " and ") {
		var n int64
		_, _ = fmt.Sscanf(strings.ReplaceAll(kind, ",", ""), "%d", &n)
		if strings.Contains(kind, "folder") {
			folders = n
		} else {
			files = n
		}
	}
	return files, folders
}

// contents digests every file below a folder, by name.
func contents(dir string) (map[string][32]byte, error) {
	all := map[string][32]byte{}
	err := filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		var text []byte
		if !e.IsDir() {
			if text, err = os.ReadFile(name); err != nil {
				return err
			}
		}
		all[name] = sha256.Sum256(text)
		return nil
	})
	return all, err
}

// count is what the reference reader finds in an input.
type count struct {
	rows, rejected int64
	unusable       string // why nothing may be sent
	from           map[string]bool
}

func (c *count) row(cells map[string]string) {
	from, to, source := cells["From_Account"], cells["To_Account"], cells["AddSource"]
	control := func(id string) bool { return strings.ContainsFunc(id, func(r rune) bool { return r < ' ' }) }
	letters := strings.TrimPrefix(source, "AddSource_Type_")
	if from == "" || to == "" || len(from) > 32 || len(to) > 32 || from == to || control(from) || control(to) ||
		letters == source ||
		len(letters) < 1 || len(letters) > 8 || strings.Trim(letters,
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		c.rejected++
		return
	}
	c.rows++
	c.from[from] = true
}

// readSimply reads an input the simple way, with all of it in memory.
func readSimply(format string, text []byte) *count {
	c := &count{from: map[string]bool{}}
	if bytes.Contains(bytes.ReplaceAll(bytes.TrimSuffix(text, []byte("\r")), []byte("\r\n"), nil), []byte("\r")) {
		c.unusable = "lines end in CR"
		return c
	}
	lines := strings.Split(strings.ReplaceAll(string(text), "\r\n", "\n"), "\n")
	for i := range lines {
		lines[i] = strings.TrimSuffix(strings.TrimLeft(lines[i], "\ufeff"), "\r")
	}
	if format == "jsonl" {
		for _, line := range lines {
			var cells map[string]string
			if line == "" {
				continue
			}
			if json.Unmarshal([]byte(line), &cells) != nil {
				c.rejected++
				continue
			}
			c.row(cells)
		}
		return c
	}
	var header []string
	for i := 0; i < len(lines); {
		if lines[i] == "" {
			i++
			continue
		}
		cells, took := record(lines[i:])
		switch {
		case cells == nil:
			i, c.rejected = i+1, c.rejected+1
			continue
		case header == nil:
			header = cells
		case len(cells) != len(header), slices.Equal(cells, header):
			c.rejected++
		default:
			named := map[string]string{}
			for k, name := range header {
				named[name] = cells[k]
			}
			c.row(named)
		}
		i += took
	}
	return c
}

// record takes one CSV record off the front; nil: its quotes are broken.
func record(lines []string) (cells []string, took int) {
	for took := range lines {
		cells, err := csv.NewReader(strings.NewReader(strings.Join(lines[:took+1], "\n"))).Read()
		if !errors.Is(err, csv.ErrQuote) { // which is also said of quotes that a later line may close
			return cells, took + 1
		}
	}
	return nil, 1
}
