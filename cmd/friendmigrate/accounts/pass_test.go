package accounts

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"friendmigrate/checkpoint"
	"friendmigrate/migrate"
	"friendmigrate/migrate/disk"
	"friendmigrate/sink"
)

// app is an app in which some accounts exist.
type app struct {
	mu     sync.Mutex
	exists map[string]bool
	odd    map[string]int // ResultCode of account_check for these
	calls  int
	most   int // calls that are answered, then no more
}

func (a *app) serve(imports bool) func(context.Context, []string) ([]sink.Presence, error) {
	return func(_ context.Context, ids []string) ([]sink.Presence, error) {
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.calls >= a.most {
			return nil, &migrate.CallError{Verdict: migrate.VerdictFatal, Info: "killed"}
		}
		a.calls++
		answers := make([]sink.Presence, len(ids))
		for i, id := range ids {
			switch code := a.odd[id]; {
			case imports:
				a.exists[id] = true
			case code != 0:
				answers[i] = sink.Presence{Code: code, Info: "odd"}
				continue
			}
			answers[i] = sink.Presence{Known: true, Exists: a.exists[id]}
		}
		return answers, nil
	}
}

// run goes on with the present pass, as a new process would.
func run(t *testing.T, dir string, a *app, most int) *Pass {
	t.Helper()
	p, err := Open(disk.OS{}, dir)
	if err != nil {
		t.Fatal(err)
	}
	a.calls, a.most = 0, most
	_, err = migrate.Run(t.Context(), p.Plan(), p.Caller(a.serve(p.Imports())), p.Journal, migrate.Options{
		Workers: 3, Retry: migrate.DefaultRetry,
	})
	if (p.Journal.Totals().Pending > 0) != (err != nil) {
		t.Fatal(err)
	}
	return p
}

// first begins the first pass over so many accounts.
func first(t *testing.T, dir string, n int64) {
	t.Helper()
	list := "From_Account\n"
	for i := range n {
		list += fmt.Sprintf("u%05d\n", i)
	}
	p, err := First(disk.OS{}, dir, func(file string) (checkpoint.Identity, error) {
		return checkpoint.Identity{Edges: n, Rows: n, Options: map[string]string{}}, os.WriteFile(file, []byte(list), 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Journal.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestEachPassMakesTheFewestCalls, whatever the number of accounts, and goes on where it was
// killed: the first asks about all, the next import or ask about the missing ones.
func TestEachPassMakesTheFewestCalls(t *testing.T) {
	for _, n := range []int64{0, 1, 2, 99, 100, 101, 1000, 1001} {
		dir := filepath.Join(t.TempDir(), "accounts")
		a := &app{exists: map[string]bool{}}
		missing := []string{}
		for i := range n {
			id := fmt.Sprintf("u%05d", i)
			if a.exists[id] = i%3 == 0; i%3 != 0 {
				missing = append(missing, id)
			}
		}
		first(t, dir, n)
		calls := func(ids int64) int { return int((ids + 99) / 100) }
		whole := func(ids int64, what string) *Pass {
			p := run(t, dir, a, calls(ids)/2)
			before := a.calls
			if err := p.Journal.Close(); err != nil {
				t.Fatal(err)
			}
			p = run(t, dir, a, 1000)
			if before+a.calls != calls(ids) {
				t.Errorf("%d accounts, %s: %d calls, want %d", n, what, before+a.calls, calls(ids))
			}
			return p
		}
		p := whole(n, "all")
		m := int64(len(missing))
		if got, want := p.Counts(), (Counts{All: n, Exist: n - m, Missing: m}); got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
		for _, imports := range []bool{false, true} {
			next, err := p.Next(imports)
			if err != nil {
				t.Fatal(err)
			}
			out := filepath.Join(t.TempDir(), "missing.csv")
			if err := next.WriteMissing(out); err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(out)
			if want := "UserID,ResultCode,ResultInfo\n" + strings.Join(append(missing, ""), ",0,NotImported\n"); imports && (err != nil || string(text) != want) {
				t.Errorf("%q, want %q, %v", text, want, err)
			}
			if err := next.Journal.Close(); err != nil {
				t.Fatal(err)
			}
			p = whole(m, fmt.Sprint("missing, import ", imports))
		}
		if got, want := p.Counts(), (Counts{All: n, Exist: n}); got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
		if err := p.Journal.Close(); err != nil {
			t.Fatal(err)
		}
		if entries, _ := os.ReadDir(dir); len(entries) != 1 {
			t.Errorf("%v is left", entries)
		}
	}
}

// TestOnlyMissingAccountsAreImported: an account whose check was refused is not known to be missing.
// An import leaves it alone, counts and lists it with the code, also after a kill, and the next pass
// asks about it again.
func TestOnlyMissingAccountsAreImported(t *testing.T) {
	dir, out := filepath.Join(t.TempDir(), "accounts"), filepath.Join(t.TempDir(), "missing.csv")
	a := &app{exists: map[string]bool{}, odd: map[string]int{"u00001": 90001, "u00150": 90001}}
	for i := int64(200); i < 300; i++ {
		a.odd[fmt.Sprintf("u%05d", i)] = 90002
	}
	first(t, dir, 300)
	p := run(t, dir, a, 1000)
	p, err := p.Next(true)
	if err != nil {
		t.Fatal(err)
	}
	listed := func() string {
		t.Helper()
		if err := p.WriteMissing(out); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	if text := listed(); strings.Count(text, "\n") != 301 || strings.Count(text, ",90002,odd\n") != 100 {
		t.Error("before the import the list does not have all of them with their codes")
	}
	if err := p.Journal.Close(); err != nil {
		t.Fatal(err)
	}
	p = run(t, dir, a, 1)
	if err := p.Journal.Close(); err != nil {
		t.Fatal(err)
	}
	if p = run(t, dir, a, 1000); a.calls != 1 {
		t.Errorf("%d more calls, want 1", a.calls)
	}
	if got, want := p.Counts(), (Counts{All: 300, Exist: 198, Missing: 102}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	for id := range a.odd {
		if a.exists[id] {
			t.Fatalf("%s was imported", id)
		}
	}
	if text := listed(); !strings.HasPrefix(text, "UserID,ResultCode,ResultInfo\nu00001,90001,odd\nu00150,90001,odd\nu00200,90002,odd\n") {
		t.Errorf("the list is %.100q", text)
	}
	clear(a.odd)
	if p, err = p.Next(false); err != nil {
		t.Fatal(err)
	}
	if err := p.Journal.Close(); err != nil {
		t.Fatal(err)
	}
	p = run(t, dir, a, 1000)
	defer p.Journal.Close()
	if got, want := p.Counts(), (Counts{All: 300, Exist: 198, Missing: 102}); got != want || p.Journal.Totals().FailedByCode[0] != 102 {
		t.Errorf("asked again: %+v, want %+v", got, want)
	}
}

// full is a disk on which nothing can be created.
type full struct{ disk.OS }

func (full) OpenFile(name string, flag int, mode os.FileMode) (disk.File, error) {
	return nil, &os.PathError{Op: "open", Path: name, Err: syscall.ENOSPC}
}

// TestAPassThatCannotBeginLeavesTheOneBefore, which was paid for with calls.
func TestAPassThatCannotBeginLeavesTheOneBefore(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "accounts")
	a := &app{exists: map[string]bool{}}
	first(t, dir, 250)
	p := run(t, dir, a, 1000)
	p.fs = full{}
	if _, err := p.Next(true); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("got %v, want that the disk is full", err)
	}
	if err := p.Journal.Close(); err != nil {
		t.Fatal(err)
	}
	p = run(t, dir, a, 0)
	defer p.Journal.Close()
	if got, want := p.Counts(), (Counts{All: 250, Missing: 250}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}
