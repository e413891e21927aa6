package stage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/cespare/xxhash/v2"
)

// A partition that doesn't fit into memory is split by the next bits of the hash, once more and
// more often, until its parts fit. What no bits can split is one account, whose roster is then
// sealed with help of the disk, or (by evil design) several of the same hash, which are told apart
// by their names.

// part is a partition that came out of a split, and what is known of it.
type part struct {
	partition
	key      uint64 // by which it was split
	same     bool   // of all records
	min, max []byte // From
}

// spread splits p into fan parts. by tells the number of the part for a record, and a key that
// other splits may still tell apart. p is dropped.
func (s *sealer) spread(ctx context.Context, p *partition, fan int, by func(*record[[]byte]) (int, uint64)) ([]part,
	error) {
	s.loaded.release()
	out := spill{buffers: make([]buffer, fan), budget: s.w.limits.seal / 2, page: s.page(fan), batch: s.w.limits.batch}
	for range fan {
		out.files = append(out.files, s.temporary())
	}
	parts := make([]part, fan)
	err := p.eachRecord(func(r *record[[]byte]) error {
		i, key := by(r)
		parts[i].note(r.from, key)
		return add(&out, i, r)
	})
	err = errors.Join(err, context.Cause(ctx))
	if err == nil {
		err = out.flush()
	}
	if err != nil {
		return nil, err
	}
	for i := range parts {
		parts[i].close(out.files[i])
	}
	return parts, p.drop()
}

func (s *sealer) page(fan int) int {
	return int(min(max(s.w.limits.seal/2/int64(4*fan), 4<<10), 64<<10))
}

// temporary names a partition file of this goroutine's own.
func (s *sealer) temporary() *rawFile {
	s.temps++
	return &rawFile{fsys: s.w.fsys, name: filepath.Join(s.w.options.Dir, fmt.Sprintf("%s%d-%d", rawPrefix, s.id,
		s.temps))}
}

func (p *part) note(from []byte, key uint64) {
	if p.min == nil {
		p.key, p.same = key, true
		p.min, p.max = append([]byte{}, from...), append([]byte{}, from...)
		return
	}
	p.same = p.same && key == p.key
	if bytes.Compare(from, p.min) < 0 {
		p.min = append(p.min[:0], from...)
	}
	if bytes.Compare(from, p.max) > 0 {
		p.max = append(p.max[:0], from...)
	}
}

// split seals a partition that is too large. Its records have the lowest depth bits of their hashes
// in common.
func (s *sealer) split(ctx context.Context, p *partition, depth int) error {
	fan := s.w.limits.fan(p.cost())
	parts, err := s.spread(ctx, p, fan, func(r *record[[]byte]) (int, uint64) {
		hash := s.w.spread(xxhash.Sum64(r.from))
		return int(hash >> depth & uint64(fan-1)), hash
	})
	if err != nil {
		return err
	}
	for place := range fan {
		if err := s.sealPart(ctx, &parts[reverse(place, fan)], depth+widthOf(fan)); err != nil {
			return err
		}
	}
	return nil
}

func (s *sealer) sealPart(ctx context.Context, p *part, depth int) error {
	switch {
	case p.records == 0:
		return nil
	case p.cost() <= s.w.limits.seal:
		return s.seal(ctx, []*partition{&p.partition})
	case !p.same:
		return s.split(ctx, &p.partition, depth)
	case bytes.Equal(p.min, p.max):
		return s.sealLarge(ctx, p)
	default:
		return s.splitByName(ctx, p)
	}
}

// splitByName seals a partition of several accounts with the same hash: in plan order these follow
// each other by name.
func (s *sealer) splitByName(ctx context.Context, p *part) error {
	pivot, err := p.pivot()
	if err != nil {
		return err
	}
	parts, err := s.spread(ctx, &p.partition, 2, func(r *record[[]byte]) (int, uint64) {
		if bytes.Compare(r.from, pivot) < 0 {
			return 0, p.key
		}
		return 1, p.key
	})
	if err != nil {
		return err
	}
	for i := range parts {
		if err := s.sealPart(ctx, &parts[i], 64); err != nil {
			return err
		}
	}
	return nil
}

// pivot chooses a name that is not the first one, from about the middle of a sample: so both parts
// are smaller than p.
func (p *part) pivot() ([]byte, error) {
	const sample = 1000
	enough := errors.New("enough")
	var names [][]byte
	err := p.eachRecord(func(r *record[[]byte]) error {
		names = append(names, bytes.Clone(r.from))
		if len(names) == sample {
			return enough
		}
		return nil
	})
	if err != nil && !errors.Is(err, enough) {
		return nil, err
	}
	slices.SortFunc(names, bytes.Compare)
	names = slices.CompactFunc(names, bytes.Equal)
	if pivot := names[len(names)/2]; bytes.Compare(pivot, p.min) > 0 {
		return pivot, nil
	}
	return p.max, nil
}
