package migrate

import "context"

// Journal is the job's memory of what is settled.
type Journal interface {
	// Open tells which of the n edges of a chunk are not settled yet, and whether an earlier run
	// may have sent some of those without seeing the answer. It is cheap, reads no file and is safe
	// for concurrent use.
	Open(ordinal int64, n int) (open EdgeSet, maybeSent bool)

	// Settle records final outcomes of edges of one chunk and returns once that is durable. It is
	// safe for concurrent use. The first error is final: from then on every call returns it and
	// nothing more is recorded.
	Settle(ctx context.Context, s Settlement) error
}

// Settlement is the final outcome of some edges of one chunk. No edge is settled twice unless it
// was reopened in between.
type Settlement struct {
	Chunk Chunk
	Edges []Settled
}

// Settled is the final outcome of one edge: Imported, Already or Failed.
type Settled struct {
	Index    int // in Chunk.Edges
	Outcome  Outcome
	Attempts int // calls that carried this edge, in this run
}
