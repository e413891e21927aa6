package graph

import (
	"errors"
	"math"
)

// lift is the body of the graph: copies of one template, woven together. Account u of copy c has the number c*accounts + u.
type lift struct {
	accounts    int64 // of one copy
	copies      int64
	arcs        []arc // of one copy, ordered by from
	friends     []int32
	mutualPairs int64 // of one copy
}

// arc is an edge of the template: from account from of any copy c to account to of copy c + shift, wrapped around.
type arc struct{ from, to, shift uint32 }

// templateEdges is large enough for degrees to have a tail and small enough to be laid out in half a second.
const templateEdges = 1 << 19

var errDense = errors.New("too few accounts for so many friends each: ask for more edges, a lower mean or a lower maximum")

// newLift lays out at most edges edges, less only by what doesn't divide by the number of copies.
func newLift(edges int64, o *Options, r *random) (*lift, error) {
	copies := (edges + templateEdges - 1) / templateEdges
	edges /= copies
	accounts := max(int64(math.Round(float64(edges)/o.Mean)), (edges+int64(o.MaxFriends)-1)/int64(o.MaxFriends))
	// A graph of which more than a third of all pairs are friends can hardly be laid out at random: more accounts then, with fewer friends each.
	pairs := float64(edges) / (1 + o.Mutual)
	accounts = max(accounts, int64(math.Ceil(math.Sqrt(6*pairs/float64(copies)))))
	for range 8 {
		accounts = min(accounts, edges)
		l := &lift{accounts: accounts, copies: copies, mutualPairs: min(int64(math.Round(pairs*o.Mutual)), edges/2)}
		most := min(int64(o.MaxFriends), max(copies*accounts/2, (edges+accounts-1)/accounts))
		l.friends = degrees(accounts, edges, o.Sigma, most, r)
		b := builder{lift: l, random: r, taken: make(map[uint64]struct{}, edges)}
		if b.build(edges) {
			return l, nil
		}
		accounts += accounts/4 + 1
	}
	return nil, errDense
}

func (l *lift) edges() int64   { return int64(len(l.arcs)) * l.copies }
func (l *lift) rosters() int64 { return l.accounts * l.copies }
func (l *lift) calls() int64   { return callsOf(l.friends) * l.copies }
func (l *lift) largest() int64 { return largest(l.friends) }

func (l *lift) edge(i int64) (from, to int64) {
	copied := i / int64(len(l.arcs))
	a := l.arcs[i-copied*int64(len(l.arcs))]
	other := copied + int64(a.shift)
	if other >= l.copies {
		other -= l.copies
	}
	return copied*l.accounts + int64(a.from), other*l.accounts + int64(a.to)
}

func (l *lift) friendsOf(account int64) int64 { return int64(l.friends[account%l.accounts]) }
