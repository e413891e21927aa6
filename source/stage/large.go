package stage

import (
	"bytes"
	"cmp"
	"container/heap"
	"context"
	"fmt"
	"slices"

	"github.com/cespare/xxhash/v2"
)

// One roster that doesn't fit into memory is split by the hash of To, so that each part can be rid of duplicates by itself; what is left of a part is
// written as a run in the order of the roster, and the runs are merged.

// sealLarge writes the roster of the one account in p.
func (s *sealer) sealLarge(ctx context.Context, p *part) error {
	runs, err := s.resolveLarge(ctx, &part{partition: p.partition}, 0)
	if err != nil {
		return err
	}
	s.loaded.release()
	for most := s.w.limits.mergeFan(); len(runs) > most; {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		run := s.newRun()
		if err := s.merge(ctx, runs[:most], run.add); err != nil {
			return err
		}
		if err := run.end(); err != nil {
			return err
		}
		runs = append(runs[most:], run.f)
	}
	s.out.begin(p.min)
	if err := s.merge(ctx, runs, s.out.add); err != nil {
		return err
	}
	return s.out.end()
}

// resolveLarge makes runs of the records of p, without those that lost. Their To hashes have the lowest depth bits in common.
func (s *sealer) resolveLarge(ctx context.Context, p *part, depth int) ([]*rawFile, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	switch {
	case p.records == 0:
		return nil, nil
	case p.cost() <= s.w.limits.seal:
		return s.resolveLoaded(p)
	case p.same:
		return s.resolveSame(p)
	}
	fan := s.w.limits.fan(p.cost())
	parts, err := s.spread(ctx, &p.partition, fan, func(r *record[[]byte]) (int, uint64) {
		hash := s.w.spread(xxhash.Sum64(r.to))
		return int(hash >> depth & uint64(fan-1)), hash
	})
	if err != nil {
		return nil, err
	}
	var runs []*rawFile
	for i := range parts {
		more, err := s.resolveLarge(ctx, &parts[i], depth+widthOf(fan))
		if err != nil {
			return nil, err
		}
		runs = append(runs, more...)
	}
	return runs, nil
}

// resolveLoaded makes a run of a part that fits into memory.
func (s *sealer) resolveLoaded(p *part) ([]*rawFile, error) {
	if err := s.load([]*partition{&p.partition}); err != nil {
		return nil, err
	}
	if err := p.drop(); err != nil {
		return nil, err
	}
	entries := s.loaded.roster(&s.loaded.groups[0])
	if err := s.resolve(entries); err != nil {
		return nil, err
	}
	run := s.newRun()
	var r record[[]byte]
	for i := range entries {
		if entries[i].group == lost {
			continue
		}
		s.loaded.record(&entries[i], &r)
		if err := run.add(&r); err != nil {
			return nil, err
		}
	}
	return []*rawFile{run.f}, run.end()
}

// resolveSame makes a run of a part that no hash can split: one pair over and over. It passes over it twice, first for the winner and then for the others.
func (s *sealer) resolveSame(p *part) ([]*rawFile, error) {
	winners := make(map[string]*record[[]byte]) // by To: one, but for colliding hashes
	err := p.eachRecord(func(r *record[[]byte]) error {
		if w := winners[string(r.to)]; w == nil || s.beats(r.order, w.order) {
			winners[string(r.to)] = clone(r)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = p.eachRecord(func(r *record[[]byte]) error {
		w := winners[string(r.to)]
		if r.order == w.order || r.order.added() {
			return nil
		}
		return s.report(r, w)
	})
	if err != nil {
		return nil, err
	}
	if err := p.drop(); err != nil {
		return nil, err
	}
	run := s.newRun()
	sorted := make([]*record[[]byte], 0, len(winners))
	for _, w := range winners {
		sorted = append(sorted, w)
	}
	slices.SortFunc(sorted, func(a, b *record[[]byte]) int { return cmp.Compare(a.order, b.order) })
	for _, w := range sorted {
		if err := run.add(w); err != nil {
			return nil, err
		}
	}
	return []*rawFile{run.f}, run.end()
}

// beats reports whether an edge at a wins against one of the same pair at b.
func (s *sealer) beats(a, b order) bool {
	if s.w.options.Duplicates == Last && !a.added() && !b.added() {
		return a > b
	}
	return a < b
}

// clone copies a record out of its page.
func clone(r *record[[]byte]) *record[[]byte] {
	c := *r
	c.from, c.to, c.literal, c.extras = bytes.Clone(r.from), bytes.Clone(r.to), bytes.Clone(r.literal), bytes.Clone(r.extras)
	return &c
}

// run is a raw file of records in order that is being written.
type run struct {
	f       *rawFile
	blocks  rawBlocks
	batch   int
	page    []byte
	state   pageState
	records int64
}

func (s *sealer) newRun() *run {
	return &run{f: s.temporary(), batch: s.w.limits.batch, page: make([]byte, 0, s.w.limits.page)}
}

func (n *run) add(r *record[[]byte]) error {
	if room := r.room(); cap(n.page)-len(n.page) < room && len(n.page) > 0 {
		if err := n.endPage(); err != nil {
			return err
		}
	}
	n.page = appendRecord(n.page, &n.state, r)
	n.records++
	return nil
}

func (n *run) endPage() error {
	n.blocks.add(n.page)
	n.page, n.state = n.page[:0], pageState{}
	if len(n.blocks.b) < n.batch {
		return nil
	}
	return n.blocks.flush(n.f, 0)
}

func (n *run) end() error {
	if len(n.page) > 0 {
		n.blocks.add(n.page)
	}
	n.page = nil
	return n.blocks.flush(n.f, n.records)
}

// runs is a heap of the runs that are being merged.
type runs []*runReader

func (h runs) Len() int           { return len(h) }
func (h runs) Less(i, j int) bool { return h[i].record.order < h[j].record.order }
func (h runs) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *runs) Push(x any)        { *h = append(*h, x.(*runReader)) }
func (h *runs) Pop() any {
	last := len(*h) - 1
	x := (*h)[last]
	*h = (*h)[:last]
	return x
}

type runReader struct {
	reader rawReader
	window int
	page   []byte
	state  pageState
	rest   []byte
	record record[[]byte]
}

// next reads the next record into r.record.
func (r *runReader) next() (ok bool, err error) {
	if len(r.rest) == 0 {
		page, ok, err := r.reader.next(r.page[:0], r.window)
		if err != nil || !ok {
			return false, err
		}
		r.page, r.rest, r.state = page, page, pageState{}
	}
	if r.rest = r.state.next(r.rest, &r.record); r.rest == nil {
		return false, fmt.Errorf("read partition %q: %w", r.reader.f.name, errRaw)
	}
	return true, nil
}

// merge hands the records of several runs to f, in order, and removes the files.
func (s *sealer) merge(ctx context.Context, files []*rawFile, f func(*record[[]byte]) error) error {
	var h runs
	for _, file := range files {
		r := &runReader{reader: rawReader{f: file}, window: 2 * s.w.limits.page}
		ok, err := r.next()
		if err != nil {
			return err
		}
		if ok {
			h = append(h, r)
		}
	}
	heap.Init(&h)
	for n := 0; len(h) > 0; n++ {
		if n%(1<<16) == 0 && context.Cause(ctx) != nil {
			return context.Cause(ctx)
		}
		if err := f(&h[0].record); err != nil {
			return err
		}
		ok, err := h[0].next()
		if err != nil {
			return err
		}
		if ok {
			heap.Fix(&h, 0)
		} else {
			heap.Pop(&h)
		}
	}
	for _, file := range files {
		if err := file.remove(); err != nil {
			return err
		}
	}
	return nil
}
