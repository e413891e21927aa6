package stage

import (
	"cmp"
	"math/bits"
	"sort"
	"strings"

	"friendmigrate/migrate"
	"friendmigrate/migrate/codec"
)

// Find returns the roster of one account. ok is false if the plan has none for it. Find searches
// the plan, which is ordered by a hash, with about log2(segments) reads of an index and a block.
// Errors are those of Rosters.
func (s *Stage) Find(from string) (r migrate.Roster, ok bool, err error) {
	f := finder{stage: s, from: from, key: planKey(from)}
	segments := s.manifest().Segments
	n := f.last(len(segments), func(i int) (string, error) {
		entries, err := s.readIndex(&segments[i])
		if err != nil {
			return "", err
		}
		return s.firstOf(segments[i].file, &entries[0])
	})
	if n < 0 || f.err != nil {
		return migrate.Roster{}, false, f.err
	}
	g := &segments[n]
	entries, err := s.readIndex(g)
	if err != nil {
		return migrate.Roster{}, false, err
	}
	e := f.last(len(entries), func(i int) (string, error) { return s.firstOf(g.file, &entries[i]) })
	if e < 0 || f.err != nil {
		return migrate.Roster{}, false, f.err
	}
	next := int64(0)
	for i := range n {
		next += segments[i].chunks
	}
	for i := range e {
		next += entries[i].chunks
	}
	return f.in(g.file, &entries[e], next)
}

// planKey returns the key by which the plan is ordered. Accounts with equal keys are ordered by
// name.
func planKey(from string) uint64 { return bits.Reverse64(Hash(from)) }

// finder looks for one account. Its first error is final.
type finder struct {
	stage *Stage
	from  string
	key   uint64
	err   error
}

// last returns the last of n runs of the plan that does not begin after the account, or -1. first
// returns the first account of run i.
func (f *finder) last(n int, first func(i int) (string, error)) int {
	return sort.Search(n, func(i int) bool {
		if f.err != nil {
			return true
		}
		name, err := first(i)
		if err != nil {
			f.err = err
			return true
		}
		return cmp.Or(cmp.Compare(planKey(name), f.key), strings.Compare(name, f.from)) > 0
	}) - 1
}

// in looks for the account in one entry of an index. The entry's first chunk has the ordinal next.
func (f *finder) in(file int, e *indexEntry, next int64) (found migrate.Roster, ok bool, err error) {
	w := walk{stage: f.stage, next: next, yield: func(r migrate.Roster, failed error) bool {
		if failed != nil || r.From == f.from {
			found, ok, err = r, failed == nil, failed
			return false
		}
		return true
	}}
	if e.large {
		w.yieldLarge(file, e)
	} else {
		w.yieldBundle(file, e)
	}
	return found, ok, err
}

// firstOf returns the From_Account of the first roster of an entry.
func (s *Stage) firstOf(file int, e *indexEntry) (string, error) {
	if e.large {
		return e.from, nil
	}
	raw, err := s.readBlock(file, &e.blocks[0])
	if err != nil {
		return "", err
	}
	c := codec.Cursor{Rest: raw}
	from := string(readBundled(&c).from)
	if c.Bad {
		return "", s.damaged(file, e.blocks[0].offset, "malformed rosters")
	}
	return from, nil
}
