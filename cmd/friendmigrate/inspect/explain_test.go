package inspect

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"friendmigrate/checkpoint"
	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/migrate"
	"friendmigrate/source"
	"friendmigrate/source/stage"
)

// kinds writes findings as "kind from>to@line", with the code.
func kinds(list []Finding) string {
	var words []string
	for _, f := range list {
		word := fmt.Sprintf("%s %s>%s@%d", f.Kind, f.From, f.To, f.Line)
		if f.Code != 0 {
			word += fmt.Sprint(" ", f.Code)
		}
		if f.Uncertain {
			word += " unsure"
		}
		if f.Added {
			word += " added"
		}
		words = append(words, word)
	}
	return strings.Join(words, "; ")
}

func TestAnEdgeIsExplainedByItsLatestOutcome(t *testing.T) {
	base := t.TempDir()
	const src = ",AddSource_Type_A\n"
	s := newState(t, base, settings.Shard{}, "a,b"+src+"a,c"+src+"a,d"+src+"a,e"+src+"a,f"+src+"b,a"+src, source.Options{})
	s.run(false, func(e *migrate.Edge) migrate.Outcome {
		switch e.To {
		case "b":
			return migrate.Outcome{Kind: migrate.Imported}
		case "c":
			return migrate.Outcome{Kind: migrate.Already, Uncertain: true}
		case "d", "e":
			return refused(30003)
		}
		return migrate.Outcome{}
	})
	if _, err := s.journal.Reopen(t.Context(), []int{30003}); err != nil {
		t.Fatal(err)
	}
	s.run(true, func(e *migrate.Edge) migrate.Outcome {
		if e.To == "d" {
			return refused(30010)
		}
		return migrate.Outcome{}
	})
	jobs := jobsIn(t, base)
	list, tally := found(t, jobs, "a", "")
	if got, want := kinds(list), "imported a>b@2; already a>c@3 unsure; failed a>d@4 30010; pending a>e@5 30003 unsure; pending a>f@6 unsure"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if tally.Edges() != 5 || tally.Found() != 5 || tally.Gone {
		t.Errorf("%+v", tally)
	}
	if f := list[2]; f.Attempts != 3 || f.Info != "Err_30010" || f.At == nil || !strings.Contains(f.Advice, "friend list is full") || f.Input != s.input {
		t.Errorf("%+v", f)
	}
	if list, _ := found(t, jobs, "a", "d"); kinds(list) != "failed a>d@4 30010" {
		t.Errorf("one pair: %s", kinds(list))
	}
	if list, tally := found(t, jobs, "a", "nobody"); len(list) != 0 || tally.Found() != 0 {
		t.Errorf("no pair: %s", kinds(list))
	}
	if _, err := jobs.Explain(t.Context(), "a", "", func(Finding) error { return errStop }); !errors.Is(err, errStop) {
		t.Errorf("an output that fails: %v", err)
	}
}

// An undo that was killed may have deleted more than it knows.
func TestAnEdgeThatUndoHasPerhapsDeletedSaysSo(t *testing.T) {
	base := t.TempDir()
	const src = ",AddSource_Type_A\n"
	s := newState(t, base, settings.Shard{}, "a,b"+src+"a,c"+src+"a,d"+src+"a,e"+src, source.Options{})
	s.run(false, func(e *migrate.Edge) migrate.Outcome {
		if e.To == "e" {
			return migrate.Outcome{Kind: migrate.Already}
		}
		return migrate.Outcome{Kind: migrate.Imported}
	})
	undo := &state{t: t, dir: filepath.Join(base, folder.Undo), plan: s.plan}
	s.must(checkpoint.Create(quickFS{}, undo.dir, s.journal.Identity()))
	undo.open()
	undo.run(true, func(e *migrate.Edge) migrate.Outcome {
		switch e.To {
		case "b":
			return migrate.Outcome{Kind: migrate.Imported}
		case "c":
			return refused(30006)
		}
		return migrate.Outcome{}
	})
	t.Cleanup(func() { s.must(undo.journal.Close()) })
	jobs := jobsIn(t, base)
	list, tally := found(t, jobs, "a", "")
	for i, want := range []string{"deleted by undo since\n", "UTC\n", "perhaps deleted by undo since: its call got no answer\n", "UTC\n"} {
		if text := list[i].Text(); !strings.HasSuffix(text, want) {
			t.Errorf("want %q at the end of %q", want, text)
		}
	}
	if e := jobs.Explained(tally, "a", "", exit.CommandLine{}); e.Code != exit.Unfinished || tally.Deleted != 1 || tally.Perhaps != 1 {
		t.Errorf("%+v, %+v", e, tally)
	}
}

func TestWithoutTheStagedInputFailuresAreStillExplained(t *testing.T) {
	t.Run("gone", func(t *testing.T) {
		withoutStage(t, func(dir string) error { return stage.Remove(dir, nil) })
	})
	t.Run("of another version", func(t *testing.T) {
		withoutStage(t, func(dir string) error {
			s, err := stage.Open(dir, nil)
			if err != nil {
				return err
			}
			return errors.Join(s.UpdateMeta([]byte(`{"version":99}`)), s.Close())
		})
	})
}

func withoutStage(t *testing.T, spoil func(dir string) error) {
	base := t.TempDir()
	s := newState(t, base, settings.Shard{}, "a,b,AddSource_Type_A\na,c,AddSource_Type_A\nc,a,AddSource_Type_A\n", source.Options{})
	s.run(false, func(e *migrate.Edge) migrate.Outcome {
		if e.To == "c" || e.To == "a" {
			return refused(30003)
		}
		return migrate.Outcome{Kind: migrate.Imported}
	})
	if err := spoil(filepath.Join(s.dir, folder.Staged)); err != nil {
		t.Fatal(err)
	}
	jobs := jobsIn(t, base)
	list, tally := found(t, jobs, "a", "")
	if kinds(list) != "failed a>c@3 30003" || !tally.Gone || list[0].Input != "input 1" {
		t.Errorf("%s, %+v", kinds(list), tally)
	}
}

// A roster of more chunks than are looked up at once, and rows that name an account in every list.
func TestALargeRosterAndTheListsAreExplained(t *testing.T) {
	base := t.TempDir()
	var rows strings.Builder
	const friends = 7_500
	for i := range friends {
		fmt.Fprintf(&rows, "hot,f%04d,AddSource_Type_A\n", i)
	}
	rows.WriteString("hot,hot,AddSource_Type_A\nhot,f0000,AddSource_Type_B\n\"hot\",\"a\x1b[2J\",AddSource_Type_A\nother,hot,nonsense\ncold,\"hot, he said\",x\n")
	s := newState(t, base, settings.Shard{}, rows.String(), source.Options{})
	s.run(false, func(e *migrate.Edge) migrate.Outcome {
		if e.Line%3_000 == 0 {
			return refused(30010)
		}
		return migrate.Outcome{Kind: migrate.Imported}
	})
	jobs := jobsIn(t, base)
	var list []Finding
	tally, err := jobs.explain(t.Context(), "hot", "", func(f Finding) error {
		list = append(list, f)
		return nil
	}, 3)
	if err != nil {
		t.Fatal(err)
	}
	if tally.ByKind[Imported] != friends-2 || tally.ByKind[Failed] != 2 || tally.ByKind[Rejected] != 3 || tally.ByKind[Duplicate] != 1 {
		t.Errorf("%v", tally.ByKind)
	}
	for i := 1; i < friends; i++ {
		if list[i].Line <= list[i-1].Line {
			t.Fatalf("finding %d is not in the order of the input", i)
		}
	}
	if list, _ := found(t, jobs, "hot", "hot"); kinds(list) != "rejected >@7502" {
		t.Errorf("itself: %s", kinds(list))
	}
	if list, _ := found(t, jobs, "hot", "a\x1b[2J"); len(list) != 1 || list[0].Reason != "has a control character" {
		t.Errorf("control character: %s", kinds(list))
	}
}

func TestAnAddedReverseSaysSo(t *testing.T) {
	base := t.TempDir()
	s := newState(t, base, settings.Shard{}, "a,b,AddSource_Type_A\n", source.Options{Mutual: true})
	s.run(false, func(*migrate.Edge) migrate.Outcome { return migrate.Outcome{Kind: migrate.Imported} })
	list, _ := found(t, jobsIn(t, base), "b", "a")
	if kinds(list) != "imported b>a@2 added" || !strings.Contains(list[0].Text(), "reverse of "+s.input+" line 2") {
		t.Errorf("%s", kinds(list))
	}
}

func TestRowsAreTakenApartAsFarAsTheyCan(t *testing.T) {
	for raw, want := range map[string]int{`a,"b,c",d`: 3, `{"From_Account":"a","To_Account":12345678901234567890}`: 2, `a,"b`: 2, "": 0, `[1]`: 1} {
		if got := RowFields(raw); len(got) != want {
			t.Errorf("%s: %q", raw, got)
		}
	}
	if got := RowFields(`{"n":12345678901234567890}`); got[0] != "12345678901234567890" {
		t.Errorf("digits went through a float: %q", got)
	}
}

func TestExplainingNeedsNoJournal(t *testing.T) {
	base := t.TempDir()
	if err := os.WriteFile(filepath.Join(base, folder.Progress), []byte(`{"phase":"reading"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, tally := found(t, jobsIn(t, base), "a", ""); tally.Found() != 0 || tally.Gone {
		t.Errorf("%+v", tally)
	}
	if _, err := Open(t.TempDir()); !errors.Is(err, folder.ErrNoJob) {
		t.Errorf("an empty folder: %v", err)
	}
}
