package verify

import (
	"slices"

	"friendmigrate/checkpoint"
	"friendmigrate/migrate"
)

// outcomes says what a journal has of some edges. A journal spells out only exceptions in memory,
// and holds the rest in its file in no order of use here; so it is read once for a window of edges,
// whatever order they are asked for in.
type outcomes struct {
	keys  []int64 // of the edges: chunk times 1000 and index, ascending
	known []outcome
}

type outcome struct {
	kind migrate.Kind // Again: nothing is on record
	code int32
}

// usualWindow is how many edges are looked up at once: some 16 bytes each.
const usualWindow = 1 << 20

func keyOf(ordinal int64, index int) int64 { return ordinal*migrate.MaxChunkEdges + int64(index) }

// lookUp reads the outcomes of edges out of a journal. It keeps keys and sorts them.
func lookUp(journal *checkpoint.Journal, keys []int64) (*outcomes, error) {
	slices.Sort(keys)
	o := &outcomes{keys: keys, known: make([]outcome, len(keys))}
	if len(keys) == 0 {
		return o, nil
	}
	first := keys[0] / migrate.MaxChunkEdges
	last := keys[len(keys)-1] / migrate.MaxChunkEdges
	for s, err := range journal.Settlements(first, last-first+1) {
		if err != nil {
			return nil, err
		}
		i, asked := slices.BinarySearch(keys, keyOf(s.Ordinal, s.Index))
		switch {
		case !asked:
		case s.Reopened:
			o.known[i] = outcome{}
		default:
			o.known[i] = outcome{kind: s.Outcome.Kind, code: int32(s.Outcome.Code)}
		}
	}
	return o, nil
}

// of says what is on record of an edge.
func (o *outcomes) of(key int64) migrate.Kind {
	if i, ok := slices.BinarySearch(o.keys, key); ok {
		return o.known[i].kind
	}
	return migrate.Again
}

// words are how the lists name what became of an edge in the job.
var words = map[migrate.Kind]string{migrate.Imported: "imported", migrate.Already: "already"}
