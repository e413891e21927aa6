package plan

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"friendmigrate/checkpoint"
	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/sink"
	"friendmigrate/source"
	"friendmigrate/source/stage"
)

const header = "From_Account,To_Account,AddSource,Remark\n"

// planOf is a plan of one CSV, in a folder of its own.
func planOf(t testing.TB, rows string) *making {
	t.Helper()
	dir := t.TempDir()
	name := filepath.Join(dir, "in.csv")
	if err := os.WriteFile(name, []byte(header+rows), 0o600); err != nil {
		t.Fatal(err)
	}
	j := &job.Job{Program: new(job.Program), Inputs: []string{name}}
	j.Set.State, j.Set.Memory, j.Set.CallBytes, j.Set.Rate = filepath.Join(dir, "state"), 128<<20, 1<<20, 200
	return &making{Job: j}
}

// beside lists what lies beside the input.
func beside(t testing.TB, o *making) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(o.Set.State))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestNothingIsLeftHoweverItEnds(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for name, c := range map[string]struct {
		ctx    context.Context
		rows   string
		change func(o *making)
		want   error // nil: none
	}{
		"a plan":           {rows: "a,b,AddSource_Type_A,\n"},
		"a broken input":   {rows: "a,b,AddSource_Type_A,\"" + strings.Repeat("x", 2<<20), want: source.ErrUnusable},
		"an ended context": {ctx: ended, rows: "a,b,AddSource_Type_A,\n", want: context.Canceled},
		"duplicates":       {rows: "a,b,AddSource_Type_A,\na,b,AddSource_Type_A,x\n", change: func(o *making) { o.Set.Rows.Duplicates = "error" }, want: source.ErrUnusable},
		"no input":         {change: func(o *making) { o.Inputs = []string{"nowhere.csv"} }, want: source.ErrUnusable},
		"no folder beside": {rows: "a,b,AddSource_Type_A,\n", change: func(o *making) { o.Set.State = filepath.Join(o.Set.State, "deep", "down") }},
	} {
		o := planOf(t, c.rows)
		if c.change != nil {
			c.change(o)
		}
		ctx := c.ctx
		if ctx == nil {
			ctx = t.Context()
		}
		if _, err := o.make(ctx); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
		if c.change == nil {
			if left := beside(t, o); len(left) != 1 {
				t.Errorf("%s: left %q", name, left)
			}
		}
	}
}

// Standard input may be silent, also where the job was staged from it.
func TestASignalEndsAPlanThatWaitsForStandardInput(t *testing.T) {
	for name, rows := range map[string]string{"begun": header + "a,b,AddSource_Type_A,\n", "silent": ""} {
		ctx, cancel := context.WithCancel(t.Context())
		in, feed := io.Pipe()
		o := planOf(t, "")
		o.Inputs, o.Std.In, o.Set.Rows.Format = []string{"-"}, in, source.CSV
		staged := o.SourceRequest(o.Set.State)
		staged.Stdin, staged.Waits, staged.Warn = strings.NewReader(header+"a,b,AddSource_Type_A,\n"), nil, nil
		p, err := source.ReadInputs(ctx, staged)
		if err != nil {
			t.Fatal(err)
		}
		s, err := p.Seal()
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		failed := make(chan error, 1)
		go func() {
			_, err := o.make(ctx)
			failed <- err
		}()
		if _, err := io.WriteString(feed, rows); err != nil {
			t.Fatal(err)
		}
		cancel()
		select {
		case err = <-failed:
		case <-time.After(20 * time.Second):
			t.Fatalf("%s: the plan does not end", name)
		}
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
		_ = feed.Close()
		if left := beside(t, o); len(left) != 2 {
			t.Errorf("%s: left %q", name, left)
		}
	}
}

// What is told of reasons is the same as what is counted, and the first rows are the first.
func TestEveryReasonHasItsFirstRows(t *testing.T) {
	o := planOf(t, "")
	o.Inputs = []string{filepath.Join("..", "..", "..", "testdata", "bad-rows.csv"), filepath.Join("..", "..", "..", "testdata", "bad-rows.jsonl")}
	p, err := o.make(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	sum := int64(0)
	for _, r := range p.RejectedBy {
		sum += r.Rows
		if int64(len(r.First)) != min(r.Rows, firstRows) {
			t.Errorf("%q: %d rows, %d shown", r.Reason, r.Rows, len(r.First))
		}
		for i := 1; i < len(r.First); i++ {
			if a, b := r.First[i-1], r.First[i]; a.Input > b.Input || a.Input == b.Input && a.Line >= b.Line {
				t.Errorf("%q: line %d before %d", r.Reason, a.Line, b.Line)
			}
		}
	}
	if sum != p.Rows.Rejected || sum == 0 {
		t.Errorf("%d rows have a reason, %d are rejected", sum, p.Rows.Rejected)
	}
}

// The engine cuts a chunk into calls by the same rule; what matters here are the ends of it.
func TestCallsAreCountedByTheirBytes(t *testing.T) {
	const one = 60
	edges := slices.Repeat([]stage.Friend{{Bytes: one}}, 10)
	for room, want := range map[int]int64{10 * one: 1, 10*one - 1: 2, 5 * one: 2, 5*one - 1: 3, one: 10, 1: 10} {
		w := measurer{room: room}
		w.chunk("a", edges)
		if bytes := int64(10*one) + want*int64(sink.EmptyCallBytesOf("a")); w.calls != want || w.bytes != bytes {
			t.Errorf("room for %d bytes: %d calls, want %d; %d bytes, want %d", room, w.calls, want, w.bytes, bytes)
		}
	}
}

func TestTextNamesWhatMatters(t *testing.T) {
	var rows strings.Builder
	for i := range 1500 {
		fmt.Fprintf(&rows, "hot,f%d,AddSource_Type_A,\n", i)
	}
	rows.WriteString("hot,hot,AddSource_Type_A,\nhot,f1,AddSource_Type_A,again\n")
	o := planOf(t, rows.String())
	o.Set.Rows.MaxFriends, o.Set.CallBytes, o.Set.Rate, o.Set.Rows.Duplicates = 1000, 32<<10, 2, "last"
	p, err := o.make(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	text := p.Text()
	for _, want := range []string{
		"rows                    1,502", "duplicate                   1   of the same pair as another row; 1 with other fields (--duplicates last)",
		"calls                       3   of at most 1,000 edges and 32 KiB; 1 of them because of --chunk-bytes", "least time                 2s   at 2 calls per second",
		"too large                   1   rosters of more than 1,000 friends", "largest                 1,500   friends of hot",
		"at most, for the staged input; more while it is made\n",
		"rejected: To_Account is the account itself: 1 row\n", "warning: only 0.0 % of the pairs have both directions",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

// A folder of the scratch's name may be a user's, and its files inputs.
func TestOnlyWhatAPlanLeftIsRemoved(t *testing.T) {
	o := planOf(t, "a,b,AddSource_Type_A,\n")
	dir := o.Set.State + ".plan"
	for _, name := range []string{"staging/staged/raw-000", "edges.csv"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte("mine"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "lock"), nil, 0o600); err != nil { // as a killed plan leaves it
		t.Fatal(err)
	}
	if _, err := o.make(t.Context()); err != nil {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 || entries[0].Name() != "edges.csv" {
		t.Errorf("left %v, %v", entries, err)
	}
}

func TestOnePlanAtATimeIsMade(t *testing.T) {
	o := planOf(t, "a,b,AddSource_Type_A,\n")
	first, err := newScratch(o.Set.State)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.make(t.Context()); !errors.Is(err, checkpoint.ErrLocked) {
		t.Error(err)
	}
	if _, err := Clean(o.Set.State); err != nil {
		t.Errorf("a plan that has staged nothing: %v", err)
	}
	if err := os.Mkdir(first.staging, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := Clean(o.Set.State); !errors.Is(err, checkpoint.ErrLocked) {
		t.Error(err)
	}
	if err := first.remove(); err != nil {
		t.Fatal(err)
	}
	if _, err := o.make(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestCleanRemovesWhatAKilledPlanLeft(t *testing.T) {
	o := planOf(t, "a,b,AddSource_Type_A,\n")
	killed, err := newScratch(o.Set.State)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(killed.staging, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := killed.lock.Release(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []bool{true, false} {
		if found, err := Clean(o.Set.State); found != want || err != nil {
			t.Errorf("found %t, %v", found, err)
		}
	}
	if _, err := os.Stat(killed.dir); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}
