package stage

import (
	"context"
	"sort"

	"friendmigrate/migrate"
	"friendmigrate/migrate/codec"
)

// walk is one pass over the plan.
type walk struct {
	stage *Stage
	skip  func(first int64, chunks int) bool
	yield func(migrate.Roster, error) bool
	next  int64 // ordinal
}

// skipped reports whether the next chunks of the plan are not wanted, and passes them if so.
func (w *walk) skipped(chunks int64) bool {
	if w.skip == nil || !w.skip(w.next, int(chunks)) {
		return false
	}
	w.next += chunks
	return true
}

func (w *walk) fail(err error) bool {
	w.yield(migrate.Roster{}, err)
	return false
}

// segment yields the rosters of a segment; false ends the pass.
func (w *walk) segment(ctx context.Context, g *segment) bool {
	entries, err := w.stage.readIndex(g)
	if err != nil {
		return w.fail(err)
	}
	for i := range entries {
		if err := context.Cause(ctx); err != nil {
			return w.fail(err)
		}
		e := &entries[i]
		if w.skipped(e.chunks) {
			continue
		}
		if e.large {
			if !w.large(g.file, e) {
				return false
			}
		} else if !w.pack(g.file, e) {
			return false
		}
	}
	return true
}

// large yields a large roster.
func (w *walk) large(file int, e *indexEntry) bool {
	l := &largeRoster{stage: w.stage, file: file, from: e.from, first: w.next, edges: e.edges, blocks: e.blocks}
	w.next += e.chunks
	return w.yield(migrate.Roster{From: e.from, First: l.first, Chunks: int(e.chunks), Edges: e.edges,
		ChunkBytes: e.memory, Load: l.load}, nil)
}

// pack yields the small rosters of a block.
func (w *walk) pack(file int, e *indexEntry) bool {
	b := e.blocks[0]
	raw, err := w.stage.readBlock(file, &b)
	if err != nil {
		return w.fail(err)
	}
	end := w.next + e.chunks
	c := codec.Cursor{Rest: raw}
	for range e.rosters {
		start := len(raw) - len(c.Rest)
		p := readPacked(&c)
		chunks := chunksOf(p.edges)
		if c.Bad || w.next+chunks > end {
			return w.fail(w.stage.damaged(file, b.offset, "malformed rosters"))
		}
		if w.skipped(chunks) {
			continue
		}
		r := &packedRoster{stage: w.stage, file: file, block: b, start: start, from: string(p.from), first: w.next,
			edges: p.edges}
		w.next += chunks
		if !w.yield(migrate.Roster{From: r.from, First: r.first, Chunks: int(chunks), Edges: p.edges,
			ChunkBytes: p.memory, Load: r.load}, nil) {
			return false
		}
	}
	if len(c.Rest) > 0 || w.next != end {
		return w.fail(w.stage.damaged(file, b.offset, "malformed rosters"))
	}
	return true
}

// packedRoster is where a small roster is: all that is kept of one that waits.
type packedRoster struct {
	stage *Stage
	block block
	file  int
	start int // in the block
	from  string
	first int64
	edges int64
}

func (r *packedRoster) load(i int) (migrate.Chunk, error) {
	raw, err := r.stage.readBlock(r.file, &r.block)
	if err != nil {
		return migrate.Chunk{}, err
	}
	c := codec.Cursor{Rest: raw[r.start:]}
	p := readPacked(&c)
	chunk, err := chunkAt(p.chunks, int64(i))
	if err != nil {
		return migrate.Chunk{}, r.stage.damaged(r.file, r.block.offset, err.Error())
	}
	return r.stage.decode(r.file, &r.block, r.from, r.first, r.edges, i, chunk)
}

// largeRoster is the same for a large one.
type largeRoster struct {
	stage  *Stage
	file   int
	from   string
	first  int64
	edges  int64
	blocks []block
}

func (r *largeRoster) load(i int) (migrate.Chunk, error) {
	n := sort.Search(len(r.blocks), func(n int) bool { return r.blocks[n].first > int64(i) })
	b := &r.blocks[n-1]
	raw, err := r.stage.readBlock(r.file, b)
	if err != nil {
		return migrate.Chunk{}, err
	}
	chunk, err := chunkAt(raw, int64(i)-b.first)
	if err != nil {
		return migrate.Chunk{}, r.stage.damaged(r.file, b.offset, err.Error())
	}
	return r.stage.decode(r.file, b, r.from, r.first, r.edges, i, chunk)
}

// decode decodes chunk i of a roster and checks that it has the edges that it should have.
func (s *Stage) decode(file int, b *block, from string, first, edges int64, i int, chunk []byte) (migrate.Chunk,
	error) {
	list, err := decodeChunk(from, chunk)
	if err == nil && int64(len(list)) != min(edges-int64(i)*migrate.MaxChunkEdges, migrate.MaxChunkEdges) {
		err = errMalformed
	}
	if err != nil {
		return migrate.Chunk{}, s.damaged(file, b.offset, err.Error())
	}
	return migrate.Chunk{Ordinal: first + int64(i), From: from, Edges: list}, nil
}
