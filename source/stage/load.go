package stage

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math/bits"
	"slices"

	"github.com/cespare/xxhash/v2"

	"friendmigrate/migrate/codec"
)

// entry is one record of a loaded partition.
type entry struct {
	order  order
	offset uint32 // of the record, in the arena
	group  uint32 // of its From, later lost if it is a duplicate
}

const lost = 1<<32 - 1

// group is one From_Account of a loaded partition.
type group struct {
	key      uint64 // bits.Reverse64 of the hash: what the plan is ordered by
	from, to uint32 // its text, in the arena
	size     uint32
	start    uint32 // its first entry, once the entries are placed
}

// loaded is a partition in memory: flat, without an allocation or a pointer per record, and used
// again for the next one.
type loaded struct {
	arena   []byte // all pages
	entries []entry
	placed  []entry // the same by group
	groups  []group
	sorted  []uint32 // groups in plan order
	slots   []uint32 // hash table of groups: index + 1
	table   []uint64 // hash table of one roster's friends
	touched byte
}

func (l *loaded) release() { *l = loaded{} }

// load reads partitions and groups their records by From.
func (s *sealer) load(parts []*partition) error {
	var raw, records int64
	for _, p := range parts {
		raw += p.raw
		records += p.records
	}
	l := &s.loaded
	l.arena = slices.Grow(l.arena[:0], int(raw))
	l.entries = slices.Grow(l.entries[:0], int(records))
	l.groups = l.groups[:0]
	if len(l.slots) == 0 {
		l.slots = make([]uint32, 1<<10)
	}
	clear(l.slots)
	for _, p := range parts {
		if err := s.loadPages(p); err != nil {
			return err
		}
	}
	l.place()
	return nil
}

func (s *sealer) loadPages(p *partition) error {
	l := &s.loaded
	return p.each(func(page []byte) error {
		start := len(l.arena)
		l.arena = append(l.arena, page...)
		if !s.index(start) {
			return p.malformed()
		}
		return nil
	})
}

// index makes entries of the records of the page that begins at that offset of the arena.
func (s *sealer) index(start int) bool {
	l := &s.loaded
	var st pageState
	var r record[[]byte]
	last := -1
	for b := l.arena[start:]; len(b) > 0; {
		offset := len(l.arena) - len(b)
		if b = st.next(b, &r); b == nil {
			return false
		}
		if last < 0 || !bytes.Equal(l.from(&l.groups[last]), r.from) {
			last = l.groupOf(&r, offset, bits.Reverse64(s.w.spread(xxhash.Sum64(r.from))))
		}
		l.groups[last].size++
		l.entries = append(l.entries, entry{order: r.order, offset: uint32(offset), group: uint32(last)})
	}
	return true
}

func (l *loaded) from(g *group) []byte { return l.arena[g.from:g.to] }

func (l *loaded) groupOf(r *record[[]byte], offset int, key uint64) int {
	mask := uint64(len(l.slots) - 1)
	for i := key >> 20 & mask; ; i = (i + 1) & mask {
		n := l.slots[i]
		if n == 0 {
			_, width := binary.Uvarint(l.arena[offset+1:])
			from := uint32(offset + 1 + width)
			l.groups = append(l.groups, group{key: key, from: from, to: from + uint32(len(r.from))})
			l.slots[i] = uint32(len(l.groups))
			if 2*len(l.groups) > len(l.slots) {
				l.rehash()
			}
			return len(l.groups) - 1
		}
		if g := &l.groups[n-1]; g.key == key && bytes.Equal(l.from(g), r.from) {
			return int(n - 1)
		}
	}
}

func (l *loaded) rehash() {
	l.slots = make([]uint32, 4*len(l.slots))
	mask := uint64(len(l.slots) - 1)
	for n := range l.groups {
		i := l.groups[n].key >> 20 & mask
		for l.slots[i] != 0 {
			i = (i + 1) & mask
		}
		l.slots[i] = uint32(n + 1)
	}
}

// place sorts the groups and moves the entries of each together.
func (l *loaded) place() {
	l.sorted = slices.Grow(l.sorted[:0], len(l.groups))
	for n := range l.groups {
		l.sorted = append(l.sorted, uint32(n))
	}
	slices.SortFunc(l.sorted, func(a, b uint32) int {
		x, y := &l.groups[a], &l.groups[b]
		if x.key != y.key {
			return cmp.Compare(x.key, y.key)
		}
		return bytes.Compare(l.from(x), l.from(y))
	})
	start := uint32(0)
	for _, n := range l.sorted {
		g := &l.groups[n]
		g.start = start
		start += g.size
	}
	l.placed = slices.Grow(l.placed[:0], len(l.entries))[:len(l.entries)]
	for i := range l.entries {
		g := &l.groups[l.entries[i].group]
		l.placed[g.start] = l.entries[i]
		g.start++
	}
}

// roster returns the entries of a group in the order of the roster.
func (l *loaded) roster(g *group) []entry {
	entries := l.placed[g.start-g.size : g.start]
	byOrder := func(a, b entry) int { return cmp.Compare(a.order, b.order) }
	if !slices.IsSortedFunc(entries, byOrder) {
		slices.SortFunc(entries, byOrder)
	}
	return entries
}

// touch brings the records of a roster, which lie all over the arena, into the processor's cache:
// many at a time, as these loads don't wait for each other.
func (l *loaded) touch(entries []entry) {
	sum := byte(0)
	for i := range entries {
		sum += l.arena[entries[i].offset]
	}
	l.touched = sum
}

func (l *loaded) record(e *entry, r *record[[]byte]) {
	var st pageState
	st.next(l.arena[e.offset:], r)
	r.order = e.order
}

func (l *loaded) to(e *entry) []byte {
	_, rest := codec.TakeText(l.arena[e.offset+1:])
	to, _ := codec.TakeText(rest)
	return to
}
