package graph

// Expect is what a correct reader finds in all parts together, rows with a broken optional field rejected.
type Expect struct {
	Rows       int64          `json:"rows"`  // without a header
	Edges      int64          `json:"edges"` // distinct valid pairs
	Rosters    int64          `json:"rosters"`
	Calls      int64          `json:"calls"` // sum over rosters of ceil(friends / 1000)
	Duplicates int64          `json:"duplicates"`
	Differing  int64          `json:"differing"` // of the duplicates, whose fields are not those of the other row
	Rejected   int64          `json:"rejected"`
	RejectedBy map[Kind]int64 `json:"rejected_by"`

	Kept Kept `json:"kept"`

	Largest         int64 `json:"largest"`          // friends of the largest roster
	Pairs           int64 `json:"pairs"`            // unordered pairs of accounts
	MutualPairs     int64 `json:"mutual_pairs"`     // with an edge in both directions
	MissingReverses int64 `json:"missing_reverses"` // edges that would make all pairs mutual
}

// Kept is what changes when a broken optional field is dropped or cut and its edge is kept. Rosters don't change: these edges belong to accounts that
// have others. An edge whose 33 groups are cut to 32 uses up what its account may have: the service then refuses more edges of it for their groups, which
// is no mistake of the reader's. Leave groups-many out where every kept edge has to arrive.
type Kept struct {
	Edges    int64 `json:"edges"`
	Calls    int64 `json:"calls"`
	Rejected int64 `json:"rejected"`
}

// Expect computes the counts, without generating the rows.
func (g *Graph) Expect() Expect {
	e := Expect{
		Rows: int64(g.rows), Edges: g.options.Edges, Duplicates: int64(g.specials - g.bad), Rejected: int64(g.bad), RejectedBy: make(map[Kind]int64),
		Rosters: g.hubs.rosters() + g.tail.rosters(), Calls: g.hubs.calls() + g.tail.calls(), Largest: max(g.hubs.largest(), g.tail.largest()),
	}
	if g.body != nil {
		e.Rosters += g.body.rosters()
		e.Calls += g.body.calls()
		e.Largest = max(e.Largest, g.body.largest())
		e.MutualPairs = g.body.mutualPairs * g.body.copies
	}
	e.Differing = e.Duplicates / 2
	e.Pairs = e.Edges - e.MutualPairs
	e.MissingReverses = e.Pairs - e.MutualPairs
	kinds := uint64(len(g.defects))
	for i := range min(kinds, g.bad) {
		e.RejectedBy[g.defects[i].kind] += int64((g.bad - i + kinds - 1) / kinds)
	}
	e.Kept = Kept{Edges: e.Edges, Calls: e.Calls, Rejected: e.Rejected}
	g.keep(&e.Kept)
	return e
}

// keep adds the edges whose broken field is optional, account by account: bad rows are in the order of accounts.
func (g *Graph) keep(k *Kept) {
	var account, more int64
	settle := func() {
		if more > 0 {
			friends := g.friendsOf(account)
			k.Calls += callsFor(friends+more) - callsFor(friends)
			more = 0
		}
	}
	for nth := range g.bad {
		if !g.defects[nth%uint64(len(g.defects))].limit {
			continue
		}
		k.Edges++
		k.Rejected--
		if from, _ := g.edge(g.edgeBefore(nth)); from != account {
			settle()
			account = from
		}
		more++
	}
	settle()
}
