package stage

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"math/bits"
)

// planDigest adds up the SHA-256 sums of rosters modulo 2^256. The order of a plan is a function of
// its rosters, so the sum stands for the plan, and it doesn't matter who seals which roster when.
type planDigest [4]uint64

func (d *planDigest) add(o planDigest) {
	var carry uint64
	for i := range d {
		d[i], carry = bits.Add64(d[i], o[i], carry)
	}
}

// text closes the digest over the sum and the number of rosters.
func (d *planDigest) text(rosters int64) string {
	b := []byte("friendmigrate plan 1\n")
	b = binary.LittleEndian.AppendUint64(b, uint64(rosters))
	for _, v := range d {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// rosterDigest takes the digest of one roster after the other: From, each chunk with its length
// before it, nothing at the end.
type rosterDigest struct {
	h       hash.Hash
	scratch []byte
}

func (d *rosterDigest) begin(from []byte) {
	d.h.Reset()
	d.part(from)
}

func (d *rosterDigest) part(b []byte) {
	d.scratch = binary.AppendUvarint(d.scratch[:0], uint64(len(b)))
	d.h.Write(d.scratch)
	d.h.Write(b)
}

func (d *rosterDigest) end() (p planDigest) {
	d.scratch = d.h.Sum(d.scratch[:0])
	for i := range p {
		p[i] = binary.LittleEndian.Uint64(d.scratch[8*i:])
	}
	return p
}
