package checkpoint

// Counts counts settled edges by outcome.
type Counts struct {
	Imported         int64
	Already          int64
	AlreadyUncertain int64 // of Already: an earlier call without an answer may have done it
	Failed           int64
}

// Settled is the number of edges that have an outcome.
func (c Counts) Settled() int64 { return c.Imported + c.Already + c.Failed }

// Totals is what the journal says about the whole job. An edge that was reopened and not settled
// since is pending, so it is in none of the counts but Reopened.
type Totals struct {
	Counts                     // all settled edges
	Added        Counts        // those of them that no row asked for (--mutual)
	FailedByCode map[int]int64 // by ResultCode, sums up to Failed
	Pending      int64         // Identity.Edges less Settled
	Reopened     int64         // of Pending: moved back from failed, not settled since
	Chunks       int64         // chunks with every edge settled
}
