package migrate

import (
	"errors"
	"iter"
	"testing"
)

// TestOnlyAPartOfAPlanIsOpen: rosters without any of it are left out, and of the others nothing
// else is open, whatever the journal says.
func TestOnlyAPartOfAPlanIsOpen(t *testing.T) {
	broken := errors.New("broken")
	plan := func(yield func(Roster, error) bool) {
		for i := range int64(3) {
			if !yield(Roster{First: 2 * i, Chunks: 2, Edges: MaxChunkEdges + 7}, nil) {
				return
			}
		}
		yield(Roster{}, broken)
	}
	part := func(ordinal int64, n int) (EdgeSet, error) {
		if want := map[int64]int{0: MaxChunkEdges, 1: 7}[ordinal%2]; n != want {
			t.Errorf("chunk %d is said to have %d edges", ordinal, n)
		}
		if ordinal == 1 || ordinal == 4 {
			return FullSet(3), nil
		}
		return EdgeSet{}, nil
	}
	var rosters []int64
	for r, err := range Only(iter.Seq2[Roster, error](plan), part) {
		if err != nil {
			if !errors.Is(err, broken) {
				t.Error(err)
			}
			continue
		}
		rosters = append(rosters, r.First)
		w := &work{roster: r, index: int(r.First+1) % 4 / 2}
		x := worker{journal: &openLog{}}
		if open, _ := x.open(w); open != r.Only(w.index) {
			t.Errorf("roster %d: %v is open", r.First, open)
		}
	}
	if len(rosters) != 2 || rosters[0] != 0 || rosters[1] != 4 {
		t.Errorf("rosters %v", rosters)
	}
	for _, err := range Only(iter.Seq2[Roster, error](plan), func(int64, int) (EdgeSet, error) { return EdgeSet{}, broken }) {
		if !errors.Is(err, broken) {
			t.Error(err)
		}
	}
}

// openLog is a journal in which everything is open.
type openLog struct{ Journal }

func (openLog) Announce(int64) error { return nil }

func (openLog) Unsettled(_ int64, n int) (EdgeSet, bool) { return FullSet(n), false }
