package checkpoint

import (
	"fmt"
	"math"
	"slices"

	"friendmigrate/migrate"
)

// pieceSize is the size in bytes above which a settlement with many failures is split into pieces,
// each a record.
const pieceSize = 128 << 10

// maxInfo is the number of bytes that are kept of the service's text. Known texts have some 60.
const maxInfo = 1024

// settlement is a kindSettled record. The sets are disjoint, except that uncertain is part of
// already.
type settlement struct {
	ordinal int64
	n       int  // edges in the chunk
	whole   bool // all n are imported and none was added; the fields below mean nothing
	from    string

	imported, already, uncertain migrate.EdgeSet
	failed                       []failure // ascending
	added                        Counts    // of imported, already and uncertain; a failure has its own flag
}

// failure is one failed edge of a settlement.
type failure struct {
	index, code, attempts int
	uncertain, added      bool
	info                  string
	edge                  migrate.Edge // without From
}

// settlementEntries checks a settlement of the engine and turns it into records of about limit
// bytes at most, each valid on its own. Usually it is one record; only a chunk with many failures
// of large edges takes more.
func settlementEntries(s migrate.Settlement, limit int) ([]*entry, error) {
	all := &settlement{ordinal: s.Chunk.Ordinal, n: len(s.Chunk.Edges), from: s.Chunk.From}
	if all.n > migrate.MaxChunkEdges {
		return nil, fmt.Errorf("settle chunk %d: it has %d edges, at most %d can be", all.ordinal, all.n,
			migrate.MaxChunkEdges)
	}
	var named migrate.EdgeSet
	for i := range s.Settled {
		settled := &s.Settled[i]
		if settled.Index < 0 || settled.Index >= all.n || named.Has(settled.Index) {
			return nil, fmt.Errorf("settle chunk %d: edge %d of %d is named twice or does not exist", all.ordinal,
				settled.Index, all.n)
		}
		named.Add(settled.Index)
		if err := all.add(settled, &s.Chunk.Edges[settled.Index]); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(all.failed, func(a, b failure) int { return a.index - b.index })
	all.whole = all.imported == migrate.FullSet(all.n) && all.added == (Counts{})
	return all.entries(limit)
}

func (s *settlement) add(settled *migrate.Settled, e *migrate.Edge) error {
	i, attempts, o := settled.Index, settled.Attempts, &settled.Outcome
	if e.Input < 0 || e.Input > math.MaxInt32 || e.Line < 0 || attempts < 0 || attempts > math.MaxInt32 {
		return fmt.Errorf("settle chunk %d: edge %d has an invalid position or number of attempts (%d): a bug",
			s.ordinal, i, attempts)
	}
	added := int64(0)
	if e.Added {
		added = 1
	}
	switch o.Kind {
	case migrate.Imported:
		s.imported.Add(i)
		s.added.Imported += added
	case migrate.Already:
		s.already.Add(i)
		s.added.Already += added
		if o.Uncertain {
			s.uncertain.Add(i)
			s.added.AlreadyUncertain += added
		}
	case migrate.Failed:
		s.failed = append(s.failed, failure{
			index: i, code: o.Code, attempts: attempts, uncertain: o.Uncertain,
			added: e.Added, info: migrate.Shorten(o.Info, maxInfo), edge: *e,
		})
	default:
		return fmt.Errorf("settle chunk %d: edge %d has no final outcome", s.ordinal, i)
	}
	return nil
}

// entries turns s into records. The first has the sets and as many failures as fit into limit
// bytes; the others have failures only.
func (s *settlement) entries(limit int) ([]*entry, error) {
	var list []*entry
	for rest := s.failed; ; {
		count, size := 0, 0
		for count < len(rest) && (count == 0 || size+rest[count].size() <= limit) {
			size += rest[count].size()
			count++
		}
		piece := settlement{ordinal: s.ordinal, n: s.n, from: s.from, failed: rest[:count]}
		if len(list) == 0 {
			piece = *s
			piece.failed = rest[:count]
		}
		e := newEntry(record{kind: kindSettled, settlement: piece})
		if len(e.bytes) > maxRecord {
			return nil, fmt.Errorf("settle chunk %d: edge %d takes %d bytes, more than a frame holds", s.ordinal,
				rest[0].index, len(e.bytes))
		}
		list, rest = append(list, e), rest[count:]
		if len(rest) == 0 {
			return list, nil
		}
	}
}

// size returns an upper estimate of the bytes that a failure takes in a record.
func (f *failure) size() int {
	e := &f.edge
	size := 64 + len(f.info) + len(e.To) + len(e.AddSource) + len(e.Remark) + len(e.AddWording)
	for _, group := range e.Groups {
		size += len(group) + 4
	}
	for _, item := range e.Custom {
		size += len(item.Tag) + len(item.Value) + 8
	}
	return size
}

func (s *settlement) failedSet() (set migrate.EdgeSet) {
	for i := range s.failed {
		set.Add(s.failed[i].index)
	}
	return set
}

// named returns the set of all edges that s settles.
func (s *settlement) named() migrate.EdgeSet {
	if s.whole {
		return migrate.FullSet(s.n)
	}
	return s.imported.Or(s.already).Or(s.failedSet())
}

// count returns the number of edges that s settles.
func (s *settlement) count() int {
	if s.whole {
		return s.n
	}
	return s.imported.Len() + s.already.Len() + len(s.failed)
}
