package verify

import (
	"context"
	"iter"
	"slices"

	"friendmigrate/checkpoint"
	"friendmigrate/migrate"
)

// asking is the journal of a verify for the engine, which asks about what is open in it.
type asking struct {
	*checkpoint.Journal
	of *Part
}

// Open implements migrate.Journal.
func (a asking) Open(ordinal int64, n int) (open migrate.EdgeSet, maybeSent bool) {
	open, _ = a.Journal.Open(ordinal, n)
	return open.And(a.of.asks(ordinal, n)), false
}

// asks tells what is asked about of a chunk of n edges: what was drawn, or what the job has
// settled, or all. A pending edge was never sent, so nobody expects it in the service.
func (p *Part) asks(ordinal int64, n int) migrate.EdgeSet {
	if p.sample != nil {
		return p.sample.inChunk(ordinal)
	}
	asked := migrate.FullSet(n)
	if p.Journal != nil {
		pending, _ := p.Journal.Open(ordinal, n)
		asked = asked.Without(pending)
	}
	return asked
}

// chunks goes over the chunks of a roster with their number of edges.
func chunks(r *migrate.Roster) iter.Seq2[int64, int] {
	return func(yield func(ordinal int64, n int) bool) {
		for i := range int64(r.Chunks) {
			if !yield(r.First+i, int(min(migrate.MaxChunkEdges, r.Edges-i*migrate.MaxChunkEdges))) {
				return
			}
		}
	}
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
		for ordinal, n := range chunks(&r) {
			asked := p.asks(ordinal, n)
			p.settled += int64(asked.Len())
		}
	}
	return nil
}

// plan is what the engine goes over: rosters with something to ask about.
func (p *Part) plan(ctx context.Context) iter.Seq2[migrate.Roster, error] {
	return func(yield func(migrate.Roster, error) bool) {
		for r, err := range p.Pilot.Rosters(ctx, p.Stage, p.verdicts.Done) {
			if (err != nil || p.asksAny(&r)) && !yield(r, err) {
				return
			}
		}
	}
}

func (p *Part) asksAny(r *migrate.Roster) bool {
	for ordinal, n := range chunks(r) {
		if p.asks(ordinal, n) != (migrate.EdgeSet{}) {
			return true
		}
	}
	return false
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
		for ordinal, n := range chunks(&r) {
			asked := p.asks(ordinal, n)
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
