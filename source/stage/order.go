package stage

import (
	"fmt"

	"friendmigrate/migrate"
)

// order is a Position and Edge.Added in one number, so that a roster's edges are sorted by
// comparing integers: rows of the input by position, then the added edges by the position of the
// row that they are the reverse of.
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
