package stage

import (
	"encoding/binary"
	"fmt"

	"friendmigrate/migrate"
	"friendmigrate/migrate/codec"
)

// The two lowest bits of a record.
const (
	recordNewInput = 1 // an input index follows; else it is the one of the record before
	recordAdded    = 2
)

// record is an edge while it is being partitioned. Its optional fields are already encoded, because
// they are only moved and compared.
type record[T codec.Text] struct {
	from, to T
	order    order
	source   uint32 // AddSource: its index in Writer.sources, or 0 if it is in literal
	literal  T
	flags    uint8 // of the optional fields
	extras   []byte
}

// room returns the most bytes that the record takes in a page.
func (r *record[T]) room() int {
	return len(r.from) + len(r.to) + len(r.literal) + len(r.extras) + 1 + 7*binary.MaxVarintLen64
}

// pageState is the part of a record that the next one in its page refers to. A page starts with the
// zero state, so it can be read without any other page.
type pageState struct {
	input uint64
	line  uint64
}

// appendRecord appends r to a page: flags, lengths and bytes of From and To, input if new, line as
// a difference, AddSource, optional fields.
func appendRecord[T codec.Text](b []byte, st *pageState, r *record[T]) []byte {
	flags := r.flags & codec.HasFields
	if r.order.added() {
		flags |= recordAdded
	}
	input, line := r.order.input(), r.order.line()
	if input != st.input {
		flags |= recordNewInput
	}
	b = append(b, flags)
	b = codec.AppendText(b, r.from)
	b = codec.AppendText(b, r.to)
	if input != st.input {
		b = binary.AppendUvarint(b, input)
	}
	b = binary.AppendVarint(b, int64(line)-int64(st.line))
	st.input, st.line = input, line
	b = binary.AppendUvarint(b, uint64(r.source))
	if r.source == 0 {
		b = codec.AppendText(b, r.literal)
	}
	if flags&codec.HasFields != 0 {
		b = codec.AppendText(b, r.extras)
	}
	return b
}

// next reads the record at the beginning of b and returns the rest of b, or nil if there is no
// whole record. The texts of r are part of b.
func (st *pageState) next(b []byte, r *record[[]byte]) []byte {
	if len(b) == 0 {
		return nil
	}
	flags := b[0]
	var v uint64
	r.from, b = codec.TakeText(b[1:])
	r.to, b = codec.TakeText(b)
	if flags&recordNewInput != 0 {
		v, b = codec.TakeUvarint(b)
		st.input = v & maxInput
	}
	v, b = codec.TakeUvarint(b)
	st.line += uint64(codec.Signed(v))
	r.order = order(st.input<<lineBits | st.line&maxLine)
	if flags&recordAdded != 0 {
		r.order |= addedBit
	}
	v, b = codec.TakeUvarint(b)
	r.source, r.literal = uint32(v), nil
	if v == 0 {
		r.literal, b = codec.TakeText(b)
	}
	r.flags, r.extras = flags&codec.HasFields, nil
	if r.flags != 0 {
		r.extras, b = codec.TakeText(b)
	}
	return b
}

// sameFields reports whether two records of a pair differ only in their position.
func sameFields(a, b *record[[]byte]) bool {
	return a.source == b.source && string(a.literal) == string(b.literal) && a.flags == b.flags &&
		string(a.extras) == string(b.extras)
}

// order holds a Position and Edge.Added in one number, so that edges are sorted by comparing
// integers: first the rows by their position, then the added edges by the position of the row that
// they reverse.
type order uint64

const (
	addedBit order = 1 << 63
	lineBits       = 40
	maxLine        = 1<<lineBits - 1
	maxInput       = 1<<(63-lineBits) - 1
)

func orderOf(p migrate.Position, added bool) (order, error) {
	if p.Input < 0 || p.Input > maxInput || p.Line < 0 || p.Line > maxLine {
		return 0, fmt.Errorf("stage edge: position %d:%d is out of range", p.Input, p.Line)
	}
	o := order(p.Input)<<lineBits | order(p.Line)
	if added {
		o |= addedBit
	}
	return o, nil
}

func (o order) added() bool   { return o&addedBit != 0 }
func (o order) input() uint64 { return uint64(o&^addedBit) >> lineBits }
func (o order) line() uint64  { return uint64(o) & maxLine }

func (o order) position() migrate.Position {
	return migrate.Position{Input: int(o.input()), Line: int64(o.line())}
}
