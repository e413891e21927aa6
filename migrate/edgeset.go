package migrate

import "math/bits"

// EdgeSet is a set of edges of one chunk, by index.
type EdgeSet [(MaxChunkEdges + 63) / 64]uint64

// FullSet is the set of the first n edges.
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

// Len counts the edges in the set.
func (s EdgeSet) Len() int {
	n := 0
	for _, w := range s {
		n += bits.OnesCount64(w)
	}
	return n
}

// Indexes lists the set in ascending order.
func (s EdgeSet) Indexes() []int {
	list := make([]int, 0, s.Len())
	for i, w := range s {
		for ; w != 0; w &= w - 1 {
			list = append(list, i*64+bits.TrailingZeros64(w))
		}
	}
	return list
}

// Or is the edges that are in s or in t.
func (s EdgeSet) Or(t EdgeSet) EdgeSet {
	for i := range s {
		s[i] |= t[i]
	}
	return s
}

// And is the edges that are in both.
func (s EdgeSet) And(t EdgeSet) EdgeSet {
	for i := range s {
		s[i] &= t[i]
	}
	return s
}

// Without is the edges of s that are not in t.
func (s EdgeSet) Without(t EdgeSet) EdgeSet {
	for i := range s {
		s[i] &^= t[i]
	}
	return s
}

// Meets reports whether an edge is in both.
func (s EdgeSet) Meets(t EdgeSet) bool { return s.And(t) != (EdgeSet{}) }
