package stage

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"unsafe"

	"friendmigrate/migrate"
	"friendmigrate/migrate/codec"
)

// The two lowest bits of a sealed edge.
const (
	chunkPosition = 1 // input and line follow; else only the line, as the difference from the edge before
	chunkSource   = 2 // AddSource follows; else it is the one of the edge before
)

// A chunk begins with the number of its edges, of the added edges at its end, and of the bytes of
// its texts. Then come the flags: 0, the flags of the first edge and those of all others; or 1 and
// the flags of each edge. Then come the edges: To (front-coded against the edge before), position,
// AddSource, optional fields.
//
// A chunk depends on nothing outside of it except From, and equal edges give equal bytes. So the
// plan digest is computed from the chunks as they are written.
const (
	flagsUniform = 0
	flagsMixed   = 1
)

// A length up to 14 of To's prefix or rest fits into half a byte. For a longer one, that has 15 and
// the length minus 15 follows.
const nibble = 15

// The bytes in memory of an edge and of the items of its lists, without their texts.
const (
	edgeBytes   = int64(unsafe.Sizeof(migrate.Edge{}))
	groupBytes  = int64(unsafe.Sizeof(""))
	customBytes = int64(unsafe.Sizeof(migrate.CustomItem{}))
)

// chunkEncoder makes the bytes of one chunk after the other.
type chunkEncoder struct {
	sources []string     // AddSource by code
	onGroup func([]byte) // called with every GroupName

	out    []byte // whole chunks, each with its length; then the edges of the one that is being made
	start  int    // of these edges
	flags  []byte // of each edge
	added  int
	extent codec.Extent // of texts and lists

	to          []byte // of the edge before
	source      uint32
	literal     []byte
	input, line uint64

	head []byte
}

// begin starts a chunk behind the others.
func (k *chunkEncoder) begin() {
	k.start, k.flags = len(k.out), k.flags[:0]
	k.added, k.extent = 0, codec.Extent{}
	k.to = k.to[:0]
	k.input, k.line = 0, 0
}

func (k *chunkEncoder) add(r *record[[]byte]) {
	flags := r.flags
	input, line := r.order.input(), r.order.line()
	first := len(k.flags) == 0
	if first || input != k.input || line < k.line {
		flags |= chunkPosition
	}
	if first || r.source != k.source || r.source == 0 && !bytes.Equal(r.literal, k.literal) {
		flags |= chunkSource
	}
	k.flags = append(k.flags, flags)
	if r.order.added() {
		k.added++
	}
	k.addTo(r.to)
	if flags&chunkPosition != 0 {
		k.out = binary.AppendUvarint(k.out, input)
		k.out = binary.AppendUvarint(k.out, line)
	} else {
		k.out = binary.AppendUvarint(k.out, line-k.line)
	}
	k.input, k.line = input, line
	if flags&chunkSource != 0 {
		if r.source == 0 {
			k.out = codec.AppendText(k.out, r.literal)
			k.extent.Text += int64(len(r.literal))
		} else {
			k.out = codec.AppendText(k.out, k.sources[r.source])
			k.extent.Text += int64(len(k.sources[r.source]))
		}
		k.source, k.literal = r.source, append(k.literal[:0], r.literal...)
	}
	if r.flags != 0 {
		k.out = append(k.out, r.extras...)
		x := codec.Measure(r.flags, r.extras, k.onGroup)
		k.extent.Text += x.Text
		k.extent.Groups += x.Groups
		k.extent.Custom += x.Custom
	}
}

func (k *chunkEncoder) addTo(to []byte) {
	prefix, most := 0, min(len(to), len(k.to))
	for prefix < most && to[prefix] == k.to[prefix] {
		prefix++
	}
	rest := len(to) - prefix
	k.out = append(k.out, byte(min(prefix, nibble)<<4|min(rest, nibble)))
	if prefix >= nibble {
		k.out = binary.AppendUvarint(k.out, uint64(prefix-nibble))
	}
	if rest >= nibble {
		k.out = binary.AppendUvarint(k.out, uint64(rest-nibble))
	}
	k.out = append(k.out, to[prefix:]...)
	k.to = append(k.to[:prefix], to[prefix:]...)
	k.extent.Text += int64(len(to))
}

// end completes the chunk in k.out. The chunk is valid until the next call. memory is what it takes
// when it is loaded.
func (k *chunkEncoder) end() (chunk []byte, memory int64) {
	n := len(k.flags)
	b := binary.AppendUvarint(k.head[:0], uint64(n))
	b = binary.AppendUvarint(b, uint64(k.added))
	b = binary.AppendUvarint(b, uint64(k.extent.Text))
	if rest := k.flags[1:]; bytes.Count(rest, k.flags[n-1:]) == len(rest) {
		b = append(b, flagsUniform, k.flags[0], k.flags[n-1])
	} else {
		b = append(b, flagsMixed)
		b = append(b, k.flags...)
	}
	size := len(b) + len(k.out) - k.start
	k.head = append(binary.AppendUvarint(b, uint64(size)), b...)
	k.out = slices.Insert(k.out, k.start, k.head[len(b):]...)
	memory = int64(n)*edgeBytes + k.extent.Text + 2*(k.extent.Groups*groupBytes+k.extent.Custom*customBytes)
	return k.out[len(k.out)-size:], memory + memory/8 // the allocator rounds up
}

// errMalformed says that bytes are no valid chunk, even if their checksum is right.
var errMalformed = errors.New("malformed chunk")

// decodeChunk decodes the chunk b. For any bytes, it takes memory in proportion to b, plus at most
// MaxEdgeBytes for each To.
func decodeChunk(from string, b []byte) ([]migrate.Edge, error) {
	c := codec.Cursor{Rest: b}
	n := c.Size(migrate.MaxChunkEdges)
	added := c.Size(n)
	texts := c.Size(migrate.MaxChunkEdges * MaxEdgeBytes)
	flags := make([]byte, n)
	switch c.Byte() {
	case flagsUniform:
		first, rest := c.Byte(), c.Byte()
		for i := range flags {
			flags[i] = rest
		}
		if n > 0 {
			flags[0] = first
		}
	case flagsMixed:
		copy(flags, c.Bytes(n))
	default:
		c.Fail()
	}
	if c.Bad || n == 0 || n > len(c.Rest) {
		return nil, errMalformed
	}
	d := chunkDecoder{c: c, edges: make([]migrate.Edge, n), real: n - added}
	d.fields.Texts.Grow(min(texts, 64*len(b)))
	for i := range d.edges {
		d.edges[i].From = from
		d.next(i, flags[i])
		if d.c.Bad || d.fields.Texts.Len() > texts {
			return nil, errMalformed
		}
	}
	if len(d.c.Rest) != 0 || d.fields.Texts.Len() != texts {
		return nil, errMalformed
	}
	return d.edges, nil
}

type chunkDecoder struct {
	c      codec.Cursor
	fields codec.Fields
	edges  []migrate.Edge
	real   int          // edges before the first added one
	none   migrate.Edge // before the first edge
}

func (d *chunkDecoder) next(i int, flags byte) {
	e, before := &d.edges[i], &d.none
	if i > 0 {
		before = &d.edges[i-1]
	}
	e.Added = i >= d.real
	e.To = d.to(before.To)
	if flags&chunkPosition != 0 {
		e.Input = d.c.Size(maxInput)
		e.Line = int64(d.c.Size(maxLine))
	} else {
		e.Input = before.Input
		e.Line = before.Line + int64(d.c.Size(maxLine))
	}
	e.AddSource = before.AddSource
	if flags&chunkSource != 0 {
		e.AddSource = d.fields.Text(d.c.Text())
	}
	if flags&codec.HasFields != 0 {
		d.fields.Read(&d.c, flags, e)
	}
}

func (d *chunkDecoder) to(before string) string {
	sizes := d.c.Byte()
	prefix, rest := int(sizes>>4), int(sizes&nibble)
	if prefix == nibble {
		prefix += d.c.Size(MaxEdgeBytes)
	}
	if rest == nibble {
		rest += d.c.Size(MaxEdgeBytes)
	}
	if prefix > len(before) || prefix+rest > MaxEdgeBytes {
		d.c.Fail()
		return ""
	}
	start := d.fields.Texts.Len()
	d.fields.Texts.WriteString(before[:prefix])
	d.fields.Texts.Write(d.c.Bytes(rest))
	return d.fields.Texts.String()[start:]
}
