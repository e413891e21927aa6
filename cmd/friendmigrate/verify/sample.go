package verify

import (
	"context"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"

	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/migrate"
)

// sample is the edges that were drawn from a plan, as a plan of its own: the same accounts in the
// same order, with what was drawn of each, in chunks of 1000.
type sample struct {
	of     *Verify
	from   int64   // so many edges could have been drawn
	drawn  []int64 // where in the whole plan they are, ascending; see keyOf
	chunks int64
	starts []int64 // of each chunk of the sample: how many drawn edges come before it
}

// draw draws the sample from what is asked about. An edge that failed in the job is none that
// should be in place, so it is not drawn.
func (v *Verify) draw(ctx context.Context) error {
	failed := int64(0)
	if v.Job != nil {
		failed = v.Job.Totals().Failed
		if v.Accounts != nil {
			failed = 0
			for f, err := range v.Job.Failures() {
				if err != nil {
					return err
				}
				if v.speaksOf(f.Edge.From) {
					failed++
				}
			}
		}
	}
	s := &sample{of: v, from: v.scope.asked - failed}
	if v.Sample >= s.from {
		return nil
	}
	more := v.Sample
	if failed > 0 { // some of these will be drawn, and are not kept
		more = min(int64(float64(more)*float64(v.scope.asked)/float64(s.from)*1.1)+100, settings.MostDrawn)
	}
	if err := s.draw(ctx, Draw(v.scope.asked, more, v.Seed)); err != nil {
		return err
	}
	if failed > 0 {
		if err := s.withoutFailed(); err != nil {
			return err
		}
	}
	for part, err := range s.parts(ctx) {
		if err != nil {
			return err
		}
		for i := range part.chunks() {
			s.starts = append(s.starts, part.before+int64(i)*migrate.MaxChunkEdges)
		}
	}
	s.chunks = int64(len(s.starts))
	v.sample = s
	return nil
}

// draw finds the places of numbers among the edges that are asked about.
func (s *sample) draw(ctx context.Context, numbers []int64) error {
	base := int64(0)
	for r, err := range s.of.rosters(ctx, nil) {
		if err != nil {
			return err
		}
		for i := 0; i < r.Chunks && len(numbers) > 0; i++ {
			asked := s.of.asks(r.First+int64(i), chunkSize(&r, i))
			n := int64(asked.Len())
			if numbers[0] < base+n {
				places := asked.Indexes()
				for ; len(numbers) > 0 && numbers[0] < base+n; numbers = numbers[1:] {
					s.drawn = append(s.drawn, keyOf(r.First+int64(i), places[numbers[0]-base]))
				}
			}
			base += n
		}
		if len(numbers) == 0 {
			break
		}
	}
	return nil
}

// withoutFailed keeps what did not fail in the job, and of that as many as were asked for.
func (s *sample) withoutFailed() error {
	var kept []int64
	for keys := range slices.Chunk(s.drawn, int(s.of.window)) {
		known, err := lookUp(s.of.Job, keys)
		if err != nil {
			return err
		}
		for i, key := range keys {
			if known.known[i].kind != migrate.Failed {
				kept = append(kept, key)
			}
		}
	}
	if surplus := int64(len(kept)) - s.of.Sample; surplus > 0 {
		random := rand.New(rand.NewPCG(s.of.Seed, 1))
		random.Shuffle(len(kept), func(i, j int) { kept[i], kept[j] = kept[j], kept[i] })
		kept = kept[surplus:]
		slices.Sort(kept)
	}
	s.drawn = kept
	return nil
}

// part is what was drawn of one roster.
type part struct {
	roster migrate.Roster
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
		before, first, left := int64(0), int64(0), s.drawn
		for roster, err := range s.of.rosters(ctx, nil) {
			if err != nil {
				yield(part{}, err)
				return
			}
			n, _ := slices.BinarySearch(left, keyOf(roster.First+int64(roster.Chunks), 0))
			if n > 0 {
				p := part{roster: roster, before: before, first: first, drawn: left[:n]}
				if !yield(p, nil) {
					return
				}
				before, first, left = before+int64(n), first+int64(p.chunks()), left[n:]
			}
			if len(left) == 0 {
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
				From: p.roster.From, First: p.first, Chunks: p.chunks(), Edges: int64(len(p.drawn)),
				ChunkBytes: 2 * p.roster.ChunkBytes, Load: p.load,
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
	for _, key := range p.drawn[i*migrate.MaxChunkEdges : min(len(p.drawn), (i+1)*migrate.MaxChunkEdges)] {
		if ordinal := key / migrate.MaxChunkEdges; from.Ordinal != ordinal {
			var err error
			if from, err = p.roster.Load(int(ordinal - p.roster.First)); err != nil {
				return migrate.Chunk{}, err
			}
		}
		chunk.Edges = append(chunk.Edges, cloned(&from.Edges[key%migrate.MaxChunkEdges]))
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
		c.Custom = append(c.Custom, migrate.CustomItem{Tag: strings.Clone(item.Tag), Value: strings.Clone(item.Value),
			Integer: item.Integer})
	}
	return c
}
