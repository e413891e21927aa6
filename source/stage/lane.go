package stage

import (
	"fmt"
	"strings"
	"sync"

	"friendmigrate/migrate"
	"friendmigrate/migrate/codec"
)

// Lane stages the edges of one goroutine.
type Lane struct {
	w             *Writer
	out           spill
	sources       sourceCache
	fields        []byte
	brief         []byte // see Measure
	measuredBytes int64  // bytes of the edges, with Options.Measure
	err           error  // the first; final
}

func newLane(w *Writer) *Lane {
	return &Lane{
		w: w,
		out: spill{
			buffers: make([]buffer, w.limits.parts),
			files:   w.files,
			budget:  w.limits.lane,
			page:    w.limits.page,
			batch:   w.limits.batch,
		},
		sources: sourceCache{all: w.sources, seen: make(map[string]uint32)},
	}
}

// Add stages a valid edge and, with Options.Mutual, its reverse. It copies what it keeps, so e and
// its texts may be reused. No two edges of a job may have the same Position. ours is false if the
// row belongs to another shard; its reverse may still belong to this one.
//
// An edge over MaxEdgeBytes is refused with ErrEdgeTooLarge, after which the lane can be used.
// Every other error is final for the job: a file could not be written. Add may be called from one
// goroutine at a time, and not after WriteRosters.
func (l *Lane) Add(e *migrate.Edge) (ours bool, err error) {
	if l.err != nil {
		return false, l.err
	}
	r, err := l.encode(e)
	if err != nil {
		return false, err
	}
	fromHash, toHash := Hash(e.From), Hash(e.To)
	l.w.pairs.add(pairHash(fromHash, toHash))
	if ours = l.w.owns(e.From, fromHash); ours {
		if l.err = l.addToPartition(e, &r, fromHash); l.err != nil {
			return false, l.err
		}
	}
	if l.w.options.Mutual && l.w.owns(e.To, toHash) {
		// The optional fields describe one side's view of the other. Only AddTime is the same for
		// both.
		reverse := migrate.Edge{From: e.To, To: e.From, AddSource: e.AddSource, AddTime: e.AddTime,
			Position: e.Position, Added: true}
		if r, err = l.encode(&reverse); err == nil {
			err = l.addToPartition(&reverse, &r, toHash)
		}
		l.err = err
	}
	return ours, l.err
}

// encode makes the record of an edge. The record is valid until the next call.
func (l *Lane) encode(e *migrate.Edge) (r record[string], err error) {
	r = record[string]{from: e.From, to: e.To, source: l.sources.code(e.AddSource)}
	if r.order, err = orderOf(e.Position, e.Added); err != nil {
		return r, err
	}
	if r.source == 0 {
		r.literal = e.AddSource
	}
	l.fields, r.flags = codec.AppendFields(l.fields[:0], e)
	r.extras = l.fields
	if size := len(e.From) + len(e.To) + len(e.AddSource) + len(r.extras); size > MaxEdgeBytes {
		return r, fmt.Errorf("stage edge: %w: %d bytes, and at most %d can be staged", ErrEdgeTooLarge, size,
			MaxEdgeBytes)
	}
	return r, nil
}

// mostAround is the most bytes that are stored beside the texts of an edge: the roster, the chunk and
// the block may be of this edge alone.
const mostAround = 16

func (l *Lane) addToPartition(e *migrate.Edge, r *record[string], hash uint64) error {
	if m := l.w.options.Measure; m != nil {
		l.measuredBytes += int64(len(r.from) + len(r.to) + len(r.literal) + len(r.extras) + mostAround)
		l.brief = appendBrief(l.brief[:0], e, r, m.EdgeBytes(e))
		r.flags, r.extras = codec.HasFields, l.brief
	}
	return addRecord(&l.out, l.w.partOf(hash), r)
}

// addSources numbers the values of AddSource, so that a record holds a number instead of the text.
// A job has few of them. A text that is long, or is new when the dictionary is full, has the number
// 0 and is written out. It never gets a number later, so equal values are always written alike.
type addSources struct {
	mu    sync.Mutex
	codes map[string]uint32
	texts []string // by code
}

const (
	maxSources    = 4096
	maxSourceText = 64
)

func newSources() *addSources {
	return &addSources{codes: make(map[string]uint32), texts: []string{""}}
}

func (s *addSources) code(text string) uint32 {
	if len(text) > maxSourceText {
		return 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	code, ok := s.codes[text]
	if !ok && len(s.texts) <= maxSources {
		text = strings.Clone(text)
		code = uint32(len(s.texts))
		s.codes[text] = code
		s.texts = append(s.texts, text)
	}
	return code
}

// sourceCache holds the codes that one lane has looked up. It copies the texts: those of Add change
// when the row's buffer is used again.
type sourceCache struct {
	all      *addSources
	seen     map[string]uint32
	last     []byte
	lastCode uint32
}

func (c *sourceCache) code(text string) uint32 {
	if text == string(c.last) && c.lastCode != 0 {
		return c.lastCode
	}
	code, ok := c.seen[text]
	if !ok {
		if code = c.all.code(text); code == 0 {
			return 0
		}
		c.seen[strings.Clone(text)] = code
	}
	c.last, c.lastCode = append(c.last[:0], text...), code
	return code
}
