package graph

import (
	"iter"
	"math"
)

// Graph is a laid out graph. It doesn't change and may be used by several goroutines.
type Graph struct {
	options Options
	body    *lift // nil where there are too few edges for it
	hubs    fan
	tail    fan

	strangers int64 // numbers from here on belong to accounts that no valid edge names
	ids       idPattern

	rows, specials, bad uint64 // specials are duplicates and bad rows
	order               shuffle
	defects             []defect
}

// New lays out a graph. An error says which option can't be used.
func New(o Options) (*Graph, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	g := &Graph{options: o}
	if err := g.layOut(); err != nil {
		return nil, err
	}
	if err := g.placeSpecials(); err != nil {
		return nil, err
	}
	var err error
	g.ids, err = parseID(o.ID, g.strangers+int64(g.bad))
	return g, err
}

func (g *Graph) layOut() error {
	o := &g.options
	const fewest = 16 // edges that a body is made of
	var accounts int64
	hubEdges := int64(o.Hubs) * o.HubFriends
	rest := o.Edges - hubEdges
	if rest >= fewest {
		var err error
		if g.body, err = newLift(rest, o, &random{state: mix(o.Seed)}); err != nil {
			return err
		}
		rest -= g.body.edges()
		accounts = g.body.rosters()
	}
	circle := accounts
	g.hubs = fan{first: accounts, total: hubEdges, each: max(o.HubFriends, 1), circle: circle}
	accounts += g.hubs.rosters()
	g.tail = fan{first: accounts, total: rest, each: int64(math.Ceil(o.Mean)), circle: circle}
	accounts += g.tail.rosters()
	g.hubs.outside, g.tail.outside = accounts, accounts
	g.strangers = accounts + max(g.hubs.each, g.tail.each)
	return nil
}

func (g *Graph) placeSpecials() error {
	o := &g.options
	edges := float64(o.Edges)
	if o.Bad > 0 {
		var err error
		if g.defects, err = chooseDefects(o); err != nil {
			return err
		}
		g.bad = min(max(uint64(math.Round(o.Bad*edges)), uint64(len(g.defects))), uint64(o.Edges))
	}
	duplicates := min(uint64(math.Round(o.Duplicates*edges)), uint64(o.Edges)-g.bad)
	g.specials = g.bad + duplicates
	g.rows = uint64(o.Edges) + g.specials
	g.order = newShuffle(g.rows, mix(o.Seed+1))
	return nil
}

// edge is the edge at an index in [0, Edges), as numbers of accounts. Ascending indexes have ascending From.
func (g *Graph) edge(i int64) (from, to int64) {
	if g.body != nil {
		if i < g.body.edges() {
			return g.body.edge(i)
		}
		i -= g.body.edges()
	}
	if i < g.hubs.total {
		return g.hubs.edge(i)
	}
	return g.tail.edge(i - g.hubs.total)
}

func (g *Graph) friendsOf(account int64) int64 {
	switch {
	case account >= g.tail.first:
		return g.tail.friendsOf(account)
	case account >= g.hubs.first:
		return g.hubs.friendsOf(account)
	}
	return g.body.friendsOf(account)
}

// place is what stands in a row: the edge at index, or a duplicate of it, or a bad row behind it.
type place struct {
	edge      int64
	duplicate bool
	bad       bool
	nth       uint64 // of the duplicates, of the bad rows
}

// place computes row i of the output. Specials are spread evenly among the sorted rows, each behind an edge of its own, before the order is applied.
func (g *Graph) place(i uint64) place {
	switch g.options.Order {
	case Shuffled:
		i = g.order.at(i)
	case Reversed:
		i = g.rows - 1 - i
	}
	if g.specials == 0 {
		return place{edge: int64(i)}
	}
	before := scale(i, g.specials, g.rows)
	if scale(i+1, g.specials, g.rows) == before {
		return place{edge: int64(i - before)}
	}
	bad := scale(before, g.bad, g.specials)
	if scale(before+1, g.bad, g.specials) > bad {
		return place{edge: int64(i - before - 1), bad: true, nth: bad}
	}
	return place{edge: int64(i - before - 1), duplicate: true, nth: before - bad}
}

// edgeBefore is the edge that the nth bad row stands behind: place turned around.
func (g *Graph) edgeBefore(nth uint64) int64 {
	special := divideUp(nth+1, g.specials, g.bad) - 1
	row := divideUp(special+1, g.rows, g.specials) - 1
	return int64(row - special - 1)
}

// divideUp returns a*b/c rounded up.
func divideUp(a, b, c uint64) uint64 { return scale(a, b, c) + min(remainder(a, b, c), 1) }

// Edges yields the distinct valid edges as From_Account and To_Account, in the order of their rows.
func (g *Graph) Edges() iter.Seq2[string, string] {
	return func(yield func(from, to string) bool) {
		for i := range g.rows {
			p := g.place(i)
			if p.bad || p.duplicate {
				continue
			}
			from, to := g.edge(p.edge)
			if !yield(string(g.ids.append(nil, from)), string(g.ids.append(nil, to))) {
				return
			}
		}
	}
}
