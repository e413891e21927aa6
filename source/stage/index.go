package stage

import (
	"errors"

	"github.com/klauspost/compress/s2"

	"friendmigrate/migrate"
	"friendmigrate/migrate/codec"
)

// block is the place of a block, its sizes and its checksum.
type block struct {
	offset int64
	stored int
	raw    int
	crc    uint32
	first  int64 // number of its first chunk within its large roster, from 0
}

// indexEntry is a block of small rosters, or one large roster with its blocks.
type indexEntry struct {
	blocks  []block
	rosters int64 // in a bundle
	chunks  int64

	from   string // of a large roster; else ""
	large  bool
	edges  int64
	memory int64
}

var errIndex = errors.New("malformed index")

// decodeIndex decodes the index b of a segment and checks it against the segment. For any bytes, it
// takes memory in proportion to b.
func decodeIndex(g *segment, b []byte) ([]indexEntry, error) {
	c := codec.Cursor{Rest: b}
	offset := g.offset
	var entries []indexEntry
	var rosters, chunks int64
	for len(c.Rest) > 0 {
		var e indexEntry
		switch c.Byte() {
		case kindBundle:
			e.blocks = []block{readBlockPlace(&c, &offset)}
			e.rosters = int64(c.Size(maxBlock))
			e.chunks = int64(c.Size(maxBlock))
			if e.chunks < e.rosters {
				c.Fail()
			}
		case kindLarge:
			largeEntry(&c, &e, &offset)
		default:
			c.Fail()
		}
		if e.rosters == 0 {
			c.Fail()
		}
		rosters += e.rosters
		chunks += e.chunks
		entries = append(entries, e)
	}
	if c.Bad || rosters != g.rosters || chunks != g.chunks || offset != g.offset+g.blocks {
		return nil, errIndex
	}
	return entries, nil
}

func largeEntry(c *codec.Cursor, e *indexEntry, offset *int64) {
	e.large, e.rosters = true, 1
	e.from = string(c.Text())
	e.edges = int64(c.Size(1 << 50))
	e.memory = int64(c.Size(1 << 50))
	n := c.Size(len(c.Rest) / 7) // a block takes at least 7 bytes here
	e.blocks = make([]block, 0, n)
	for range n {
		b := readBlockPlace(c, offset)
		b.first = e.chunks
		chunks := int64(c.Size(maxBlock))
		if chunks == 0 {
			c.Fail()
		}
		e.chunks += chunks
		e.blocks = append(e.blocks, b)
	}
	if e.chunks != chunksOf(e.edges) {
		c.Fail()
	}
}

func readBlockPlace(c *codec.Cursor, offset *int64) block {
	b := block{offset: *offset}
	b.stored = c.Size(s2.MaxEncodedLen(maxBlock))
	b.raw = c.Size(maxBlock)
	b.crc = c.Uint32()
	*offset += int64(b.stored)
	return b
}

func chunksOf(edges int64) int64 { return (edges + migrate.MaxChunkEdges - 1) / migrate.MaxChunkEdges }

// bundled is a small roster in a block.
type bundled struct {
	from   []byte
	edges  int64
	memory int64
	chunks []byte // with their lengths
}

func readBundled(c *codec.Cursor) (p bundled) {
	p.from = c.Text()
	p.edges = int64(c.Size(mostBundledChunks * migrate.MaxChunkEdges))
	p.memory = int64(c.Size(1 << 50))
	if p.edges == 0 {
		c.Fail()
	}
	rest := c.Rest
	for n := chunksOf(p.edges); n > 0 && !c.Bad; n-- {
		c.Text()
	}
	p.chunks = rest[:len(rest)-len(c.Rest)]
	return p
}

// chunkAt returns chunk i of a sequence of chunks with their lengths.
func chunkAt(b []byte, i int64) ([]byte, error) {
	c := codec.Cursor{Rest: b}
	for ; i > 0 && !c.Bad; i-- {
		c.Text()
	}
	chunk := c.Text()
	if c.Bad {
		return nil, errMalformed
	}
	return chunk, nil
}
