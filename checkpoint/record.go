package checkpoint

import (
	"encoding/binary"
	"fmt"
	"math"

	"friendmigrate/migrate"
	"friendmigrate/migrate/codec"
)

// The payload of a frame is the time of its commit (milliseconds, as a difference to the frame
// before) and records. A record is a kind and a body.
const (
	kindIdentity  = 1 + iota // JSON
	kindSettled              // final outcomes of edges of one chunk
	kindReopen               // every edge that is failed at this point, with one of these codes, is pending again
	kindBegin                // JSON
	kindEnd                  // JSON
	kindMaybeSent            // chunks of this span may be sent after this record
)

// The parts of a kindSettled record after ordinal and size of the chunk. The common case, every
// edge imported and none added, is one byte.
const (
	hasImported  = 1 << iota
	hasAlready   // all of them
	hasUncertain // those of them that are uncertain
	hasFailed
	hasAdded
	allImported // hasImported only, for the whole chunk
)

// The ways to write a set of edges. The shortest is used.
const (
	setBitmap = iota
	setList
	setAllBut
)

// The flags of a failed edge, in addition to those of its fields (codec.HasRemark and so on).
const (
	edgeUncertain = 1 << iota
	edgeAdded
)

// record is one record of a frame, to be written or as it was read. Only the fields of its kind are
// used.
type record struct {
	kind       byte
	settlement settlement
	codes      []int  // kindReopen; none: every code
	span       int64  // kindMaybeSent
	json       []byte // kindIdentity, kindBegin, kindEnd
}

// encode returns the record as it is written.
func (r *record) encode() []byte {
	c := coder{writes: true}
	c.record(r)
	return c.out
}

// coder writes records, or reads those of one payload, so that the format is defined once for both.
// A reader never panics, and takes no more memory than the payload's size allows, whatever the
// payload holds.
type coder struct {
	codec.Cursor // input; values after the first bad one mean nothing

	writes    bool
	out       []byte
	withTexts bool           // read the texts of failures too: lists need them, a replay does not
	known     map[string]int // texts that this record has, numbered from 1
	texts     []string       // texts that were read
}

// openPayload reads the time of the commit, as a difference in milliseconds, and returns a coder
// that reads the records.
func openPayload(payload []byte, withTexts bool) (coder, int64, error) {
	c := coder{Cursor: codec.Cursor{Rest: payload}, withTexts: withTexts}
	elapsed := c.Varint()
	if c.Bad {
		return c, 0, errBadRecord
	}
	return c, elapsed, nil
}

// errBadRecord is the error of a bad record in a frame with a good checksum. Another program or a
// bug wrote it.
var errBadRecord = fmt.Errorf("%w: a frame contains an invalid record", ErrDamaged)

func (c *coder) more() bool { return len(c.Rest) > 0 }

// read reads the next record into r and reuses its memory.
func (c *coder) read(r *record) error {
	if c.record(r); c.Bad {
		return errBadRecord
	}
	return nil
}

func (c *coder) record(r *record) {
	c.byte(&r.kind)
	switch r.kind {
	case kindSettled:
		c.settled(&r.settlement)
	case kindReopen:
		each(c, &r.codes, 1, func(code *int) { signed(c, code) })
	case kindMaybeSent:
		number(c, &r.span, maxChunks)
	case kindIdentity, kindBegin, kindEnd:
		if c.writes {
			c.out = codec.AppendText(c.out, r.json)
		} else {
			r.json = c.Text()
		}
	default:
		c.Bad = true
	}
}

// settled writes or reads a settlement. When it writes, s stays as it is: s.whole is set to the
// value that it has.
func (c *coder) settled(s *settlement) {
	number(c, &s.ordinal, maxChunks)
	number(c, &s.n, migrate.MaxChunkEdges)
	var flags byte
	if c.writes {
		flags = s.flags()
	}
	c.byte(&flags)
	s.whole = flags == allImported
	if !c.writes {
		c.Bad = c.Bad || s.n == 0 || flags > allImported
		s.failed = s.failed[:0]
	}
	if s.whole || c.Bad {
		return
	}
	if !c.writes {
		*s = settlement{ordinal: s.ordinal, n: s.n, failed: s.failed}
	}
	for _, f := range s.sets() {
		if flags&f.flag != 0 {
			c.set(f.set, s.n)
		}
	}
	if flags&hasAdded != 0 {
		for _, added := range []*int64{&s.added.Imported, &s.added.Already, &s.added.AlreadyUncertain} {
			number(c, added, int64(s.n))
		}
	}
	if flags&hasFailed != 0 {
		c.failed(s)
	}
	if failed := s.failedSet(); s.count() == 0 || s.imported.Meets(s.already) ||
		failed.Meets(s.imported.Or(s.already)) ||
		s.uncertain.Without(s.already) != (migrate.EdgeSet{}) ||
		s.added.Imported > int64(s.imported.Len()) || s.added.Already > int64(s.already.Len()) ||
		s.added.AlreadyUncertain > min(s.added.Already, int64(s.uncertain.Len())) {
		c.Bad = true
	}
}

func (s *settlement) flags() (flags byte) {
	if s.whole {
		return allImported
	}
	for _, f := range s.sets() {
		if f.set.Len() > 0 {
			flags |= f.flag
		}
	}
	if s.added != (Counts{}) {
		flags |= hasAdded
	}
	if len(s.failed) > 0 {
		flags |= hasFailed
	}
	return flags
}

// flaggedSet is a set of a settlement and the flag for it.
type flaggedSet struct {
	set  *migrate.EdgeSet
	flag byte
}

func (s *settlement) sets() [3]flaggedSet {
	return [3]flaggedSet{{&s.imported, hasImported}, {&s.already, hasAlready}, {&s.uncertain, hasUncertain}}
}

// set codes a set of edges of a chunk of n. A reader passes an empty set.
func (c *coder) set(set *migrate.EdgeSet, n int) {
	kind, size, bitmap := byte(setBitmap), set.Len(), (n+7)/8
	if size > n-size && n-size < bitmap {
		kind = setAllBut
	} else if size < bitmap {
		kind = setList
	}
	c.byte(&kind)
	switch kind {
	case setBitmap:
		for i := range bitmap {
			bits := byte(set[i/8] >> (i % 8 * 8))
			c.byte(&bits)
			set[i/8] |= uint64(bits) << (i % 8 * 8)
		}
		c.Bad = c.Bad || set.Without(migrate.FullSet(n)) != (migrate.EdgeSet{})
	case setList:
		c.list(set, n)
	case setAllBut:
		var rest migrate.EdgeSet
		if c.writes {
			rest = migrate.FullSet(n).Without(*set)
		}
		c.list(&rest, n)
		*set = migrate.FullSet(n).Without(rest)
	default:
		c.Bad = true
	}
}

func (c *coder) list(set *migrate.EdgeSet, n int) {
	indexes, next := set.Indexes(), 0
	each(c, &indexes, 1, func(i *int) {
		if c.index(i, &next, n); !c.Bad {
			set.Add(*i)
		}
	})
}

// index codes the next index of an ascending list of indexes under n.
func (c *coder) index(i, next *int, n int) {
	gap := *i - *next
	number(c, &gap, int64(n))
	if *i = *next + gap; *i >= n {
		c.Bad = true
	}
	*next = *i + 1
}

// failed codes failed edges with all their fields. A text that occurs again is written once.
func (c *coder) failed(s *settlement) {
	if c.texts = c.texts[:0]; c.writes {
		c.known = map[string]int{}
	}
	c.plain(&s.from)
	next := 0
	each(c, &s.failed, 8, func(f *failure) {
		c.index(&f.index, &next, s.n)
		signed(c, &f.code)
		number(c, &f.attempts, math.MaxInt32)
		c.text(&f.info)
		c.edge(f)
	})
	c.Bad = c.Bad || len(s.failed) == 0
}

func (c *coder) edge(f *failure) {
	e, mask := &f.edge, byte(0)
	if c.writes {
		mask = f.mask()
	}
	c.byte(&mask)
	f.uncertain, f.added = mask&edgeUncertain != 0, mask&edgeAdded != 0
	e.Added = f.added
	c.plain(&e.To)
	c.text(&e.AddSource)
	number(c, &e.Input, math.MaxInt32)
	number(c, &e.Line, math.MaxInt64)
	if mask&codec.HasRemark != 0 {
		c.plain(&e.Remark)
	}
	if mask&codec.HasRemarkTime != 0 {
		signed(c, &e.RemarkTime)
	}
	if mask&codec.HasGroups != 0 {
		each(c, &e.Groups, 1, c.text)
	}
	if mask&codec.HasAddWording != 0 {
		c.text(&e.AddWording)
	}
	if mask&codec.HasAddTime != 0 {
		signed(c, &e.AddTime)
	}
	if mask&codec.HasCustom != 0 {
		each(c, &e.Custom, 3, func(item *migrate.CustomItem) {
			integer := 0
			if item.Integer {
				integer = 1
			}
			number(c, &integer, 1)
			item.Integer = integer == 1
			c.text(&item.Tag)
			c.plain(&item.Value)
		})
	}
}

// mask returns the flags of the fields that a failed edge has: those of package codec, and its own.
func (f *failure) mask() byte {
	_, mask := codec.AppendFields(nil, &f.edge)
	if f.uncertain {
		mask |= edgeUncertain
	}
	if f.added {
		mask |= edgeAdded
	}
	return mask
}

// each codes the elements of a list. Each element takes at least size bytes, which limits a list to
// what the payload has room for.
func each[T any](c *coder, list *[]T, size int, element func(*T)) {
	if c.writes {
		c.out = binary.AppendUvarint(c.out, uint64(len(*list)))
		for i := range *list {
			element(&(*list)[i])
		}
		return
	}
	*list = (*list)[:0]
	for range c.Size(len(c.Rest) / size) {
		*list = append(*list, *new(T))
		if element(&(*list)[len(*list)-1]); c.Bad {
			return
		}
	}
}

func (c *coder) byte(v *byte) {
	if c.writes {
		c.out = append(c.out, *v)
	} else {
		*v = c.Byte()
	}
}

// number codes an integer from 0 to limit.
func number[T int | int64](c *coder, v *T, limit int64) {
	if c.writes {
		c.out = binary.AppendUvarint(c.out, uint64(*v))
	} else {
		*v = T(c.Size(int(limit)))
	}
}

func signed[T int | int64](c *coder, v *T) {
	if c.writes {
		c.out = binary.AppendVarint(c.out, int64(*v))
	} else {
		*v = T(c.Varint())
	}
}

// text codes a text that is written once in a record: 0 and the text, or the number of an earlier
// text.
func (c *coder) text(text *string) {
	n := c.known[*text]
	number(c, &n, int64(len(c.texts)))
	switch {
	case n == 0 && c.writes:
		c.known[*text] = len(c.known) + 1
		c.plain(text)
	case n == 0:
		c.plain(text)
		c.texts = append(c.texts, *text)
	case !c.writes:
		*text = c.texts[n-1]
	}
}

// plain codes a text. A reader without withTexts skips it.
func (c *coder) plain(text *string) {
	if c.writes {
		c.out = codec.AppendText(c.out, *text)
	} else if b := c.Text(); c.withTexts {
		*text = string(b)
	}
}
