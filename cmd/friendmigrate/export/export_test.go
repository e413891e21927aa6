package export

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/migrate"
	"friendmigrate/migrate/disk"
	"friendmigrate/sink"
	"friendmigrate/sink/friendlist"
	"friendmigrate/source"
	"friendmigrate/source/accountlist"
)

// graph is a service of friend lists in memory.
type graph struct {
	lists map[string][]sink.Friend
	page  int
	fault func(from string, call int) error // may be nil
}

type place struct {
	*graph
	from  string
	start int
	last  bool
}

func (g *graph) pages(from string) friendlist.Pages { return &place{graph: g, from: from} }

func (p *place) Last() bool { return p.last }

func (p *place) Next(ctx context.Context) (sink.Page, error) {
	if ctx.Err() != nil {
		return sink.Page{}, ctx.Err()
	}
	if p.fault != nil {
		if err := p.fault(p.from, p.start); err != nil {
			return sink.Page{}, err
		}
	}
	list, known := p.lists[p.from]
	if !known {
		return sink.Page{}, &migrate.CallError{Verdict: migrate.VerdictRefuseAccount, Code: 30003, Info: "no such account", Answered: true}
	}
	end := min(p.start+p.page, len(list))
	page := sink.Page{Friends: list[p.start:end], FriendNum: int64(len(list))}
	p.start, p.last = end, end == len(list)
	return page, nil
}

// friends makes a list.
func friends(n int) []sink.Friend {
	list := make([]sink.Friend, n)
	for i := range list {
		list[i] = sink.Friend{To: fmt.Sprintf("f%04d", i), Values: []sink.Value{{Tag: "Tag_SNS_IM_AddSource", JSON: []byte(`"AddSource_Type_X"`)}}}
	}
	return list
}

// exportOf writes the accounts and describes an export of them. Without a destination what cannot
// be read is listed in the working folder: that is dir then.
func exportOf(t *testing.T, dir, format, destination string, ids ...string) *Export {
	t.Helper()
	if destination == "" {
		t.Chdir(dir)
	}
	name := filepath.Join(dir, "ids")
	if err := os.WriteFile(name, []byte(strings.Join(ids, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := accountlist.Open(name, nil)
	if err != nil {
		t.Fatal(err)
	}
	e := &Export{Job: &job.Job{Program: new(job.Program), FS: disk.OS{}}, Accounts: f}
	e.Set.Destination, e.Set.Format, e.Set.SDKAppID, e.Set.Endpoint = destination, format, 1, "test"
	return e
}

// again is the same export in another process.
func (e *Export) again() *Export { return &Export{Job: e.Job, Accounts: e.Accounts} }

func engine() migrate.Options {
	return migrate.Options{Workers: 16, Memory: 64 << 20, Retry: migrate.RetryPolicy{MaxAttempts: 1000, Base: time.Millisecond, Cap: time.Millisecond}, OutageTimeout: time.Minute}
}

// rows counts the rows of JSONL for each account, which have to stand together in their order.
func rows(t *testing.T, content string) map[string]int {
	t.Helper()
	counts, before := map[string]int{}, ""
	for line := range strings.Lines(content) {
		from, _, _ := strings.Cut(strings.TrimPrefix(line, `{"From_Account":"`), `"`)
		if counts[from]++; counts[from] > 1 && from != before {
			t.Fatalf("%s has rows between those of %s", before, from)
		}
		before = from
		if to := fmt.Sprintf(`"To_Account":"f%04d"`, counts[from]-1); !strings.Contains(line, to) {
			t.Fatalf("account %s: row %d is %s", from, counts[from], line)
		}
	}
	return counts
}

// TestEveryFriendAtEveryPageSize: lists of 0 to 3000 friends at page sizes from 1 to 100, with
// calls that fail in the middle of lists.
func TestEveryFriendAtEveryPageSize(t *testing.T) {
	ids := func(n int) (list []string) {
		for i := range n {
			list = append(list, fmt.Sprintf("a%02d", i))
		}
		return list
	}
	sizes := []int{3000, 0, 1, 2, 50, 99, 100, 101, 199, 200, 201, 999, 1000, 1001, 2047, 2999, 0, 7}
	pages := []int{1, 2, 3, 7, 10, 31, 64, 99, 100}
	if testing.Short() {
		pages = []int{1, 31, 100}
	}
	differences, friendsRead, calls := 0, 0, 0
	for _, size := range pages {
		e := exportOf(t, t.TempDir(), "jsonl", "", ids(len(sizes))...)
		g := &graph{lists: map[string][]sink.Friend{}, page: size}
		for i, n := range sizes {
			g.lists[ids(len(sizes))[i]] = friends(n)
			calls += max(1, (n+size-1)/size)
		}
		g.fault = func(string, int) error {
			if rand.IntN(20) == 0 {
				return &migrate.CallError{Verdict: migrate.VerdictRetry, Code: 30006, Info: "passing", Answered: true}
			}
			return nil
		}
		var out bytes.Buffer
		e.Std.Out = &out
		synctest.Test(t, func(t *testing.T) { // pauses cost no time
			if err := errors.Join(e.open(), e.Run(t.Context(), g.pages, engine()), e.Close()); err != nil {
				t.Fatalf("page size %d: %v", size, err)
			}
		})
		counts := rows(t, out.String())
		for i, n := range sizes {
			friendsRead += n
			if counts[ids(len(sizes))[i]] != n {
				differences++
				t.Errorf("page size %d: %d rows of %d friends", size, counts[ids(len(sizes))[i]], n)
			}
		}
	}
	t.Logf("%d lists of 0 to 3000 friends at page sizes 1 to 100: %d friends in %d pages, %d differences", len(sizes)*len(pages), friendsRead, calls, differences)
}

func TestAccountsThatCannotBeReadAreListed(t *testing.T) {
	dir := t.TempDir()
	g := &graph{lists: map[string][]sink.Friend{"a": friends(3), "c": friends(2), "odd": {{To: "x", Values: []sink.Value{{Tag: "Tag_SNS_Custom_A", JSON: []byte("1.5")}}}}}, page: 2}
	e := exportOf(t, dir, "jsonl", filepath.Join(dir, "out.jsonl"), "a", "gone", "odd", "c")
	if err := errors.Join(e.open(), e.Run(t.Context(), g.pages, engine())); err != nil {
		t.Fatal(err)
	}
	if at := e.At(); at.Failed != 2 || at.Done != 4 || at.Edges != 5 {
		t.Errorf("%+v", at)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	content := read(t, filepath.Join(dir, "out.jsonl"))
	if counts := rows(t, content); counts["a"] != 3 || counts["c"] != 2 || len(counts) != 2 {
		t.Errorf("%v", counts)
	}
	want := "From_Account,ResultCode,ResultInfo,Line\ngone,30003,no such account,2\nodd,,\"read Tag_SNS_Custom_A: \"\"1.5\"\" is neither a string nor an integer\",3\n"
	lines := slices.Sorted(strings.Lines(read(t, FailedPath(filepath.Join(dir, "out.jsonl")))))
	if got := strings.Join(lines, ""); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestCSVRefusesWhatItCannotHold(t *testing.T) {
	n := 0
	value := func(tag, json string) sink.Friend {
		n++
		return sink.Friend{To: fmt.Sprint("x", n), Values: []sink.Value{{Tag: tag, JSON: []byte(json)}}}
	}
	for name, c := range map[string]struct {
		lists   map[string][]sink.Friend
		refused bool
	}{
		"a group with ;":                       {map[string][]sink.Friend{"a": {value("Tag_SNS_IM_Group", `["x;y"]`)}}, true},
		"a tag of two kinds in one list":       {map[string][]sink.Friend{"a": {value("Tag_SNS_Custom_A", `1`), value("Tag_SNS_Custom_A", `"1"`)}}, true},
		"a tag of two kinds in different ones": {map[string][]sink.Friend{"a": {value("Tag_SNS_Custom_A", `1`)}, "b": {value("Tag_SNS_Custom_A", `"1"`)}}, true},
		"no text for an integer":               {map[string][]sink.Friend{"a": {value("Tag_SNS_Custom_A", `1`), value("Tag_SNS_Custom_A", `""`)}, "b": {value("Tag_SNS_Custom_A", `""`)}}, false},
		"nothing of the kind":                  {map[string][]sink.Friend{"a": {value("Tag_SNS_Custom_A", `1`)}, "b": {value("Tag_SNS_Custom_B", `"1"`)}}, false},
	} {
		for _, format := range []string{"csv", "jsonl"} {
			dir := t.TempDir()
			destination := filepath.Join(dir, "out."+format)
			e := exportOf(t, dir, format, destination, "a", "b")
			if err := e.open(); err != nil {
				t.Fatal(err)
			}
			if c.lists["b"] == nil {
				c.lists["b"] = nil
			}
			g := &graph{lists: c.lists, page: 10}
			err := e.Run(t.Context(), g.pages, engine())
			if want := c.refused && format == "csv"; errors.Is(err, source.ErrNotCSV) != want || !want && err != nil {
				t.Errorf("%s as %s: %v", name, format, err)
			}
			if _, err := os.Stat(destination); c.refused && format == "csv" && err == nil {
				t.Errorf("%s: a CSV was written", name)
			}
			if tags := e.IntegerTags(); !c.refused && !slices.Equal(tags, []string{"Tag_SNS_Custom_A"}) {
				t.Errorf("%s: integer tags %v", name, tags)
			}
			if err := e.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestAPositionInALongListIsOfOneVersion: another version may skip other repetitions in it, and
// would count other accounts.
func TestAPositionInALongListIsOfOneVersion(t *testing.T) {
	o := exportOf(t, t.TempDir(), "jsonl", filepath.Join(t.TempDir(), "out.jsonl"), "a")
	e, again := o.again(), o.again()
	if err := errors.Join(e.open(), e.Close()); err != nil {
		t.Fatal(err)
	}
	again.Accounts.Count = accountlist.MostSeen + 1
	if err := again.open(); !errors.Is(err, ErrOther) {
		t.Error(err)
	}
}

// TestACSVOfSomebodyElseIsNotTouched: before its end an export has written nothing to the
// destination. After a kill at its end the file there is its own.
func TestACSVOfSomebodyElseIsNotTouched(t *testing.T) {
	dir := t.TempDir()
	destination := filepath.Join(dir, "out.csv")
	o := exportOf(t, dir, "csv", destination, "a")
	g := &graph{lists: map[string][]sink.Friend{"a": friends(3)}, page: 10}
	e, other := o.again(), o.again()
	if err := errors.Join(e.open(), e.Close(), os.WriteFile(destination, []byte("mine"), 0o600)); err != nil {
		t.Fatal(err)
	}
	if err := other.open(); !errors.Is(err, ErrExists) || read(t, destination) != "mine" {
		t.Errorf("%v, and the file holds %q", err, read(t, destination))
	}
	killed, again := o.again(), o.again()
	if err := errors.Join(other.Close(), os.Remove(destination), killed.open(), killed.writeTable(), killed.Close(),
		again.open(), again.Run(t.Context(), g.pages, engine()), again.Close()); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(read(t, destination), "\n"); n != 4 {
		t.Errorf("%d lines", n)
	}
}

// TestAnInterruptedExportIsCutBackAndGoesOn: whatever comes after the last durable account is not
// believed, compressed or not.
func TestAnInterruptedExportIsCutBackAndGoesOn(t *testing.T) {
	for _, name := range []string{"out.jsonl", "out.jsonl.gz", "out.csv"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			var ids []string
			g := &graph{lists: map[string][]sink.Friend{}, page: 100}
			for i := range 40 {
				id := fmt.Sprintf("a%02d", i)
				ids, g.lists[id] = append(ids, id), friends(i)
			}
			format := "jsonl"
			if strings.HasSuffix(name, "csv") {
				format = "csv"
			}
			destination := filepath.Join(dir, name)
			o := exportOf(t, dir, format, destination, ids...)
			for _, stopAt := range []string{"a13", "a14", "a31", ""} {
				e := o.again()
				if err := e.open(); err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithCancel(t.Context())
				g.fault = func(from string, _ int) error {
					if from == stopAt {
						cancel()
						return ctx.Err()
					}
					return nil
				}
				one := engine()
				one.Workers = 1
				err := e.Run(ctx, g.pages, one)
				if stop := (*migrate.StopError)(nil); (stopAt == "") != (err == nil) || err != nil && !errors.As(err, &stop) {
					t.Fatalf("stopped at %q: %v", stopAt, err)
				}
				cancel()
				if err := e.Close(); err != nil {
					t.Fatal(err)
				}
				if stopAt == "" {
					break
				}
				torn := destination
				if format == "csv" {
					torn = filepath.Join(destination+".export", "rows.json")
				}
				f, err := os.OpenFile(torn, os.O_APPEND|os.O_WRONLY, 0)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := f.WriteString("half a ro"); err != nil {
					t.Fatal(err)
				}
				f.Close()
			}
			content := read(t, destination)
			if strings.HasSuffix(name, ".gz") {
				z, err := gzip.NewReader(strings.NewReader(content))
				if err != nil {
					t.Fatal(err)
				}
				all, err := io.ReadAll(z)
				if err != nil {
					t.Fatal(err)
				}
				content = string(all)
			}
			if format == "csv" {
				if n := strings.Count(content, "\n"); n != 1+40*39/2 {
					t.Errorf("%d lines", n)
				}
				return
			}
			counts := rows(t, content)
			for i, id := range ids {
				if counts[id] != i {
					t.Errorf("%s has %d rows, want %d", id, counts[id], i)
				}
			}
		})
	}
}

// TestAnAccountWithoutAnAnswerHoldsUpNobody: the others are written meanwhile, and after an
// interruption only that one is read again.
func TestAnAccountWithoutAnAnswerHoldsUpNobody(t *testing.T) {
	dir := t.TempDir()
	ids, want := []string{"slow"}, 0
	g := &graph{lists: map[string][]sink.Friend{"slow": friends(7)}, page: 100}
	for i := range 40 {
		id := fmt.Sprintf("a%02d", i)
		ids, g.lists[id], want = append(ids, id), friends(i), want+i
	}
	o := exportOf(t, dir, "jsonl", filepath.Join(dir, "out.jsonl"), ids...)
	e, again := o.again(), o.again()
	ctx, cancel := context.WithCancel(t.Context())
	calls := 0
	g.fault = func(from string, _ int) error {
		if from != "slow" {
			return nil
		}
		if calls++; e.At().Done == 40 || calls == 900 {
			cancel()
		}
		return &migrate.CallError{Verdict: migrate.VerdictRetry, Info: "no answer"}
	}
	stop := (*migrate.StopError)(nil)
	if err := errors.Join(e.open(), e.Run(ctx, g.pages, engine())); !errors.As(err, &stop) {
		t.Fatal(err)
	}
	if at := e.At(); at.Done != 40 || at.Edges != int64(want) {
		t.Errorf("%d accounts and %d edges are done", at.Done, at.Edges)
	}
	g.fault = func(from string, _ int) error {
		if from != "slow" {
			t.Errorf("%s is read again", from)
		}
		return nil
	}
	if err := errors.Join(e.Close(), again.open(), again.Run(t.Context(), g.pages, engine()), again.Close()); err != nil {
		t.Fatal(err)
	}
	counts := rows(t, read(t, filepath.Join(dir, "out.jsonl")))
	for _, id := range ids {
		if counts[id] != len(g.lists[id]) {
			t.Errorf("%s has %d rows", id, counts[id])
		}
	}
	if at := again.At(); at.Done != 41 || at.Before != 40 || len(at.Bits) != 1 {
		t.Errorf("%+v", at)
	}
}

func TestSettledNumbersInAnyOrder(t *testing.T) {
	for range 50 {
		first, n := rand.Int64N(20), 1+rand.IntN(200) // not always a multiple of eight
		s, added := settled{Before: first}, map[int64]bool{}
		for _, i := range rand.Perm(n) {
			number := first + int64(i)
			s.add(number)
			added[number] = true
			for k := range first + int64(n) + 20 {
				if want := k < first || added[k]; s.has(k) != want {
					t.Fatalf("of %v: %d is %t", added, k, !want)
				}
			}
		}
		if len(s.Bits) > 1 {
			t.Errorf("%d bytes for what is all settled", len(s.Bits))
		}
	}
}

func TestADestinationOfSomebodyElseIsNotTouched(t *testing.T) {
	dir := t.TempDir()
	destination := filepath.Join(dir, "out.jsonl")
	if err := os.WriteFile(destination, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	o := exportOf(t, dir, "jsonl", destination, "a")
	if err := o.open(); !errors.Is(err, ErrExists) {
		t.Errorf("a file that was there: %v", err)
	}
	if got := read(t, destination); got != "mine" {
		t.Errorf("it holds %q", got)
	}
	o.Set.Destination = filepath.Join(dir, "other.jsonl")
	e := o.again()
	if err := e.open(); err != nil {
		t.Fatal(err)
	}
	if err := o.again().open(); err == nil {
		t.Error("two exports to one destination at once")
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	o.Set.Endpoint = "elsewhere"
	if e = o.again(); !errors.Is(e.open(), ErrOther) {
		t.Error("another app goes on with it")
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestANamedPipeIsNoDestination(t *testing.T) {
	name := filepath.Join(t.TempDir(), "out.csv")
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Skip(err)
	}
	if err := exportOf(t, t.TempDir(), "csv", name, "a").open(); !errors.Is(err, ErrExists) {
		t.Errorf("got %v", err)
	}
}
