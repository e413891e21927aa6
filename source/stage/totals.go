package stage

import (
	"cmp"
	"slices"
	"strings"
)

// Totals are the sizes of a stage and what making it found out about the input.
type Totals struct {
	Edges      int64 `json:"edges"`      // distinct edges in the plan, the added ones included
	Added      int64 `json:"added"`      // edges without a row: missing reverses (Options.Mutual)
	Duplicates int64 `json:"duplicates"` // rows that lost against another row of the same pair
	Differing  int64 `json:"differing"`  // of those, rows with other fields than the winner
	Rosters    int64 `json:"rosters"`
	Chunks     int64 `json:"chunks"`

	Largest      []RosterSize `json:"largest,omitempty"` // at most 10, largest first
	OverMax      int64        `json:"over_max"`          // rosters with more than Options.MaxFriends distinct friends
	OverMaxFirst []RosterSize `json:"over_max_first,omitempty"`
	GroupsOver   int64        `json:"groups_over"` // accounts whose roster names more than 32 distinct groups
	Sizes        [5]int64     `json:"sizes"`       // rosters of 1, 2-10, 11-100, 101-1000 and more friends

	// Pairs counts the distinct unordered pairs {A,B} among all rows given to Add, including those
	// of other shards. MutualPairs counts those with a row in each direction. Over 100,000 pairs
	// both are about a sample of at least 8,000, which depends only on the set of pairs.
	Pairs        int64 `json:"pairs"`
	MutualPairs  int64 `json:"mutual_pairs"`
	PairsSampled bool  `json:"pairs_sampled"`

	// PlanDigest is a digest, in hex, of the content of all rosters in plan order: every field of
	// every edge, its position, whether it was added. Two stages of the same rows and options have
	// the same digest, regardless of memory, lanes and the order in which rows were added.
	PlanDigest string `json:"plan_digest"`

	// Stored is the bytes of the sealed files; with Options.Measure, an upper bound.
	Stored int64 `json:"-"`
}

// RosterSize is an account and the number of its distinct friends.
type RosterSize struct {
	From    string `json:"from"`
	Friends int64  `json:"friends"`
}

const mostLargest = 10

// sizeClass returns the index in Totals.Sizes for a number of friends.
func sizeClass(friends int64) (class int) {
	for most := int64(1); friends > most && class < len(Totals{}.Sizes)-1; most *= 10 {
		class++
	}
	return class
}

func largerFirst(a, b RosterSize) int {
	return cmp.Or(cmp.Compare(b.Friends, a.Friends), strings.Compare(a.From, b.From))
}

// keepLargest adds a roster to the list of the largest if it belongs there.
func keepLargest(list []RosterSize, from []byte, friends int64) []RosterSize {
	if len(list) == mostLargest {
		if last := list[mostLargest-1]; friends < last.Friends || friends == last.Friends && string(from) > last.From {
			return list
		}
	}
	list = append(list, RosterSize{From: string(from), Friends: friends})
	slices.SortFunc(list, largerFirst)
	return list[:min(len(list), mostLargest)]
}

// merge adds the totals of another goroutine.
func (t *Totals) merge(o *Totals) {
	t.Edges += o.Edges
	t.Added += o.Added
	t.Duplicates += o.Duplicates
	t.Differing += o.Differing
	t.Rosters += o.Rosters
	t.Chunks += o.Chunks
	t.OverMax += o.OverMax
	t.GroupsOver += o.GroupsOver
	for class, n := range o.Sizes {
		t.Sizes[class] += n
	}
	t.Largest = append(t.Largest, o.Largest...)
	slices.SortFunc(t.Largest, largerFirst)
	t.Largest = t.Largest[:min(len(t.Largest), mostLargest)]
}

// overMax fills OverMaxFirst with the largest rosters over a limit.
func (t *Totals) overMax(limit int64) {
	for _, r := range t.Largest {
		if limit > 0 && r.Friends > limit {
			t.OverMaxFirst = append(t.OverMaxFirst, r)
		}
	}
}
