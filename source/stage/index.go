package stage

import (
	"errors"

	"github.com/klauspost/compress/s2"

	"friendmigrate/migrate"
)

// block is where a block lies and what proves it.
type block struct {
	offset int64
	stored int
	raw    int
	crc    uint32
	first  int64 // its first chunk, counted from the first of its large roster
}

// indexEntry is a block of small rosters, or one large roster with its blocks.
type indexEntry struct {
	blocks  []block
	rosters int64 // in a pack
	chunks  int64

	from   string // of a large roster; else ""
	large  bool
	edges  int64
	memory int64
}

var errIndex = errors.New("malformed index")

// decodeIndex reads the index of a segment, whatever b holds, and checks it against the segment. It takes memory in proportion to b.
func decodeIndex(g *segment, b []byte) ([]indexEntry, error) {
	c := cursor{b: b}
	offset := g.offset
	var entries []indexEntry
	var rosters, chunks int64
	for len(c.b) > 0 {
		var e indexEntry
		switch c.byte() {
		case kindPack:
			e.blocks = []block{c.block(&offset)}
			e.rosters = int64(c.size(maxBlock))
			e.chunks = int64(c.size(maxBlock))
			if e.chunks < e.rosters {
				c.fail()
			}
		case kindLarge:
			c.largeEntry(&e, &offset)
		default:
			c.fail()
		}
		if e.rosters == 0 {
			c.fail()
		}
		rosters += e.rosters
		chunks += e.chunks
		entries = append(entries, e)
	}
	if c.bad || rosters != g.rosters || chunks != g.chunks || offset != g.offset+g.blocks {
		return nil, errIndex
	}
	return entries, nil
}

func (c *cursor) largeEntry(e *indexEntry, offset *int64) {
	e.large, e.rosters = true, 1
	e.from = string(c.text())
	e.edges = int64(c.size(1 << 50))
	e.memory = int64(c.size(1 << 50))
	n := c.size(len(c.b) / 7) // the least that a block takes here
	e.blocks = make([]block, 0, n)
	for range n {
		b := c.block(offset)
		b.first = e.chunks
		chunks := int64(c.size(maxBlock))
		if chunks == 0 {
			c.fail()
		}
		e.chunks += chunks
		e.blocks = append(e.blocks, b)
	}
	if e.chunks != chunksOf(e.edges) {
		c.fail()
	}
}

func (c *cursor) block(offset *int64) block {
	b := block{offset: *offset}
	b.stored = c.size(s2.MaxEncodedLen(maxBlock))
	b.raw = c.size(maxBlock)
	b.crc = c.uint32()
	*offset += int64(b.stored)
	return b
}

// chunksOf is the number of chunks of a roster.
func chunksOf(edges int64) int64 { return (edges + migrate.MaxChunkEdges - 1) / migrate.MaxChunkEdges }

// packed is a small roster in a block.
type packed struct {
	from   []byte
	edges  int64
	memory int64
	chunks []byte // with their lengths
}

// packed reads the next roster of a pack.
func (c *cursor) packed() (p packed) {
	p.from = c.text()
	p.edges = int64(c.size(packChunks * migrate.MaxChunkEdges))
	p.memory = int64(c.size(1 << 50))
	if p.edges == 0 {
		c.fail()
	}
	rest := c.b
	for n := chunksOf(p.edges); n > 0 && !c.bad; n-- {
		c.text()
	}
	p.chunks = rest[:len(rest)-len(c.b)]
	return p
}

// chunkAt finds chunk i in a sequence of chunks with their lengths.
func chunkAt(b []byte, i int64) ([]byte, error) {
	c := cursor{b: b}
	for ; i > 0 && !c.bad; i-- {
		c.text()
	}
	chunk := c.text()
	if c.bad {
		return nil, errMalformed
	}
	return chunk, nil
}
