package simulator

import "math/bits"

// hashes is a shard of a compact graph: the set of its pairs' hashes, and of each account how many
// friends and calls it has. Groups are kept for accounts that use them, without forgetting any: a
// friend that is overwritten leaves its old groups behind.
type hashes struct {
	pairs    table
	accounts table // value: friends in the low 20 bits, calls (modulo 4096) in the high 12
	groups   map[uint64]map[uint64]struct{}
}

const friendBits = 20

func (h *hashes) friends(account uint64) int {
	v, _ := h.accounts.get(account)
	return int(v & (1<<friendBits - 1))
}

func (h *hashes) nextCall(account uint64) int {
	h.accounts.values = true
	v := h.accounts.slot(account)
	*v += 1 << friendBits
	return int(*v >> friendBits)
}

func (h *hashes) groupsWith(account uint64, names []string) int {
	have := h.groups[account]
	n := len(have)
	for i, g := range names {
		key := pairHash(account, g)
		if _, ok := have[key]; ok {
			continue
		}
		fresh := true
		for _, other := range names[:i] {
			fresh = fresh && other != g
		}
		if fresh {
			n++
		}
	}
	return n
}

// putHash is put for a compact graph.
func (l *list) putHash(f *Friend) (added bool) {
	key := pairHash(l.hash, f.To)
	if added = l.hashes.pairs.add(key); added {
		l.digest.add(key)
		l.hashes.accounts.values = true
		v := l.hashes.accounts.slot(l.hash)
		if *v&(1<<friendBits-1) == 0 {
			l.filled++
		}
		*v++
	}
	for _, g := range f.Groups {
		have := l.hashes.groups[l.hash]
		if have == nil {
			have = map[uint64]struct{}{}
			if l.hashes.groups == nil {
				l.hashes.groups = map[uint64]map[uint64]struct{}{}
			}
			l.hashes.groups[l.hash] = have
		}
		have[pairHash(l.hash, g)] = struct{}{}
	}
	return added
}

// removeHash is remove for a compact graph.
func (l *list) removeHash(to string) bool {
	key := pairHash(l.hash, to)
	if !l.hashes.pairs.remove(key) {
		return false
	}
	l.digest.remove(key)
	v := l.hashes.accounts.slot(l.hash)
	if *v--; *v&(1<<friendBits-1) == 0 {
		l.filled--
	}
	return true
}

// table is an open-addressed hash table of 64-bit keys that are hashes already, with 32-bit values
// on request: 8 or 12 bytes a slot, 53 to 80 % full. A Go map would take about twice as much and,
// when it grows, as much again.
type table struct {
	values bool // has values; set before the first key
	keys   []uint64
	value  []uint32
	n      int
}

// key keeps 0 for empty slots.
func key(h uint64) uint64 { return h | b2u(h == 0) }

func b2u(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

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

func (t *table) get(h uint64) (uint32, bool) {
	i, found := t.find(key(h))
	if !found {
		return 0, false
	}
	return t.value[i], true
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

// slot returns the place of the value of h, made if need be, good until the next change.
func (t *table) slot(h uint64) *uint32 {
	t.add(h)
	i, _ := t.find(key(h))
	return &t.value[i]
}

// grow makes half as many slots again.
func (t *table) grow() {
	keys, value := t.keys, t.value
	t.keys = make([]uint64, max(64, len(keys)+len(keys)/2))
	if t.values {
		t.value = make([]uint32, len(t.keys))
	}
	for old, h := range keys {
		if h == 0 {
			continue
		}
		i, _ := t.find(h)
		t.keys[i] = h
		if t.values {
			t.value[i] = value[old]
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
		if t.values {
			t.value[hole] = t.value[i]
		}
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
