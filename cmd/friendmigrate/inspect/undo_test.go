package inspect

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"

	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/migrate"
	"friendmigrate/source"
)

// An undo is about exactly the pairs of which the service said that they were imported, also after
// failures were reopened, whatever part of the plan is looked up at once.
func TestAnUndoIsAboutWhatWasImported(t *testing.T) {
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
	created := map[string]bool{}
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
	for _, window := range []int64{1, 7, 100, undoWindow} {
		pairs := map[string]bool{}
		for _, j := range jobsIn(t, base) {
			of := Created{Journal: j.Journal, window: window}
			part := func(ordinal int64, _ int) (migrate.EdgeSet, error) { return of.Of(t.Context(), ordinal) }
			for r, err := range migrate.Only(j.Stage.Rosters(t.Context(), nil), part) {
				if err != nil {
					t.Fatal(err)
				}
				for i := range r.Chunks {
					c, err := r.Load(i)
					if err != nil {
						t.Fatal(err)
					}
					for _, k := range r.Only(i).Indexes() {
						pairs[c.From+" "+c.Edges[k].To] = true
					}
				}
			}
		}
		if !maps.Equal(pairs, created) {
			t.Fatalf("window %d: %d pairs, want %d", window, len(pairs), len(created))
		}
	}
}
