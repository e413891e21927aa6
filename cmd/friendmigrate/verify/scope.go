package verify

import (
	"context"
	"maps"
	"math"
	"math/rand/v2"
	"slices"

	"friendmigrate/migrate"
)

// asks returns the edges of a chunk of n edges to ask about: those in the sample, or those that the
// job has settled, or all. Pending edges were never sent, so they are not expected in the service.
func (p *Part) asks(ordinal int64, n int) (migrate.EdgeSet, error) {
	if p.sample != nil {
		return p.sample.inChunk(ordinal), nil
	}
	asked := migrate.FullSet(n)
	if p.Journal != nil {
		pending, _ := p.Journal.Unsettled(ordinal, n)
		asked = asked.Without(pending)
	}
	return asked, nil
}

func (p *Part) speaksOf(from string) bool { return p.Pilot == nil || p.Pilot.Has(from) }

// measure counts the edges to verify.
func (p *Part) measure(ctx context.Context) error {
	if p.edges = p.Stage.Totals().Edges; p.Pilot == nil {
		if p.settled = p.edges; p.Journal != nil {
			p.settled = p.Journal.Totals().Settled()
		}
		return nil
	}
	p.edges, p.settled = 0, 0
	for r, err := range p.Pilot.Rosters(ctx, p.Stage, nil) {
		if err != nil {
			return err
		}
		p.edges += r.Edges
		for i := range r.Chunks {
			asked, _ := p.asks(r.First+int64(i), r.Size(i))
			p.settled += int64(asked.Len())
		}
	}
	return nil
}

// sample is a random sample of the edges that the job has settled.
type sample struct {
	seed  uint64
	drawn []int64 // see keyOf, ascending
}

// inChunk returns the edges of a chunk that are in the sample.
func (s *sample) inChunk(ordinal int64) (set migrate.EdgeSet) {
	first := keyOf(ordinal, 0)
	i, _ := slices.BinarySearch(s.drawn, first)
	for ; i < len(s.drawn) && s.drawn[i] < first+migrate.MaxChunkEdges; i++ {
		set.Add(int(s.drawn[i] - first))
	}
	return set
}

func (s *sample) has(key int64) bool {
	_, drawn := slices.BinarySearch(s.drawn, key)
	return drawn
}

// draw draws the sample of --sample if that is fewer edges than there are. Drawn edges that failed
// in the job do not count; the sample stays random without them.
func (p *Part) draw(ctx context.Context, seed uint64) error {
	if p.Set.Sample == 0 || p.Set.Sample >= p.settled {
		return nil
	}
	drawn, err := p.places(ctx, Draw(p.settled, p.Set.Sample, seed))
	p.sample = &sample{seed, drawn}
	return err
}

// places returns the keys of edges, given their numbers among the edges that the job has settled.
func (p *Part) places(ctx context.Context, numbers []int64) (keys []int64, err error) {
	base := int64(0)
	for r, err := range p.Pilot.Rosters(ctx, p.Stage, nil) {
		if err != nil {
			return nil, err
		}
		for i := range r.Chunks {
			ordinal := r.First + int64(i)
			asked, _ := p.asks(ordinal, r.Size(i))
			indexes := asked.Indexes()
			for ; len(numbers) > 0 && numbers[0] < base+int64(len(indexes)); numbers = numbers[1:] {
				keys = append(keys, keyOf(ordinal, indexes[numbers[0]-base]))
			}
			base += int64(len(indexes))
		}
		if len(numbers) == 0 {
			break
		}
	}
	return keys, nil
}

// Confidence of Bound, and the name of the method, so that readers can check it.
const (
	Confidence = 0.95
	BoundName  = "Clopper-Pearson, one-sided, 95 %"
)

// Draw returns n distinct numbers below total in ascending order, every such set equally likely;
// all of them if n is not less than total. The same seed gives the same sample.
func Draw(total, n int64, seed uint64) []int64 {
	n = max(0, min(n, total))
	random := rand.New(rand.NewPCG(seed, uint64(total)))
	drawn := make(map[int64]struct{}, n)
	for last := total - n; last < total; last++ { // Floyd's algorithm
		number := random.Int64N(last + 1)
		if _, twice := drawn[number]; twice {
			number = last
		}
		drawn[number] = struct{}{}
	}
	return slices.Sorted(maps.Keys(drawn))
}

// Bound returns the largest share of a population that can be bad, with 95 % confidence, if bad of
// n drawn members were bad. It is the upper limit of the one-sided exact (Clopper-Pearson)
// interval: exact for draws with replacement, on the safe side for draws without. With none bad it
// is about 3/n.
func Bound(n, bad int64) float64 {
	if n <= 0 || bad >= n {
		return 1
	}
	low, high := 0.0, 1.0 // the probability of at most this many bad ones falls as the share rises
	for {
		share := low + (high-low)/2
		if share <= low || share >= high {
			return high
		}
		if atMost(n, bad, share) >= 1-Confidence {
			low = share
		} else {
			high = share
		}
	}
}

// atMost returns the probability of at most k bad ones among n that are each bad with probability
// p. If k is not below the mean, the probability is at least a half, and atMost returns 1.
func atMost(n, k int64, p float64) float64 {
	if float64(k) >= float64(n)*p {
		return 1
	}
	all, _ := math.Lgamma(float64(n + 1))
	bad, _ := math.Lgamma(float64(k + 1))
	good, _ := math.Lgamma(float64(n - k + 1))
	term := math.Exp(all - bad - good + float64(k)*math.Log(p) + float64(n-k)*math.Log1p(-p))
	sum := 0.0
	for ; k >= 0 && term > sum*1e-17; k-- { // below the mean each term is smaller than the one above
		sum += term
		term *= float64(k) * (1 - p) / (float64(n-k+1) * p)
	}
	return sum
}
