package migrate

import (
	"math/bits"
)

// MaxChunkEdges is the most friends that one friend_import call may carry (API page of
// friend_import, 2024-09-25).
const MaxChunkEdges = 1000

// Chunk is up to MaxChunkEdges consecutive edges of one roster. source/stage/rosters.go cuts it.
// Usually one friend_import call carries it. It takes more calls if the JSON of one would be too
// large, if the service refuses a whole call for one of its edges and that edge has to be found, or
// if some edges have to be sent again.
type Chunk struct {
	Ordinal int64 // place in the plan, counted from 0 without gaps; the contents of a chunk never change within one job
	From    string
	Edges   []Edge
}

// Fitting returns how many of n edges, from the first, fit into one call that has room bytes for
// them. It is at least one, however large that edge is. size returns the JSON bytes of edge k.
// A plan counts calls by it; only halving and what is sent again take more.
func Fitting(n, room int, size func(k int) int) int {
	for k := range n {
		if room -= size(k); room < 0 && k > 0 {
			return k
		}
	}
	return n
}

// edgesOfCall returns the edges of one call: the first of the chosen edges, as many as fit.
func (x *worker) edgesOfCall(c *Chunk, chosen EdgeSet) (indexes []int, edges []Edge) {
	indexes = chosen.Indexes()
	indexes = indexes[:Fitting(len(indexes), x.opt.Room,
		func(k int) int { return x.opt.EdgeBytes(&c.Edges[indexes[k]]) })]
	if len(indexes) == len(c.Edges) {
		return indexes, c.Edges
	}
	edges = make([]Edge, len(indexes))
	for k, i := range indexes {
		edges[k] = c.Edges[i]
	}
	return indexes, edges
}

// EdgeSet is a set of edges of one chunk, by index.
type EdgeSet [(MaxChunkEdges + 63) / 64]uint64

// FullSet returns the set of the first n edges.
func FullSet(n int) EdgeSet {
	var s EdgeSet
	for i := range n {
		s.Add(i)
	}
	return s
}

// Add puts edge i into the set.
func (s *EdgeSet) Add(i int) { s[i/64] |= 1 << (i % 64) }

// Remove takes edge i out of the set.
func (s *EdgeSet) Remove(i int) { s[i/64] &^= 1 << (i % 64) }

// Has reports whether edge i is in the set.
func (s EdgeSet) Has(i int) bool { return s[i/64]&(1<<(i%64)) != 0 }

// Len returns the number of edges in the set.
func (s EdgeSet) Len() int {
	n := 0
	for _, w := range s {
		n += bits.OnesCount64(w)
	}
	return n
}

// Indexes returns the indexes of the edges in ascending order.
func (s EdgeSet) Indexes() []int {
	list := make([]int, 0, s.Len())
	for i, w := range s {
		for ; w != 0; w &= w - 1 {
			list = append(list, i*64+bits.TrailingZeros64(w))
		}
	}
	return list
}

// Or returns the edges that are in s or in t.
func (s EdgeSet) Or(t EdgeSet) EdgeSet {
	for i := range s {
		s[i] |= t[i]
	}
	return s
}

// And returns the edges that are in both s and t.
func (s EdgeSet) And(t EdgeSet) EdgeSet {
	for i := range s {
		s[i] &= t[i]
	}
	return s
}

// Without returns the edges of s that are not in t.
func (s EdgeSet) Without(t EdgeSet) EdgeSet {
	for i := range s {
		s[i] &^= t[i]
	}
	return s
}

// Meets reports whether s and t have an edge in common.
func (s EdgeSet) Meets(t EdgeSet) bool { return s.And(t) != (EdgeSet{}) }
