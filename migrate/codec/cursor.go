package codec

import "encoding/binary"

// Cursor reads numbers and texts from a byte slice. When the bytes run out or a number is
// malformed, it becomes bad and returns zeros after that, so callers check once, at the end of what
// they read. It never panics, whatever the bytes are.
type Cursor struct {
	Rest []byte
	Bad  bool
}

// Fail makes the cursor bad. Nothing is left to read.
func (c *Cursor) Fail() {
	c.Rest, c.Bad = nil, true
}

// Byte reads one byte.
func (c *Cursor) Byte() byte {
	if len(c.Rest) == 0 {
		c.Fail()
		return 0
	}
	v := c.Rest[0]
	c.Rest = c.Rest[1:]
	return v
}

// Uvarint reads a number as encoding/binary writes it.
func (c *Cursor) Uvarint() uint64 {
	if len(c.Rest) > 0 && c.Rest[0] < 0x80 {
		v := c.Rest[0]
		c.Rest = c.Rest[1:]
		return uint64(v)
	}
	return c.longUvarint()
}

func (c *Cursor) longUvarint() uint64 {
	v, n := binary.Uvarint(c.Rest)
	if n <= 0 {
		c.Fail()
		return 0
	}
	c.Rest = c.Rest[n:]
	return v
}

// Varint reads a signed number as encoding/binary writes it.
func (c *Cursor) Varint() int64 { return Signed(c.Uvarint()) }

// Signed returns the signed number for which AppendVarint of encoding/binary writes the Uvarint u.
func Signed(u uint64) int64 { return int64(u>>1) ^ -int64(u&1) }

// Size reads a number; one above limit makes the cursor bad.
func (c *Cursor) Size(limit int) int {
	v := c.Uvarint()
	if v > uint64(limit) {
		c.Fail()
		return 0
	}
	return int(v)
}

// Bytes reads the next n bytes. They share memory with the slice that is read.
func (c *Cursor) Bytes(n int) []byte {
	if n > len(c.Rest) {
		c.Fail()
		return nil
	}
	v := c.Rest[:n:n]
	c.Rest = c.Rest[n:]
	return v
}

// Text reads a length and that many bytes.
func (c *Cursor) Text() []byte { return c.Bytes(c.Size(len(c.Rest))) }

// Uint32 reads four bytes, little-endian.
func (c *Cursor) Uint32() uint32 {
	if len(c.Rest) < 4 {
		c.Fail()
		return 0
	}
	v := binary.LittleEndian.Uint32(c.Rest)
	c.Rest = c.Rest[4:]
	return v
}

// Text is what the codecs accept as a string of bytes.
type Text interface{ string | []byte }

// AppendText appends the length of s and s.
func AppendText[T Text](b []byte, s T) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

// TakeUvarint and TakeText are for the one place where a cursor is too slow: they keep b in
// registers. After malformed bytes rest is nil and stays nil; a rest that is merely empty is not
// nil.
func TakeUvarint(b []byte) (uint64, []byte) {
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

// TakeText reads a length and that many bytes.
func TakeText(b []byte) (text, rest []byte) {
	n, b := TakeUvarint(b)
	if n > uint64(len(b)) {
		return nil, nil
	}
	return b[:n:n], b[n:]
}
