package stage

import "encoding/binary"

// cursor reads numbers and texts off a byte slice. Where the bytes run out or a number is malformed it turns bad, and from then on yields zeros: callers
// check once, at the end of what they read.
type cursor struct {
	b   []byte
	bad bool
}

func (c *cursor) fail() {
	c.b, c.bad = nil, true
}

func (c *cursor) byte() byte {
	if len(c.b) == 0 {
		c.fail()
		return 0
	}
	v := c.b[0]
	c.b = c.b[1:]
	return v
}

func (c *cursor) uvarint() uint64 {
	if len(c.b) > 0 && c.b[0] < 0x80 {
		v := c.b[0]
		c.b = c.b[1:]
		return uint64(v)
	}
	return c.longUvarint()
}

func (c *cursor) longUvarint() uint64 {
	v, n := binary.Uvarint(c.b)
	if n <= 0 {
		c.fail()
		return 0
	}
	c.b = c.b[n:]
	return v
}

func (c *cursor) varint() int64 {
	u := c.uvarint()
	return int64(u>>1) ^ -int64(u&1)
}

// size reads a number that may not be over limit.
func (c *cursor) size(limit int) int {
	v := c.uvarint()
	if v > uint64(limit) {
		c.fail()
		return 0
	}
	return int(v)
}

// bytes takes the next n bytes, which stay part of the slice that is read.
func (c *cursor) bytes(n int) []byte {
	if n > len(c.b) {
		c.fail()
		return nil
	}
	v := c.b[:n:n]
	c.b = c.b[n:]
	return v
}

// text takes a length and as many bytes.
func (c *cursor) text() []byte { return c.bytes(c.size(len(c.b))) }

func (c *cursor) uint32() uint32 {
	if len(c.b) < 4 {
		c.fail()
		return 0
	}
	v := binary.LittleEndian.Uint32(c.b)
	c.b = c.b[4:]
	return v
}

// text is what the codecs take as a string of bytes.
type text interface{ string | []byte }

func appendText[T text](b []byte, s T) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

// takeUvarint and takeText are for the one place where a cursor is too slow: they keep b in registers. A malformed rest is nil, and stays so; one that is
// merely empty is not.
func takeUvarint(b []byte) (uint64, []byte) {
	if len(b) > 0 && b[0] < 0x80 {
		return uint64(b[0]), b[1:]
	}
	return takeLongUvarint(b)
}

func takeLongUvarint(b []byte) (uint64, []byte) {
	v, n := binary.Uvarint(b)
	if n <= 0 {
		return 0, nil
	}
	return v, b[n:]
}

func takeText(b []byte) (text, rest []byte) {
	n, b := takeUvarint(b)
	if n > uint64(len(b)) {
		return nil, nil
	}
	return b[:n:n], b[n:]
}
