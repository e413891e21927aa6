package stage

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"math/bits"
	"slices"
	"sync"

	"friendmigrate/migrate"
	"friendmigrate/migrate/codec"
)

// mostBundledChunks is the most chunks of a roster that shares a block with others. A larger roster
// gets blocks of its own, so that skipping it reads none of them.
const mostBundledChunks = 4

// rosterCount counts one roster after the other and says where a chunk ends, whether the roster is
// written or only counted.
type rosterCount struct {
	totals     *Totals
	maxFriends int64

	// The roster.
	from         []byte
	edges, added int64
	groups       map[string]struct{} // distinct ones, at most one over the limit
}

func (t *rosterCount) begin(from []byte) {
	t.from = append(t.from[:0], from...)
	t.edges, t.added = 0, 0
	if len(t.groups) > 0 {
		clear(t.groups)
	}
}

// add counts an edge. full says that its chunk holds as many edges as a call may carry, and ends
// here. Nothing else cuts chunks, but that a roster's end closes its last one; chunksOf and
// migrate.Roster.Size follow from it.
func (t *rosterCount) add(r *record[[]byte]) (full bool) {
	t.edges++
	if r.order.added() {
		t.added++
	}
	return t.edges%migrate.MaxChunkEdges == 0
}

// chunks returns the number of chunks so far, the last of which may not be full.
func (t *rosterCount) chunks() int64 { return chunksOf(t.edges) }

func (t *rosterCount) group(g []byte) {
	if _, known := t.groups[string(g)]; !known && len(t.groups) <= migrate.MaxGroups {
		t.groups[string(g)] = struct{}{}
	}
}

func (t *rosterCount) end() {
	sum := t.totals
	sum.Edges += t.edges
	sum.Added += t.added
	sum.Rosters++
	sum.Chunks += t.chunks()
	sum.Sizes[sizeClass(t.edges)]++
	if len(t.groups) > migrate.MaxGroups {
		sum.GroupsOver++
	}
	sum.Largest = keepLargest(sum.Largest, t.from, t.edges)
	if t.maxFriends > 0 && t.edges > t.maxFriends {
		sum.OverMax++
	}
}

// rosterWriter turns the edges of rosters, one after the other in plan order, into chunks, blocks
// and segments.
type rosterWriter struct {
	count    rosterCount
	segments segmentWriter
	limits   *limits
	chunk    chunkEncoder
	digest   rosterDigest
	sum      planDigest
	lent     *longBlock

	// The roster.
	memory  int64 // of its largest chunk
	waiting int64 // number of chunks that are in no block yet
	large   bool
	long    bool   // over longBytes are in no block yet
	blocks  int    // number of blocks written, if it is large
	index   []byte // of those blocks

	// The bundle of small rosters.
	bundle                                   []byte
	bundleRosters, bundleChunks, bundleEdges int64
}

func (w *rosterWriter) begin(from []byte) {
	w.count.begin(from)
	w.memory = 0
	w.large, w.blocks, w.index = false, 0, w.index[:0]
	w.digest.begin(from)
	w.beginBlock()
}

// add takes the next edge of the roster.
func (w *rosterWriter) add(r *record[[]byte]) error {
	w.chunk.add(r)
	if !w.long && len(w.chunk.out) > longBytes {
		w.beginLong()
	}
	if w.count.add(r) {
		return w.endChunk()
	}
	return nil
}

func (w *rosterWriter) endChunk() error {
	chunk, memory := w.chunk.end()
	w.digest.part(chunk)
	w.memory = max(w.memory, memory)
	w.waiting++
	w.chunk.begin()
	if !w.large && (w.count.chunks() > mostBundledChunks || len(w.chunk.out) > w.limits.bundleBytes) {
		w.large = true
		if err := w.endBundle(); err != nil {
			return err
		}
	}
	if w.large && len(w.chunk.out) >= w.limits.largeBlockBytes {
		return w.endBlock()
	}
	return nil
}

// longBytes is how many bytes of chunks a builder may gather for a block while others do the same.
// It is over bundleBytes, so a roster with more is large: the block it ends lets the others go on.
const longBytes = 512 << 10

// longBlock is the memory for a longer block: a chunk of the longest edges takes 64 MiB. There is
// one for all builders, and it is kept for the next such block.
type longBlock struct {
	sync.Mutex
	out, stored []byte
}

// beginLong waits for the memory of a long block and makes it large enough for a chunk of edges
// like those before.
func (w *rosterWriter) beginLong() {
	w.lent.Lock()
	short, edge := w.chunk.out, (len(w.chunk.out)-w.chunk.start)/len(w.chunk.flags)
	w.exchange()
	w.chunk.out = append(slices.Grow(w.chunk.out[:0], len(short)+edge*migrate.MaxChunkEdges), short...)
}

func (w *rosterWriter) endLong() {
	if w.long {
		w.exchange()
		w.lent.Unlock()
	}
}

func (w *rosterWriter) exchange() {
	w.chunk.out, w.lent.out = w.lent.out, w.chunk.out
	w.segments.stored, w.lent.stored = w.lent.stored, w.segments.stored
	w.long = !w.long
}

func (w *rosterWriter) beginBlock() {
	w.endLong()
	w.chunk.out, w.waiting = w.chunk.out[:0], 0
	w.chunk.begin()
}

// endBlock writes a block of a large roster.
func (w *rosterWriter) endBlock() (err error) {
	if w.waiting == 0 {
		return nil
	}
	if w.index, err = w.segments.writeBlock(w.index, w.chunk.out); err != nil {
		return err
	}
	w.index = binary.AppendUvarint(w.index, uint64(w.waiting))
	w.blocks++
	w.beginBlock()
	return nil
}

// end closes the roster. A roster without edges leaves nothing.
func (w *rosterWriter) end() error {
	if len(w.chunk.flags) > 0 {
		if err := w.endChunk(); err != nil {
			return err
		}
	}
	if w.count.edges == 0 {
		return nil
	}
	w.count.end()
	w.sum.add(w.digest.end())
	if w.large {
		if err := w.endBlock(); err != nil {
			return err
		}
		w.segments.addLarge(w.count.from, w.count.edges, w.count.chunks(), w.memory, w.blocks, w.index)
		return nil
	}
	w.bundle = codec.AppendText(w.bundle, w.count.from)
	w.bundle = binary.AppendUvarint(w.bundle, uint64(w.count.edges))
	w.bundle = binary.AppendUvarint(w.bundle, uint64(w.memory))
	w.bundle = append(w.bundle, w.chunk.out...)
	w.bundleRosters++
	w.bundleChunks += w.count.chunks()
	w.bundleEdges += w.count.edges
	if len(w.bundle) >= w.limits.bundleBytes {
		return w.endBundle()
	}
	return nil
}

// endBundle writes the block of the small rosters that are in the bundle so far.
func (w *rosterWriter) endBundle() error {
	if w.bundleRosters == 0 {
		return nil
	}
	err := w.segments.writeBundle(w.bundle, w.bundleRosters, w.bundleChunks, w.bundleEdges)
	w.bundle, w.bundleRosters, w.bundleChunks, w.bundleEdges = w.bundle[:0], 0, 0, 0
	return err
}

// endSegment closes the segment.
func (w *rosterWriter) endSegment() (_ segment, ok bool, err error) {
	if err := w.endBundle(); err != nil {
		return segment{}, false, err
	}
	return w.segments.end()
}

// planDigest is the sum of the SHA-256 sums of rosters modulo 2^256. The order of a plan is a
// function of its rosters, so the sum identifies the plan. It does not matter which goroutine
// writes which roster when.
type planDigest [4]uint64

func (d *planDigest) add(o planDigest) {
	var carry uint64
	for i := range d {
		d[i], carry = bits.Add64(d[i], o[i], carry)
	}
}

// text returns the digest, in hex, of the sum and the number of rosters.
func (d *planDigest) text(rosters int64) string {
	b := []byte("friendmigrate plan 1\n")
	b = binary.LittleEndian.AppendUint64(b, uint64(rosters))
	for _, v := range d {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// rosterDigest computes the digest of one roster after the other. It covers From and each chunk,
// each with its length before it.
type rosterDigest struct {
	h       hash.Hash
	scratch []byte
}

func (d *rosterDigest) begin(from []byte) {
	d.h.Reset()
	d.part(from)
}

func (d *rosterDigest) part(b []byte) {
	d.scratch = binary.AppendUvarint(d.scratch[:0], uint64(len(b)))
	d.h.Write(d.scratch)
	d.h.Write(b)
}

func (d *rosterDigest) end() (p planDigest) {
	d.scratch = d.h.Sum(d.scratch[:0])
	for i := range p {
		p[i] = binary.LittleEndian.Uint64(d.scratch[8*i:])
	}
	return p
}
