package stage

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"

	"github.com/cespare/xxhash/v2"

	"friendmigrate/migrate"
	"friendmigrate/migrate/codec"
	"friendmigrate/source/spool"
)

// One roster that does not fit into memory is sorted on disk twice: by To, which brings the rows of
// a pair together, the winner first; then the winners by their place in the roster.

// sealLarge writes the roster of the one account in p, and drops p.
func (s *sealer) sealLarge(ctx context.Context, p *part) (err error) {
	s.loaded.release()
	byTo, byOrder := s.newSpool(), s.newSpool()
	defer func() { err = errors.Join(err, byTo.Close(), byOrder.Close()) }()
	if err := s.sortByTo(ctx, p, byTo); err != nil {
		return err
	}
	if err := p.drop(); err != nil {
		return err
	}
	if err := s.resolveSorted(ctx, byTo, byOrder); err != nil {
		return err
	}
	s.rosters.begin(p.min)
	for row, err := range byOrder.Rows() {
		if err = errors.Join(err, context.Cause(ctx)); err != nil {
			return err
		}
		var r record[[]byte]
		if new(pageState).next(row.Data, &r) == nil {
			return p.malformed()
		}
		if err := s.rosters.add(&r); err != nil {
			return err
		}
	}
	return s.rosters.end()
}

// newSpool makes a sorter that takes a third of the goroutine's memory: two of them are in use.
func (s *sealer) newSpool() *spool.Spool {
	return spool.New(s.w.fsys, s.temporary().name, s.w.limits.seal/3)
}

func (s *sealer) sortByTo(ctx context.Context, p *part, byTo *spool.Spool) error {
	var b []byte
	return p.eachRecord(func(r *record[[]byte]) error {
		b = codec.AppendText(b[:0], r.to)
		b = binary.BigEndian.AppendUint64(b, s.rank(r.order))
		b = appendRecord(b, new(pageState), r)
		at := migrate.Position{Line: int64(xxhash.Sum64(r.to) >> 1)} // compared faster than bytes
		return errors.Join(byTo.Add(at, b), context.Cause(ctx))
	})
}

// rank orders the edges of one pair: the least wins.
func (s *sealer) rank(o order) uint64 {
	if s.w.options.Duplicates == Last && !o.added() {
		return uint64(addedBit - 1 - o)
	}
	return uint64(o)
}

// resolveSorted hands on the winner of each pair and reports the rows that lost.
func (s *sealer) resolveSorted(ctx context.Context, byTo, byOrder *spool.Spool) error {
	var to, kept []byte
	var winner record[[]byte]
	for row, err := range byTo.Rows() {
		if err = errors.Join(err, context.Cause(ctx)); err != nil {
			return err
		}
		var r record[[]byte]
		c := codec.Cursor{Rest: row.Data}
		name := c.Text()
		c.Bytes(8)
		if c.Bad || new(pageState).next(c.Rest, &r) == nil {
			return errRaw
		}
		if kept != nil && bytes.Equal(name, to) {
			if r.order.added() {
				continue
			}
			if err := s.report(&r, &winner); err != nil {
				return err
			}
			continue
		}
		to, kept = append(to[:0], name...), append(kept[:0], c.Rest...)
		new(pageState).next(kept, &winner)
		place := migrate.Position{Input: int(r.order >> lineBits), Line: int64(r.order & maxLine)}
		if err := byOrder.Add(place, kept); err != nil {
			return err
		}
	}
	return nil
}
