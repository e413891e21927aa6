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

// skipped reports whether skip leaves out the next chunks of the plan. If so, it advances past
// them.
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
			if !w.yieldLarge(g.file, e) {
				return false
			}
		} else if !w.yieldBundle(g.file, e) {
			return false
		}
	}
	return true
}

func (w *walk) yieldLarge(file int, e *indexEntry) bool {
	r := rosterPlace{stage: w.stage, file: file, blocks: e.blocks, from: e.from, first: w.next, edges: e.edges}
	return w.give(r, e.chunks, e.memory)
}

// give yields the roster at a place.
func (w *walk) give(r rosterPlace, chunks, memory int64) bool {
	w.next += chunks
	return w.yield(migrate.Roster{From: r.from, First: r.first, Chunks: int(chunks), Edges: r.edges,
		ChunkMemory: memory, Load: r.load}, nil)
}

// yieldBundle yields the small rosters of a block.
func (w *walk) yieldBundle(file int, e *indexEntry) bool {
	raw, err := w.stage.readBlock(file, &e.blocks[0])
	if err != nil {
		return w.fail(err)
	}
	end := w.next + e.chunks
	c := codec.Cursor{Rest: raw}
	for range e.rosters {
		p := readBundled(&c)
		chunks := chunksOf(p.edges)
		if c.Bad || w.next+chunks > end {
			return w.fail(w.stage.damaged(file, e.blocks[0].offset, "malformed rosters"))
		}
		if w.skipped(chunks) {
			continue
		}
		r := rosterPlace{stage: w.stage, file: file, blocks: e.blocks, start: len(raw) - len(c.Rest) - len(p.chunks),
			from: string(p.from), first: w.next, edges: p.edges}
		if !w.give(r, chunks, p.memory) {
			return false
		}
	}
	if len(c.Rest) > 0 || w.next != end {
		return w.fail(w.stage.damaged(file, e.blocks[0].offset, "malformed rosters"))
	}
	return true
}

// rosterPlace is the place of a roster. It is all that a roster keeps in memory until it is loaded.
type rosterPlace struct {
	stage  *Stage
	file   int
	blocks []block // of a small roster: the block that it shares with others
	start  int     // of its chunks, in each block
	from   string
	first  int64
	edges  int64
}

// load reads chunk i and checks its number of edges.
func (r *rosterPlace) load(i int) (migrate.Chunk, error) {
	n := sort.Search(len(r.blocks), func(n int) bool { return r.blocks[n].first > int64(i) })
	b := &r.blocks[n-1]
	raw, err := r.stage.readBlock(r.file, b)
	if err != nil {
		return migrate.Chunk{}, err
	}
	chunk, err := chunkAt(raw[r.start:], int64(i)-b.first)
	var edges []migrate.Edge
	if err == nil {
		edges, err = decodeChunk(r.from, chunk)
	}
	if err == nil && len(edges) != (&migrate.Roster{Edges: r.edges}).Size(i) {
		err = errMalformed
	}
	if err != nil {
		return migrate.Chunk{}, r.stage.damaged(r.file, b.offset, err.Error())
	}
	return migrate.Chunk{Ordinal: r.first + int64(i), From: r.from, Edges: edges}, nil
}
