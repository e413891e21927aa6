package migrate

// MaxChunkEdges is the most friends that one friend_import call may carry (API page of
// friend_import, 2024-09-25).
const MaxChunkEdges = 1000

// Chunk is up to MaxChunkEdges consecutive edges of one roster. Usually it is one friend_import
// call; it takes more where the JSON of one call would be too large, where the service refuses the
// whole of it and the offender has to be found, and where some of its edges have to be sent again.
type Chunk struct {
	Ordinal int64 // the chunk's place in the plan, dense from 0; what it holds never changes within one job
	From    string
	Edges   []Edge
}

// Fitting is how many of n edges, beginning with the first, fit into one call with room bytes for
// them: at least one, however large. size returns the JSON bytes of an edge. Nothing else decides
// what a call holds, so a plan can count calls beforehand.
func Fitting(n, room int, size func(k int) int) int {
	for k := range n {
		if room -= size(k); room < 0 && k > 0 {
			return k
		}
	}
	return n
}

// edgesOfCall takes the edges of one call: the first of the chosen ones, as many as fit.
func (x *executor) edgesOfCall(c *Chunk, chosen EdgeSet) (indexes []int, edges []Edge) {
	indexes = chosen.Indexes()
	indexes = indexes[:Fitting(len(indexes), x.opt.CallBytes-x.opt.Envelope,
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
