package simulator

import "math/bits"

// table is a set of 64-bit keys that are hashes already: an open-addressed hash table of 8 bytes a
// slot, 53 to 80 % full. A Go map takes two and a half times as much: 30 bytes a key in place of 11.
type table struct {
	keys []uint64
	n    int // slots that are not empty
}

// A slot is empty (0), left by a key that was removed (gone), or holds a key.
const gone = 1

func key(h uint64) uint64 { return max(h, gone+1) }

// find returns the slot of h, or the empty slot where it would go, or -1 if there are no slots at
// all.
func (t *table) find(h uint64) (slot int, found bool) {
	if len(t.keys) == 0 {
		return -1, false
	}
	high, _ := bits.Mul64(h, uint64(len(t.keys))) // a hash spreads evenly over the slots
	for i := int(high); ; i++ {
		if i == len(t.keys) {
			i = 0
		}
		switch t.keys[i] {
		case h:
			return i, true
		case 0:
			return i, false
		}
	}
}

func (t *table) has(h uint64) bool {
	_, found := t.find(key(h))
	return found
}

// add puts h in and reports whether it was new.
func (t *table) add(h uint64) bool {
	h = key(h)
	i, found := t.find(h)
	if found {
		return false
	}
	if t.n*5 >= len(t.keys)*4 {
		t.grow()
		i, _ = t.find(h)
	}
	t.keys[i] = h
	t.n++
	return true
}

// grow makes half as many slots again.
func (t *table) grow() {
	keys := t.keys
	t.keys = make([]uint64, max(64, len(keys)+len(keys)/2))
	t.n = 0
	for _, h := range keys {
		if h > gone {
			i, _ := t.find(h)
			t.keys[i] = h
			t.n++
		}
	}
}

// remove takes h out and reports whether it was there.
func (t *table) remove(h uint64) bool {
	i, found := t.find(key(h))
	if found {
		t.keys[i] = gone
	}
	return found
}
