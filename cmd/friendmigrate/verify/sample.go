package verify

import (
	"context"
	"iter"
	"strings"

	"friendmigrate/migrate"
	"friendmigrate/source/stage"
)

// sample is the edges of a plan that were drawn, as a plan of its own: the same accounts in the same order, with what was drawn of each, in chunks of 1000.
type sample struct {
	plan   *stage.Stage
	drawn  []int64 // numbers of edges in the whole plan, ascending
	chunks int64
	starts []int64 // of each chunk of the sample: how many drawn edges come before it
}

// newSample goes over the plan once to count chunks.
func newSample(ctx context.Context, plan *stage.Stage, drawn []int64) (*sample, error) {
	s := &sample{plan: plan, drawn: drawn}
	for part, err := range s.parts(ctx) {
		if err != nil {
			return nil, err
		}
		for i := range part.chunks() {
			s.starts = append(s.starts, part.before+int64(i)*migrate.MaxChunkEdges)
		}
	}
	s.chunks = int64(len(s.starts))
	return s, nil
}

// part is what was drawn of one roster.
type part struct {
	roster migrate.Roster
	base   int64 // number of its first edge in the plan
	before int64 // drawn edges of the rosters before it
	first  int64 // number of its first chunk in the sample
	drawn  []int64
}

func (p *part) chunks() int {
	return (len(p.drawn) + migrate.MaxChunkEdges - 1) / migrate.MaxChunkEdges
}

// parts goes over the rosters of which something was drawn.
func (s *sample) parts(ctx context.Context) iter.Seq2[part, error] {
	return func(yield func(part, error) bool) {
		base, before, first, left := int64(0), int64(0), int64(0), s.drawn
		for roster, err := range s.plan.Rosters(ctx, nil) {
			if err != nil {
				yield(part{}, err)
				return
			}
			n := 0
			for n < len(left) && left[n] < base+roster.Edges {
				n++
			}
			if n > 0 {
				p := part{roster: roster, base: base, before: before, first: first, drawn: left[:n]}
				if !yield(p, nil) {
					return
				}
				before, first, left = before+int64(n), first+int64(p.chunks()), left[n:]
			}
			if base += roster.Edges; len(left) == 0 {
				return
			}
		}
	}
}

// rosters is the sample as a plan.
func (s *sample) rosters(ctx context.Context) iter.Seq2[migrate.Roster, error] {
	return func(yield func(migrate.Roster, error) bool) {
		for p, err := range s.parts(ctx) {
			r := migrate.Roster{
				From: p.roster.From, First: p.first, Chunks: p.chunks(), Edges: int64(len(p.drawn)), ChunkBytes: 2 * p.roster.ChunkBytes, Load: p.load,
			}
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}

// load reads chunk i of the part. It keeps copies, so that the chunks that they come from can go.
func (p *part) load(i int) (migrate.Chunk, error) {
	chunk := migrate.Chunk{Ordinal: p.first + int64(i), From: p.roster.From}
	from := migrate.Chunk{Ordinal: -1}
	for _, number := range p.drawn[i*migrate.MaxChunkEdges : min(len(p.drawn), (i+1)*migrate.MaxChunkEdges)] {
		place := number - p.base
		if want := int(place / migrate.MaxChunkEdges); from.Ordinal != p.roster.First+int64(want) {
			var err error
			if from, err = p.roster.Load(want); err != nil {
				return migrate.Chunk{}, err
			}
		}
		chunk.Edges = append(chunk.Edges, cloned(&from.Edges[place%migrate.MaxChunkEdges]))
	}
	return chunk, nil
}

func cloned(e *migrate.Edge) migrate.Edge {
	c := *e
	for _, s := range []*string{&c.To, &c.Remark, &c.AddSource, &c.AddWording} {
		*s = strings.Clone(*s)
	}
	c.Groups, c.Custom = nil, nil
	for _, g := range e.Groups {
		c.Groups = append(c.Groups, strings.Clone(g))
	}
	for _, item := range e.Custom {
		c.Custom = append(c.Custom, migrate.CustomItem{Tag: strings.Clone(item.Tag), Value: strings.Clone(item.Value), Integer: item.Integer})
	}
	return c
}

// origins tells where in the whole plan the drawn edges are: of each, its chunk times 1000 and its index.
func (s *sample) origins(ctx context.Context) ([]int64, error) {
	list := make([]int64, 0, len(s.drawn))
	for p, err := range s.parts(ctx) {
		if err != nil {
			return nil, err
		}
		for _, number := range p.drawn {
			list = append(list, p.roster.First*migrate.MaxChunkEdges+number-p.base)
		}
	}
	return list, nil
}
