package simulator

import (
	"fmt"
	"math/bits"
)

// hashText is FNV-1a with a finalizer; the same in every process, since seeds and digests are
// compared across processes.
func hashText(h uint64, t string) uint64 {
	for i := 0; i < len(t); i++ {
		h = (h ^ uint64(t[i])) * 0x100000001b3
	}
	return h
}

// mix spreads every bit of h over all of it (splitmix64).
func mix(h uint64) uint64 {
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return h ^ h>>31
}

const fnvOffset = 0xcbf29ce484222325

// accountHash identifies an account.
func accountHash(id string) uint64 { return mix(hashText(fnvOffset, id)) }

// pairHash identifies an edge. The account's own hash goes in whole, so no choice of ids makes two
// pairs run together.
func pairHash(from uint64, to string) uint64 { return mix(hashText(fnvOffset^from, to)) }

// draw is an even random number in [0, 1) that depends on its arguments alone.
func draw(seed, purpose, who, n uint64) float64 {
	h := mix(seed + 0x9e3779b97f4a7c15*purpose)
	h = mix(h ^ who)
	h = mix(h + n*0x9e3779b97f4a7c15)
	return float64(h>>11) / (1 << 53)
}

// The purposes of draws: one fate must not follow from another.
const (
	drawFault = iota + 1
	drawJitter
	drawItem
	drawHot
	drawMissing
	drawPoison
	drawOrder
	drawVictim
)

// Digest sums up a set of pairs in any order: equal sets have equal digests, and different ones
// have not (but for a chance of 2⁻⁶⁴; it is no defence against somebody who looks for a collision).
// The zero Digest is that of the empty set.
type Digest struct{ n, a, b uint64 }

// Add puts a pair into the set. It must not be there yet.
func (d *Digest) Add(from, to string) { d.add(pairHash(accountHash(from), to)) }

func (d *Digest) add(h uint64) { d.join(Digest{1, h, mix(h ^ 0x5851f42d4c957f2d)}, 1) }

func (d *Digest) remove(h uint64) { d.join(Digest{1, h, mix(h ^ 0x5851f42d4c957f2d)}, ^uint64(0)) }

// join adds a set, or takes it out if sign is minus one.
func (d *Digest) join(e Digest, sign uint64) {
	d.n += sign * e.n
	d.a += sign * e.a
	d.b += sign * e.b
}

// String is the digest as text, as in Stats.
func (d Digest) String() string {
	return fmt.Sprintf("%016x%016x", bits.RotateLeft64(mix(d.a)^d.n, 1), mix(d.b+d.n))
}
