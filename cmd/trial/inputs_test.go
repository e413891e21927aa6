package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"friendmigrate/cmd/trial/lab"
)

// How the row inputs asks for more than a few cases.
var (
	inputCases = flag.Int("inputs", 4, "how many random inputs and command lines are tried")
	inputSeed  = flag.Uint64("kill-seed", 1, "draws them")
)

// One case again: go test ./cmd/trial -run 'TestEverydayInputs/^CASE$' -args -inputs=N
// -kill-seed=SEED
func TestEverydayInputs(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and starts the program")
	}
	binary := lab.Build(t.Context(), t.TempDir(), "friendmigrate")
	t.Logf("%d cases", *inputCases)
	for i := range *inputCases {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			if err := lab.Catch(func() { everyday(t, binary, i) }); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// everyday gives the program inputs and a command line as people have them, and holds what it says
// of them against a simple reader: nothing hangs, no input changes, and every row there is was
// read, rejected or is in something that is named as left out.
func everyday(t *testing.T, binary lab.Binary, i int) {
	dir := t.TempDir()
	r := rand.New(rand.NewPCG(*inputSeed, uint64(i)))
	d := drawInputs(r, filepath.Join(dir, "in"))
	d.write()
	before := contents(d.dir)
	processors := fmt.Sprintf("GOMAXPROCS=%d", 1+r.IntN(16))
	end := binary.RunIn(dir, []string{processors}, d.stdin, d.args...).Wait(time.Minute)
	fail := func(format string, args ...any) {
		t.Errorf("%s: %s\n    %s %.300s (%s)", fmt.Sprintf(format, args...), end.Last, processors,
			strings.Join(d.args, " "), d.story())
	}
	if !maps.Equal(before, contents(d.dir)) {
		fail("an input was changed")
	}
	switch want := d.want(); {
	case end.Code == lab.Hung:
		fail("it hangs\n%s", end.Out)
	case !slices.Contains(want, end.Code):
		fail("it ended with %d, not with one of %v", end.Code, want)
	case end.Code == 2:
		if !hinted(end) {
			fail("no hint")
		}
	default:
		wanted := findings{rows: d.sum.rows, rejected: d.sum.rejected, balanced: true}
		if d.folder {
			wanted.files, wanted.folders = d.leftFiles, d.leftFolders
		}
		if got := d.findings(dir, end); got != wanted {
			fail("it tells of %+v, and there are %+v", got, wanted)
		}
	}
}

// findings are what a run says it found.
type findings struct {
	rows, rejected int64
	balanced       bool  // rows are the sum of all that became of them
	files, folders int64 // left out
}

// findings reads the plan's JSON, or the report of an import.
func (d *inputs) findings(dir string, end lab.Ended) findings {
	if d.args[0] == "plan" {
		var plan struct {
			Rows     struct{ Read, Rejected, Duplicate int64 }
			Edges    int64
			Warnings []string
		}
		lab.Check(json.Unmarshal([]byte(end.Std), &plan))
		r := plan.Rows
		f := findings{rows: r.Read - r.Rejected, rejected: r.Rejected,
			balanced: r.Read == plan.Edges+r.Duplicate+r.Rejected}
		f.files, f.folders = leftOut(strings.Join(plan.Warnings, "\n"))
		return f
	}
	var report struct {
		Edges struct{ Read, Imported, Already, Failed, Rejected, Duplicate, Pending int64 }
		Job   struct {
			LeftOut struct{ Files, Folders int64 }
		}
	}
	text := lab.Must(os.ReadFile(filepath.Join(dir, "friendmigrate-rehearsal", "report.json")))
	lab.Check(json.Unmarshal(text, &report))
	e, left := report.Edges, report.Job.LeftOut
	return findings{rows: e.Read - e.Rejected, rejected: e.Rejected, files: left.Files, folders: left.Folders,
		balanced: e.Read == e.Imported+e.Already+e.Failed+e.Rejected+e.Duplicate+e.Pending &&
			(d.list != nil || e.Pending == 0) && e.Failed == 0}
}

var warning = regexp.MustCompile(`(?m)^left out (?:([\d,]+) files?)?(?: and )?(?:([\d,]+) folders?)?`)

// leftOut reads the warning of what a folder holds beside its inputs.
func leftOut(warnings string) (files, folders int64) {
	if found := warning.FindStringSubmatch(warnings); found != nil {
		number := func(text string) int64 {
			return lab.Must(strconv.ParseInt("0"+strings.ReplaceAll(text, ",", ""), 10, 64))
		}
		files, folders = number(found[1]), number(found[2])
	}
	return files, folders
}

// contents digests every file below a folder, by name.
func contents(dir string) map[string][32]byte {
	all := map[string][32]byte{}
	lab.Check(filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		var text []byte
		if err == nil && !e.IsDir() {
			text, err = os.ReadFile(name)
		}
		all[name] = sha256.Sum256(text)
		return err
	}))
	return all
}

// count is what the reference reader finds in an input.
type count struct {
	rows, rejected int64
	unusable       string // why nothing may be sent
	from           map[string]bool
}

// What a valid id and a valid source of an edge look like.
var (
	validID     = regexp.MustCompile(`^[^\x00-\x1f]+$`)
	validSource = regexp.MustCompile(`^AddSource_Type_[a-zA-Z]{1,8}$`)
)

func (c *count) row(cells map[string]string) {
	from, to := cells["From_Account"], cells["To_Account"]
	if !validID.MatchString(from) || !validID.MatchString(to) || len(from) > 32 || len(to) > 32 || from == to ||
		!validSource.MatchString(cells["AddSource"]) {
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
	var header []string
	for i := 0; i < len(lines); {
		if lines[i] == "" {
			i++
			continue
		}
		if format == "jsonl" {
			var cells map[string]string
			if json.Unmarshal([]byte(lines[i]), &cells) != nil {
				c.rejected++
			} else {
				c.row(cells)
			}
			i++
			continue
		}
		cells, took := record(lines[i:])
		i += took
		switch {
		case cells == nil, header != nil && (len(cells) != len(header) || slices.Equal(cells, header)):
			c.rejected++
		case header == nil:
			header = cells
		default:
			named := map[string]string{}
			for k, name := range header {
				named[name] = cells[k]
			}
			c.row(named)
		}
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
