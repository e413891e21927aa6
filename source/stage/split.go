package stage

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"path/filepath"

	"friendmigrate/migrate"
	"friendmigrate/migrate/codec"
	"friendmigrate/source/spool"
)

// A partition that doesn't fit into memory is split by the next bits of the hash, again and again,
// until its parts fit. One account cannot be split, nor can several accounts of the same hash (an
// attacker may choose such ids). These are sorted on disk.

// fragment is a partition made by a split.
type fragment struct {
	partition
	least, most uint64 // hashes of From_Account in it
}

// split writes the rosters of a partition that is too large. The hashes of its records have the
// lowest depth bits in common.
func (b *builder) split(ctx context.Context, p *partition, depth int) error {
	b.loaded.release()
	fan := b.w.limits.fan(p.cost())
	half := b.w.limits.builder / 2
	out := spill{buffers: make([]buffer, fan), budget: half, page: pageSize(half, fan), batch: b.w.limits.batch}
	fragments := make([]fragment, fan)
	for i := range fragments {
		out.files = append(out.files, b.temporary())
		fragments[i].least = math.MaxUint64
	}
	err := p.eachRecord(ctx, func(r *record[[]byte]) error {
		hash := b.w.placeHash(hashOf(r.from))
		i := int(hash >> depth & uint64(fan-1))
		fragments[i].least, fragments[i].most = min(fragments[i].least, hash), max(fragments[i].most, hash)
		return addRecord(&out, i, r)
	})
	if err == nil {
		err = out.flush()
	}
	if err == nil {
		err = p.drop()
	}
	for place := 0; place < fan && err == nil; place++ {
		i := partAt(place, fan)
		fragments[i].addFile(out.files[i])
		err = b.buildFragment(ctx, &fragments[i], depth+widthOf(fan))
	}
	return err
}

func (b *builder) buildFragment(ctx context.Context, p *fragment, depth int) error {
	switch {
	case p.records == 0:
		return nil
	case p.cost() <= b.w.limits.builder:
		return b.buildInMemory(ctx, []*partition{&p.partition})
	case p.least != p.most:
		return b.split(ctx, &p.partition, depth)
	}
	return b.buildOnDisk(ctx, &p.partition)
}

// temporary returns a new partition file for this builder alone.
func (b *builder) temporary() *rawFile {
	b.temps++
	return &rawFile{fsys: b.w.fsys, name: filepath.Join(b.w.options.Dir, fmt.Sprintf("%s%d-%d", rawPrefix, b.id,
		b.temps))}
}

// buildOnDisk writes the rosters of a partition of one hash, and drops the partition. It sorts
// twice: first the records by pair, so that the rows of a pair are together with the winner first;
// then the winners by their place in the plan.
func (b *builder) buildOnDisk(ctx context.Context, p *partition) (err error) {
	b.loaded.release()
	byPair, byPlan := b.newSpool(), b.newSpool()
	defer func() { err = errors.Join(err, byPair.Close(), byPlan.Close()) }()
	if err := b.sortByPair(ctx, p, byPair); err != nil {
		return err
	}
	if err := p.drop(); err != nil {
		return err
	}
	if err := errors.Join(b.resolveSorted(ctx, byPair, byPlan), byPair.Close()); err != nil {
		return err
	}
	var from []byte
	var r record[[]byte]
	for row, err := range byPlan.Rows(ctx) {
		if err != nil {
			return err
		}
		name, rest, _ := bytes.Cut(row.Data, []byte{0})
		if len(rest) < 8 || new(pageState).next(rest[8:], &r) == nil {
			return errRaw
		}
		if from == nil || !bytes.Equal(name, from) {
			if from != nil {
				if err := b.taker.end(); err != nil {
					return err
				}
			}
			from = append(from[:0], name...)
			b.taker.begin(from)
		}
		if err := b.taker.add(&r); err != nil {
			return err
		}
	}
	return b.taker.end()
}

// newSpool returns a sorter with a third of the builder's memory. Two of them are in use at once.
func (b *builder) newSpool() *spool.Spool {
	return spool.New(b.w.fsys, b.temporary().name, b.w.limits.builder/3)
}

func (b *builder) sortByPair(ctx context.Context, p *partition, byPair *spool.Spool) error {
	var row []byte
	return p.eachRecord(ctx, func(r *record[[]byte]) error {
		row = codec.AppendText(codec.AppendText(row[:0], r.to), r.from)
		row = binary.BigEndian.AppendUint64(row, b.rank(r.order))
		row = appendRecord(row, new(pageState), r)
		at := migrate.Position{Line: int64(hashOf(r.to) >> 1)} // integers are compared faster than bytes
		return byPair.Add(at, row)
	})
}

// rank returns a number by which the edges of one pair are ordered: the least wins.
func (b *builder) rank(o order) uint64 {
	if b.w.options.Duplicates == Last && !o.added() {
		return uint64(addedBit - 1 - o)
	}
	return uint64(o)
}

// resolveSorted adds the winner of each pair to byPlan and reports the rows that lost. Rows in
// byPlan begin with From, a NUL, which no id contains, and the order; they are sorted by these
// bytes.
func (b *builder) resolveSorted(ctx context.Context, byPair, byPlan *spool.Spool) error {
	var kept, row []byte
	var winner, r record[[]byte]
	for sorted, err := range byPair.Rows(ctx) {
		if err != nil {
			return err
		}
		c := codec.Cursor{Rest: sorted.Data}
		c.Text()
		c.Text()
		c.Bytes(8)
		if c.Bad || new(pageState).next(c.Rest, &r) == nil {
			return errRaw
		}
		if kept != nil && bytes.Equal(r.to, winner.to) && bytes.Equal(r.from, winner.from) {
			if r.order.added() {
				continue
			}
			if err := b.report(&r, &winner); err != nil {
				return err
			}
			continue
		}
		kept = append(kept[:0], c.Rest...)
		new(pageState).next(kept, &winner)
		row = append(append(row[:0], winner.from...), 0)
		row = append(binary.BigEndian.AppendUint64(row, uint64(winner.order)), kept...)
		if err := byPlan.Add(migrate.Position{}, row); err != nil {
			return err
		}
	}
	return nil
}
