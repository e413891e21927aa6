package checkpoint

import (
	"fmt"
	"math"

	"friendmigrate/migrate"
	"friendmigrate/migrate/codec"
)

// record is one record of a frame: about to be written, or read again. Only the fields of its kind
// mean something.
type record struct {
	kind       byte
	settlement settlement
	codes      []int  // kindReopen; none: every code
	block      int64  // kindTouched
	json       []byte // kindIdentity, kindBegin, kindEnd
}

// decoder reads the records of one payload. It never panics, and takes no more memory than the
// payload's size allows, whatever the payload holds.
type decoder struct {
	codec.Cursor // bad from the first thing on that cannot be: nothing read since means anything

	spell bool     // read the texts of failures too, for lists; a replay has no use for them
	texts []string // of this record, if spelled
	known uint64   // number of texts of this record
}

// openPayload reads the time of the commit, as a difference in milliseconds. The decoder that it
// returns reads the records.
func openPayload(payload []byte, spell bool) (decoder, int64, error) {
	d := decoder{Cursor: codec.Cursor{Rest: payload}, spell: spell}
	passed := d.Varint()
	if d.Bad {
		return d, 0, errBadRecord
	}
	return d, passed, nil
}

// errBadRecord comes with a good checksum: another program wrote it, or a bug did.
var errBadRecord = fmt.Errorf("%w: a frame holds what is no record", ErrDamaged)

// more reports whether there is another record.
func (d *decoder) more() bool { return len(d.Rest) > 0 }

// record reads the next record into r, whose memory it uses again.
func (d *decoder) record(r *record) error {
	r.kind = d.Byte()
	switch r.kind {
	case kindSettled:
		d.settled(&r.settlement)
	case kindReopen:
		r.codes = r.codes[:0]
		for range d.count(1) {
			r.codes = append(r.codes, int(d.Varint()))
		}
	case kindTouched:
		r.block = d.number(maxChunks)
	case kindIdentity, kindBegin, kindEnd:
		r.json = d.Bytes(d.count(1))
	default:
		d.Bad = true
	}
	if d.Bad {
		return errBadRecord
	}
	return nil
}

func (d *decoder) settled(s *settlement) {
	s.ordinal, s.n = d.number(maxChunks), int(d.number(migrate.MaxChunkEdges))
	flags := d.Byte()
	if s.n == 0 {
		d.Bad = true
	}
	if s.whole = flags == allImported; s.whole {
		s.failed = s.failed[:0]
		return
	}
	*s = settlement{ordinal: s.ordinal, n: s.n, failed: s.failed[:0]}
	if flags >= allImported {
		d.Bad = true
		return
	}
	if flags&hasImported != 0 {
		d.set(&s.imported, s.n)
	}
	if flags&hasAlready != 0 {
		d.set(&s.already, s.n)
	}
	if flags&hasUncertain != 0 {
		d.set(&s.uncertain, s.n)
	}
	if flags&hasAdded != 0 {
		s.added = Counts{Imported: d.number(int64(s.n)), Already: d.number(int64(s.n)),
			AlreadyUncertain: d.number(int64(s.n))}
	}
	if flags&hasFailed != 0 {
		d.failed(s)
	}
	failed := s.failedSet()
	if s.count() == 0 || s.imported.Meets(s.already) || failed.Meets(s.imported.Or(s.already)) ||
		s.uncertain.Without(s.already) != (migrate.EdgeSet{}) ||
		s.added.Imported > int64(s.imported.Len()) || s.added.Already > int64(s.already.Len()) ||
		s.added.AlreadyUncertain > min(s.added.Already, int64(s.uncertain.Len())) {
		d.Bad = true
	}
}

// set reads a set of edges of a chunk of n.
func (d *decoder) set(set *migrate.EdgeSet, n int) {
	switch d.Byte() {
	case setBitmap:
		for i, b := range d.Bytes((n + 7) / 8) {
			set[i/8] |= uint64(b) << (i % 8 * 8)
		}
		if set.Without(migrate.FullSet(n)).Len() > 0 {
			d.Bad = true
		}
	case setList:
		d.list(set, n)
	case setAllBut:
		var rest migrate.EdgeSet
		d.list(&rest, n)
		*set = migrate.FullSet(n).Without(rest)
	default:
		d.Bad = true
	}
}

func (d *decoder) list(set *migrate.EdgeSet, n int) {
	next := 0
	for range d.count(1) {
		i := d.index(&next, n)
		if d.Bad {
			return
		}
		set.Add(i)
	}
}

// index reads the next index of an ascending list of indexes under n.
func (d *decoder) index(next *int, n int) int {
	i := *next + int(d.number(int64(n)))
	if i >= n {
		d.Bad = true
		return 0
	}
	*next = i + 1
	return i
}

func (d *decoder) failed(s *settlement) {
	d.texts, d.known = d.texts[:0], 0
	s.from = d.plain()
	next, count := 0, d.count(8)
	d.Bad = d.Bad || count == 0
	for range count {
		var f failure
		f.index = d.index(&next, s.n)
		f.code, f.attempts = int(d.Varint()), int(d.number(math.MaxInt32))
		f.info = d.text()
		d.edge(&f)
		if d.Bad {
			return
		}
		s.failed = append(s.failed, f)
	}
}

func (d *decoder) edge(f *failure) {
	e, mask := &f.edge, d.Byte()
	f.uncertain, f.added = mask&edgeUncertain != 0, mask&edgeAdded != 0
	e.Added = f.added
	e.To, e.AddSource = d.plain(), d.text()
	e.Input, e.Line = int(d.number(math.MaxInt32)), d.number(math.MaxInt64)
	if mask&codec.HasRemark != 0 {
		e.Remark = d.plain()
	}
	if mask&codec.HasRemarkTime != 0 {
		e.RemarkTime = d.Varint()
	}
	if mask&codec.HasGroups != 0 {
		for range d.count(1) {
			if group := d.text(); d.spell {
				e.Groups = append(e.Groups, group)
			}
		}
	}
	if mask&codec.HasAddWording != 0 {
		e.AddWording = d.text()
	}
	if mask&codec.HasAddTime != 0 {
		e.AddTime = d.Varint()
	}
	if mask&codec.HasCustom != 0 {
		d.custom(e)
	}
}

func (d *decoder) custom(e *migrate.Edge) {
	for range d.count(3) {
		item := migrate.CustomItem{Integer: d.number(1) == 1, Tag: d.text(), Value: d.plain()}
		if d.Bad {
			return
		}
		if d.spell {
			e.Custom = append(e.Custom, item)
		}
	}
}

// text reads a text that is written once in a record.
func (d *decoder) text() string {
	number := d.Uvarint()
	if number > d.known {
		d.Fail()
	}
	if d.Bad {
		return ""
	}
	if number == 0 {
		text := d.plain()
		if d.known++; d.spell {
			d.texts = append(d.texts, text)
		}
		return text
	}
	if !d.spell {
		return ""
	}
	return d.texts[number-1]
}

// plain reads a text; without spell it only passes over it.
func (d *decoder) plain() string {
	b := d.Bytes(d.count(1))
	if !d.spell {
		return ""
	}
	return string(b)
}

// count reads how many things of at least size bytes follow: never more than the payload has room
// for.
func (d *decoder) count(size int) int { return d.Size(len(d.Rest) / size) }

// number reads an integer from 0 to limit.
func (d *decoder) number(limit int64) int64 { return int64(d.Size(int(limit))) }
