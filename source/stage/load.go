package stage

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math/bits"
	"slices"

	"friendmigrate/migrate/codec"
)

// entry is one record of a loaded partition.
type entry struct {
	order   order
	offset  uint32 // of the record, in the arena
	account uint32 // index in loaded.accounts of its From_Account; or lost, if it is a duplicate
}

// lost is entry.account of a duplicate that lost. It is not an extra field, to keep entries small.
const lost = 1<<32 - 1

// account is one From_Account of a loaded partition.
type account struct {
	key                uint64 // bits.Reverse64 of the hash, by which the plan is ordered
	nameStart, nameEnd uint32 // of its text in the arena
	size               uint32
	end                uint32 // of its entries in byAccount
}

// loaded holds partitions in memory: flat, without an allocation or a pointer per record, and
// reused for the next ones.
type loaded struct {
	arena     []byte // all pages, one after the other
	entries   []entry
	byAccount []entry // the entries, those of an account together
	accounts  []account
	sorted    []uint32 // accounts in plan order
	slots     []uint32 // hash table of accounts: index + 1
	table     []uint64 // hash table of one roster's friends
	touched   byte
}

func (l *loaded) release() { *l = loaded{} }

// load reads partitions and groups their records by From.
func (b *builder) load(parts []*partition) error {
	var raw, records int64
	for _, p := range parts {
		raw += p.raw
		records += p.records
	}
	l := &b.loaded
	l.arena = slices.Grow(l.arena[:0], int(raw))
	l.entries = slices.Grow(l.entries[:0], int(records))
	l.accounts = l.accounts[:0]
	if len(l.slots) == 0 {
		l.slots = make([]uint32, 1<<10)
	}
	clear(l.slots)
	for _, p := range parts {
		if err := b.loadPages(p); err != nil {
			return err
		}
	}
	l.gather()
	return nil
}

func (b *builder) loadPages(p *partition) error {
	l := &b.loaded
	return p.eachPage(func(page []byte) error {
		start := len(l.arena)
		l.arena = append(l.arena, page...)
		if !b.index(start) {
			return p.malformed()
		}
		return nil
	})
}

// index appends entries for the records of the last page, which begins at offset start of the
// arena.
func (b *builder) index(start int) bool {
	l := &b.loaded
	var st pageState
	var r record[[]byte]
	last := -1
	for rest := l.arena[start:]; len(rest) > 0; {
		offset := len(l.arena) - len(rest)
		if rest = st.next(rest, &r); rest == nil {
			return false
		}
		if last < 0 || !bytes.Equal(l.from(&l.accounts[last]), r.from) {
			last = l.accountOf(&r, offset, bits.Reverse64(b.w.placeHash(hashOf(r.from))))
		}
		l.accounts[last].size++
		l.entries = append(l.entries, entry{order: r.order, offset: uint32(offset), account: uint32(last)})
	}
	return true
}

func (l *loaded) from(a *account) []byte { return l.arena[a.nameStart:a.nameEnd] }

func (l *loaded) accountOf(r *record[[]byte], offset int, key uint64) int {
	mask := uint64(len(l.slots) - 1)
	for i := key >> 20 & mask; ; i = (i + 1) & mask {
		n := l.slots[i]
		if n == 0 {
			_, width := binary.Uvarint(l.arena[offset+1:])
			from := uint32(offset + 1 + width)
			l.accounts = append(l.accounts, account{key: key, nameStart: from, nameEnd: from + uint32(len(r.from))})
			l.slots[i] = uint32(len(l.accounts))
			if 2*len(l.accounts) > len(l.slots) {
				l.rehash()
			}
			return len(l.accounts) - 1
		}
		if a := &l.accounts[n-1]; a.key == key && bytes.Equal(l.from(a), r.from) {
			return int(n - 1)
		}
	}
}

func (l *loaded) rehash() {
	l.slots = make([]uint32, 4*len(l.slots))
	mask := uint64(len(l.slots) - 1)
	for n := range l.accounts {
		i := l.accounts[n].key >> 20 & mask
		for l.slots[i] != 0 {
			i = (i + 1) & mask
		}
		l.slots[i] = uint32(n + 1)
	}
}

// gather sorts the accounts and moves the entries of each together.
func (l *loaded) gather() {
	l.sorted = slices.Grow(l.sorted[:0], len(l.accounts))
	for n := range l.accounts {
		l.sorted = append(l.sorted, uint32(n))
	}
	slices.SortFunc(l.sorted, func(a, b uint32) int {
		x, y := &l.accounts[a], &l.accounts[b]
		if x.key != y.key {
			return cmp.Compare(x.key, y.key)
		}
		return bytes.Compare(l.from(x), l.from(y))
	})
	start := uint32(0)
	for _, n := range l.sorted {
		a := &l.accounts[n]
		a.end = start // the loop below moves it forward by one for each entry
		start += a.size
	}
	l.byAccount = slices.Grow(l.byAccount[:0], len(l.entries))[:len(l.entries)]
	for i := range l.entries {
		a := &l.accounts[l.entries[i].account]
		l.byAccount[a.end] = l.entries[i]
		a.end++
	}
}

// roster returns the entries of an account in the order of the roster.
func (l *loaded) roster(a *account) []entry {
	entries := l.byAccount[a.end-a.size : a.end]
	byOrder := func(a, b entry) int { return cmp.Compare(a.order, b.order) }
	if !slices.IsSortedFunc(entries, byOrder) {
		slices.SortFunc(entries, byOrder)
	}
	return entries
}

// touch brings the records of a roster, which lie all over the arena, into the processor's cache.
// The loads do not depend on each other, so the processor runs many at a time.
func (l *loaded) touch(entries []entry) {
	sum := byte(0)
	for i := range entries {
		sum += l.arena[entries[i].offset]
	}
	l.touched = sum
}

func (l *loaded) decode(e *entry, r *record[[]byte]) {
	var st pageState
	st.next(l.arena[e.offset:], r)
	r.order = e.order
}

func (l *loaded) to(e *entry) []byte {
	_, rest := codec.TakeText(l.arena[e.offset+1:])
	to, _ := codec.TakeText(rest)
	return to
}
