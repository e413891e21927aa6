package graph

import (
	"bufio"
	"fmt"
	"io"
	"iter"
	"math"
	"math/bits"
	"sort"
)

// Options say what to generate. The same options give the same bytes.
type Options struct {
	Seed   uint64
	Edges  int64   // distinct edges; at most 2^36
	Mean   float64 // approximate friends of an account; fewer in a small graph
	Sorted bool    // rows by account instead of in random order
}

// Default returns the options of a small graph in random order.
func Default() Options {
	return Options{Seed: 1, Edges: 10_000, Mean: 12}
}

const (
	maxEdges   = 1 << 36
	maxFriends = 3000 // of one account (the service's limit)
	sigma      = 1.1  // of the log-normal distribution: real networks have 1 to 1.3
)

// Graph is a graph that can be written. It is immutable and safe for concurrent use.
type Graph struct {
	options Options
	starts  []int64 // where the edges of each account of the pattern begin, and where the last ends
	circle  int64   // accounts that friends are drawn from
	order   shuffle
}

// patternAccounts is the number of accounts after which the numbers of friends repeat.
const patternAccounts = 1 << 16

// New returns a graph. An error says which option cannot be used.
func New(o Options) (*Graph, error) {
	switch {
	case o.Edges < 1 || o.Edges > maxEdges:
		return nil, fmt.Errorf("edges: %d is not in 1 to %d", o.Edges, int64(maxEdges))
	case !(o.Mean >= 1 && o.Mean <= maxFriends):
		return nil, fmt.Errorf("mean: %g is not in 1 to %d", o.Mean, maxFriends)
	}
	// More friends than that would have to be found among fewer accounts.
	most := min(maxFriends, max(1, int64(math.Sqrt(float64(o.Edges))/2)))
	accounts := min(patternAccounts, int64(math.Ceil(float64(o.Edges)/o.Mean)))
	g := &Graph{options: o, starts: []int64{0}, order: newShuffle(uint64(o.Edges), mix(o.Seed+1))}
	for _, friends := range degrees(accounts, o.Mean, most, o.Seed) {
		g.starts = append(g.starts, g.starts[len(g.starts)-1]+friends)
	}
	last, _ := g.owner(o.Edges - 1)
	g.circle = max(last+1, most+2)
	return g, nil
}

// degrees returns the n-quantiles of a log-normal distribution with this mean, each from 1 to most,
// in random order.
func degrees(n int64, mean float64, most int64, seed uint64) []int64 {
	median := mean / math.Exp(sigma*sigma/2)
	list := make([]int64, n)
	order := newShuffle(uint64(n), mix(seed))
	for i := range list {
		p := (float64(order.at(uint64(i))) + 0.5) / float64(n)
		friends := int64(math.Round(median * math.Exp(sigma*math.Sqrt2*math.Erfinv(2*p-1))))
		list[i] = min(max(friends, 1), most)
	}
	return list
}

// owner returns the account of an edge, and the number of the friend that the edge leads to.
func (g *Graph) owner(edge int64) (account, friend int64) {
	n := int64(len(g.starts) - 1)
	round := g.starts[n]
	within := edge % round
	i := int64(sort.Search(int(n), func(i int) bool { return g.starts[i+1] > within }))
	return edge/round*n + i, within - g.starts[i]
}

// edge returns an edge as the numbers of its accounts. Friends are the nearest accounts on both
// sides.
func (g *Graph) edge(i int64) (from, to int64) {
	from, friend := g.owner(i)
	step := friend/2 + 1
	if friend%2 == 1 {
		step = g.circle - step
	}
	return from, (from + step) % g.circle
}

// Edges yields the ids of both accounts of each edge. They are valid until the next edge.
func (g *Graph) Edges() iter.Seq2[[]byte, []byte] {
	return func(yield func(from, to []byte) bool) {
		var a, b []byte
		for i := range g.options.Edges {
			if !g.options.Sorted {
				i = int64(g.order.at(uint64(i)))
			}
			from, to := g.edge(i)
			a, b = fmt.Appendf(a[:0], "u%08d", from), fmt.Appendf(b[:0], "u%08d", to)
			if !yield(a, b) {
				return
			}
		}
	}
}

// Write writes the graph as CSV.
func (g *Graph) Write(w io.Writer) error {
	b := bufio.NewWriterSize(w, 256<<10)
	fmt.Fprintln(b, "From_Account,To_Account,AddSource")
	for from, to := range g.Edges() {
		b.Write(from)
		b.WriteByte(',')
		b.Write(to)
		if _, err := b.WriteString(",AddSource_Type_Import\n"); err != nil {
			return fmt.Errorf("write rows: %w", err)
		}
	}
	return b.Flush()
}

// shuffle is a pseudo-random permutation of [0, n) that needs no memory: a Feistel network over
// pairs of digits to the base side, where side*side is the smallest square that is not below n. An
// image outside of [0, n) is sent through again until it is inside.
type shuffle struct {
	n, side uint64
	keys    [4]uint64
}

func newShuffle(n, seed uint64) shuffle {
	s := shuffle{n: n, side: uint64(math.Sqrt(float64(n)))}
	for s.side*s.side < n {
		s.side++
	}
	for i := range s.keys {
		s.keys[i] = mix(seed + uint64(i))
	}
	return s
}

func (s *shuffle) at(i uint64) uint64 {
	for {
		left := i / s.side
		right := i - left*s.side
		for _, key := range s.keys {
			step, _ := bits.Mul64(mix(right^key), s.side)
			sum := left + step
			if sum >= s.side {
				sum -= s.side
			}
			left, right = right, sum
		}
		if i = left*s.side + right; i < s.n {
			return i
		}
	}
}

// mix is one step of splitmix64. The results of a seed depend on it, so it is not taken from a
// library that may change.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
