package stage

import (
	"bytes"
	"cmp"
	"math/bits"
	"slices"

	"friendmigrate/migrate"
	"friendmigrate/migrate/codec"
)

// resolve marks the entries of one roster that lose against another one with the same To. entries
// are in order. Added edges come last, so they lose against every row and every earlier added edge;
// that is not reported. split.go resolves rosters that do not fit into memory by the same rule.
func (b *builder) resolve(entries []entry) error {
	if len(entries) < 2 {
		return nil
	}
	l := &b.loaded
	slots := 1 << bits.Len(uint(2*len(entries)-1))
	if len(l.table) < slots {
		l.table = make([]uint64, slots)
	}
	table := l.table[:slots]
	clear(table)
	rows := 0
	for i := range entries {
		slot, earlier := l.findOrReserve(table, entries, &entries[i], b.w)
		switch {
		case earlier < 0:
			table[slot] |= uint64(i + 1)
		case entries[i].order.added():
			entries[i].account = lost
		case b.w.options.Duplicates == Last:
			entries[earlier].account = lost
			table[slot] = table[slot]>>32<<32 | uint64(i+1)
			rows++
		default: // First and Refuse keep the first row
			entries[i].account = lost
			rows++
		}
	}
	if rows == 0 {
		return nil
	}
	return b.reportAll(table, entries)
}

// findOrReserve looks for the entry with the same To as e. A slot holds 32 bits of the hash and the
// index of the entry + 1. If there is no such entry, it returns -1 and sets the hash of a free
// slot.
func (l *loaded) findOrReserve(table []uint64, entries []entry, e *entry, w *Writer) (slot uint64, found int) {
	to := l.to(e)
	hash := w.placeHash(hashOf(to))
	mask := uint64(len(table) - 1)
	for slot = hash & mask; ; slot = (slot + 1) & mask {
		n := uint32(table[slot])
		if n == 0 {
			table[slot] = hash >> 32 << 32
			return slot, -1
		}
		if table[slot]>>32 == hash>>32 && bytes.Equal(l.to(&entries[n-1]), to) {
			return slot, int(n - 1)
		}
	}
}

func (b *builder) reportAll(table []uint64, entries []entry) error {
	var row, kept record[[]byte]
	for i := range entries {
		if entries[i].account != lost || entries[i].order.added() {
			continue
		}
		_, winner := b.loaded.findOrReserve(table, entries, &entries[i], b.w)
		b.loaded.decode(&entries[i], &row)
		b.loaded.decode(&entries[winner], &kept)
		if err := b.report(&row, &kept); err != nil {
			return err
		}
	}
	return nil
}

// report counts a row that lost and passes it to the caller of WriteRosters.
func (b *builder) report(row, kept *record[[]byte]) error {
	b.totals.Duplicates++
	differ := !sameFields(row, kept)
	if differ {
		b.totals.Differing++
	}
	if b.w.options.Duplicates == Refuse {
		b.keepPair(row, kept)
	}
	if b.job.onDuplicate == nil {
		return nil
	}
	loser, winner := b.w.edge(row), b.w.edge(kept)
	b.job.mu.Lock()
	defer b.job.mu.Unlock()
	return b.job.onDuplicate(&loser, &winner, differ)
}

const mostPairs = 10 // most pairs in a DuplicatesError

// keepPair keeps the pair for the error if it is one of the first by the position of the later row.
func (b *builder) keepPair(row, kept *record[[]byte]) {
	pair := DuplicatePair{Row: row.order.position(), Before: kept.order.position()}
	if n := len(b.pairs); n == mostPairs && !pair.Row.Before(b.pairs[n-1].Row) {
		return
	}
	pair.From, pair.To = string(row.from), string(row.to)
	b.pairs = firstPairs(append(b.pairs, pair))
}

func firstPairs(pairs []DuplicatePair) []DuplicatePair {
	slices.SortFunc(pairs, func(a, b DuplicatePair) int {
		return cmp.Or(cmp.Compare(a.Row.Input, b.Row.Input), cmp.Compare(a.Row.Line, b.Row.Line))
	})
	return pairs[:min(len(pairs), mostPairs)]
}

// edge decodes a record.
func (w *Writer) edge(r *record[[]byte]) migrate.Edge {
	e := migrate.Edge{From: string(r.from), To: string(r.to), AddSource: w.sourceText(r), Position: r.order.position(),
		Added: r.order.added()}
	var f codec.Fields
	f.Read(&codec.Cursor{Rest: r.extras}, r.flags, &e)
	return e
}

func (w *Writer) sourceText(r *record[[]byte]) string {
	if r.source == 0 {
		return string(r.literal)
	}
	return w.sources.texts[r.source]
}
