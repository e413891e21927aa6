package simulator

import "math/bits"

// table is a set of 64-bit keys that are hashes already: an open-addressed hash table of 8 bytes a
// slot, 53 to 80 % full. A Go map takes two and a half times as much: 30 bytes a key in place of 11.
type table struct {
	keys []uint64
	n    int
}

// key keeps 0 for empty slots.
func key(h uint64) uint64 { return max(h, 1) }

// home is the slot where the search for h begins.
func (t *table) home(h uint64) int {
	high, _ := bits.Mul64(h, uint64(len(t.keys)))
	return int(high)
}

// find returns the slot of h, or the empty slot where it would go, or -1 if there are no slots at
// all.
func (t *table) find(h uint64) (slot int, found bool) {
	if len(t.keys) == 0 {
		return -1, false
	}
	for i := t.home(h); ; i = t.after(i) {
		switch t.keys[i] {
		case h:
			return i, true
		case 0:
			return i, false
		}
	}
}

func (t *table) after(i int) int {
	if i++; i == len(t.keys) {
		return 0
	}
	return i
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
	for _, h := range keys {
		if h != 0 {
			i, _ := t.find(h)
			t.keys[i] = h
		}
	}
}

// remove takes h out and reports whether it was there. The keys behind it that were pushed past its
// slot move up.
func (t *table) remove(h uint64) bool {
	hole, found := t.find(key(h))
	if !found {
		return false
	}
	t.n--
	for i := t.after(hole); t.keys[i] != 0; i = t.after(i) {
		if home := t.home(t.keys[i]); t.between(home, hole, i) {
			continue
		}
		t.keys[hole] = t.keys[i]
		hole = i
	}
	t.keys[hole] = 0
	return true
}

// between reports whether home lies in the circular span (hole, i], so that the key at i must not
// move to hole.
func (t *table) between(home, hole, i int) bool {
	if hole <= i {
		return hole < home && home <= i
	}
	return hole < home || home <= i
}
