package inspect

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/migrate"
	"friendmigrate/source"
)

// The list has exactly the pairs of which the service said that they were imported, also after
// failures were taken up again, whatever part of the plan is looked up at once.
func TestTheUndoListIsWhatWasImported(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var rows strings.Builder
	for range 6000 {
		from := "hot"
		if random.IntN(2) == 0 {
			from = fmt.Sprint("u", random.IntN(300))
		}
		fmt.Fprintf(&rows, "%s,f%d,AddSource_Type_A\n", from, random.IntN(5000))
	}
	base := t.TempDir()
	created, unsure := map[string]bool{}, map[string]bool{}
	pick := func(e *migrate.Edge) migrate.Outcome {
		pair := e.From + " " + e.To
		switch random.IntN(6) {
		case 0:
			return migrate.Outcome{}
		case 1:
			return refused(30010)
		case 2:
			return migrate.Outcome{Kind: migrate.Already}
		case 3:
			unsure[pair] = true
			return migrate.Outcome{Kind: migrate.Already, Uncertain: true}
		}
		created[pair] = true
		return migrate.Outcome{Kind: migrate.Imported}
	}
	for i := range 2 {
		s := newState(t, base, settings.Shard{Index: i, Count: 2}, rows.String(), source.Options{})
		s.run(false, pick)
		if _, err := s.journal.Reopen(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		s.run(false, pick)
	}
	jobs := jobsIn(t, base)
	for _, window := range []int64{1, 7, 100, undoWindow} {
		var b strings.Builder
		u, err := jobs.undo(t.Context(), &b, nil, window)
		if err != nil {
			t.Fatal(err)
		}
		pairs, lines := pairsOf(t, b.String())
		want := Undone{Pairs: int64(len(created)), Uncertain: int64(len(unsure)), Calls: int64(lines), Accounts: u.Accounts}
		if len(pairs) != len(created) || u != want {
			t.Fatalf("window %d: %d pairs, %+v, want %+v", window, len(pairs), u, want)
		}
		for pair := range pairs {
			if !created[pair] {
				t.Fatalf("window %d: %q was not created by this job", window, pair)
			}
		}
	}
}

func pairsOf(t *testing.T, list string) (pairs map[string]bool, lines int) {
	t.Helper()
	pairs = map[string]bool{}
	for line := range strings.Lines(list) {
		lines++
		var d deletion
		if err := json.Unmarshal([]byte(line), &d); err != nil {
			t.Fatal(err)
		}
		if len(d.To) < 1 || len(d.To) > 1000 || d.Type != "Delete_Type_Single" || !slices.Equal(d.To, slices.Compact(slices.Clone(d.To))) {
			t.Fatalf("no call of friend_delete: %s", line)
		}
		for _, to := range d.To {
			if pairs[d.From+" "+to] {
				t.Fatalf("%s -> %s is there twice", d.From, to)
			}
			pairs[d.From+" "+to] = true
		}
	}
	return pairs, lines
}
