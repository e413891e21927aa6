package verify

import (
	"context"
	"slices"

	"friendmigrate/migrate"
)

// asks tells what is asked about of a chunk of n edges: what was drawn, or what the job has
// settled, or all. A pending edge was never sent, so nobody expects it in the service.
func (p *Part) asks(ordinal int64, n int) (migrate.EdgeSet, error) {
	if p.sample != nil {
		return p.sample.inChunk(ordinal), nil
	}
	asked := migrate.FullSet(n)
	if p.Journal != nil {
		pending, _ := p.Journal.Open(ordinal, n)
		asked = asked.Without(pending)
	}
	return asked, nil
}

func (p *Part) speaksOf(from string) bool { return p.Pilot == nil || p.Pilot.Has(from) }

// measure finds out how much there is.
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

// sample is the edges that were drawn from those that the job has settled.
type sample struct {
	seed  uint64
	drawn []int64 // see keyOf, ascending
}

// inChunk is what was drawn of a chunk.
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

// draw draws --sample, if that asks for fewer edges than there are. Some of these may have failed
// in the job: they are no part of the sample, which stays random without them.
func (p *Part) draw(ctx context.Context, seed uint64) error {
	if p.Set.Sample == 0 || p.Set.Sample >= p.settled {
		return nil
	}
	drawn, err := p.places(ctx, Draw(p.settled, p.Set.Sample, seed))
	p.sample = &sample{seed, drawn}
	return err
}

// places finds the keys of edges by their numbers among those that the job has settled.
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
