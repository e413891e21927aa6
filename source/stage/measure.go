package stage

import (
	"encoding/binary"

	"github.com/cespare/xxhash/v2"

	"friendmigrate/migrate"
	"friendmigrate/migrate/codec"
)

// Measure makes a stage that is only counted, as for the command plan. Of an edge's optional fields
// only a digest, the size of the edge in a call and the hashes of its groups are staged.
// WriteRosters shows the edges to visitors instead of writing them.
type Measure struct {
	EdgeBytes func(e *migrate.Edge) int // returns the bytes of an edge in a call; called from all lanes at once
	Visit     func() Visitor            // called once for each goroutine of WriteRosters, which alone calls the visitor
}

// Visitor is called with every chunk of the plan. The chunks of a roster follow each other; rosters
// come in no particular order. chunk is reused after the call.
type Visitor func(from string, chunk []Friend)

// Friend is an edge of a chunk.
type Friend struct {
	Hash  uint64 // Hash of To_Account
	Bytes int    // from Measure.EdgeBytes
}

const hashBytes = 8

// appendBrief appends what is staged instead of the optional fields: their digest, for comparing
// duplicates, the bytes of the edge in a call, and the hash of each group. r still has the fields.
func appendBrief(b []byte, e *migrate.Edge, r *record[string], bytes int) []byte {
	digest := xxhash.Sum64(r.extras) + uint64(r.flags)*0x9E3779B97F4A7C15
	b = binary.LittleEndian.AppendUint64(b, digest)
	b = binary.AppendUvarint(b, uint64(bytes))
	for _, g := range e.Groups {
		b = binary.LittleEndian.AppendUint64(b, xxhash.Sum64String(g))
	}
	return b
}

// counter counts rosters instead of writing them.
type counter struct {
	count rosterCount
	visit Visitor
	name  string // From_Account
	chunk []Friend
}

func (c *counter) begin(from []byte) {
	c.count.begin(from)
	c.name = string(from)
}

func (c *counter) add(r *record[[]byte]) error {
	full := c.count.add(r)
	brief := codec.Cursor{Rest: r.extras}
	brief.Bytes(hashBytes)
	c.chunk = append(c.chunk, Friend{Hash: hashOf(r.to), Bytes: int(brief.Uvarint())})
	for len(brief.Rest) > 0 {
		c.count.group(brief.Bytes(hashBytes))
	}
	if brief.Bad {
		return errRaw
	}
	if full {
		c.endChunk()
	}
	return nil
}

func (c *counter) endChunk() {
	if len(c.chunk) > 0 {
		c.visit(c.name, c.chunk)
		c.chunk = c.chunk[:0]
	}
}

func (c *counter) end() error {
	c.endChunk()
	c.count.end()
	return nil
}
