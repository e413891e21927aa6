package migrate

import "math/bits"

// Chunk is up to MaxChunkEdges consecutive edges of one roster. Usually it is one friend_import call; it takes more where the JSON of one call would
// be too large, where the service refuses the whole of it and the offender has to be found, and where some of its edges have to be sent again.
type Chunk struct {
	Ordinal int64 // the chunk's place in the plan, dense from 0; what it holds never changes within one job
	From    string
	Edges   []Edge
}

// Roster is all edges of one From_Account, in the order of the input and without duplicates, cut in chunks.
type Roster struct {
	From       string
	First      int64 // ordinal of its first chunk; the others follow
	Chunks     int   // at least 1
	Edges      int64
	ChunkBytes int64 // memory that the largest of its chunks takes when loaded, an upper estimate

	// Load reads chunk i, 0 <= i < Chunks. It is cheap for the chunk that it read last and for the one after it, and is called by one goroutine at a
	// time, which may change between calls. An error means that the staged input is damaged or could not be read: it ends the job.
	Load func(i int) (Chunk, error)
}

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
func (s *EdgeSet) Has(i int) bool { return s[i/64]&(1<<(i%64)) != 0 }

// Len counts the edges in the set.
func (s *EdgeSet) Len() int {
	n := 0
	for _, w := range s {
		n += bits.OnesCount64(w)
	}
	return n
}

// Indexes lists the set in ascending order.
func (s *EdgeSet) Indexes() []int {
	list := make([]int, 0, s.Len())
	for i, w := range s {
		for ; w != 0; w &= w - 1 {
			list = append(list, i*64+bits.TrailingZeros64(w))
		}
	}
	return list
}
