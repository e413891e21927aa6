package graph

// builder lays out the template of a lift. No two arcs of an account may lead to the same account of the same copy, and no one-way arc may have a reverse.
// Arcs between the copies of one account are left out: an arc over half the copies would be its own reverse.
type builder struct {
	*lift
	*random
	taken map[uint64]struct{}
	pairs []arc
}

const patience = 20_000 // tries to place one arc, of which most need one

// build reports whether there was room for all arcs.
func (b *builder) build(edges int64) bool {
	stubs := b.mutualStubs(edges)
	shuffleSlice(stubs, b.random)
	for ; len(stubs) > 0; stubs = stubs[2:] {
		if !b.join(stubs) && !b.rewire(stubs[0], stubs[1]) {
			return false
		}
	}
	arcs := make([]arc, 0, edges)
	for _, p := range b.pairs {
		arcs = append(arcs, p, b.reverse(p))
	}
	b.pairs = nil
	arcs, ok := b.oneWay(arcs)
	if !ok {
		return false
	}
	shuffleSlice(arcs, b.random)
	b.arcs = b.sorted(arcs)
	return true
}

// mutualStubs lists each account once for each of its mutual friends. Cumulative rounding makes the sum exact and never exceeds what an account has.
func (b *builder) mutualStubs(edges int64) []uint32 {
	stubs := make([]uint32, 0, 2*b.mutualPairs)
	var before int64
	for u, n := range b.friends {
		before += int64(n)
		until := int(scale(uint64(before), uint64(2*b.mutualPairs), uint64(edges)))
		for len(stubs) < until {
			stubs = append(stubs, uint32(u))
		}
	}
	return stubs
}

// join makes a mutual pair of the first two stubs, after exchanging them for later ones where they don't fit.
func (b *builder) join(stubs []uint32) bool {
	for try := range 64 {
		p := arc{from: stubs[0], to: stubs[1], shift: b.shift()}
		if b.free(p) {
			b.pairs = append(b.pairs, p)
			b.take(p)
			b.take(b.reverse(p))
			return true
		}
		i := try & 1
		j := i + int(b.below(uint64(len(stubs)-i)))
		stubs[i], stubs[j] = stubs[j], stubs[i]
	}
	return false
}

// rewire breaks up an earlier pair a-c and makes u-a and v-c.
func (b *builder) rewire(u, v uint32) bool {
	if len(b.pairs) == 0 {
		return false
	}
	for range patience {
		k := b.below(uint64(len(b.pairs)))
		old := b.pairs[k]
		first := arc{from: u, to: old.from, shift: b.shift()}
		second := arc{from: v, to: old.to, shift: b.shift()}
		if !b.free(first) || !b.free(second) || first == b.reverse(second) || first == second {
			continue
		}
		delete(b.taken, b.key(old))
		delete(b.taken, b.key(b.reverse(old)))
		b.pairs[k] = first
		b.pairs = append(b.pairs, second)
		for _, p := range []arc{first, second} {
			b.take(p)
			b.take(b.reverse(p))
		}
		return true
	}
	return false
}

// oneWay adds the arcs without a reverse: to accounts in proportion to the friends that these have, and where that doesn't fit to any.
func (b *builder) oneWay(arcs []arc) ([]arc, bool) {
	left := append([]int32(nil), b.friends...)
	for _, a := range arcs {
		left[a.from]--
	}
	popular := make([]uint32, 0, cap(arcs))
	for u, n := range b.friends {
		for range n {
			popular = append(popular, uint32(u))
		}
	}
	for u, n := range left {
		for try := 0; n > 0; try++ {
			if try == patience {
				return nil, false
			}
			to := popular[b.below(uint64(len(popular)))]
			if try%64 > 31 {
				to = uint32(b.below(uint64(b.accounts)))
			}
			a := arc{from: uint32(u), to: to, shift: b.shift()}
			if !b.free(a) {
				continue
			}
			if _, mutual := b.taken[b.key(b.reverse(a))]; mutual {
				continue
			}
			b.take(a)
			arcs = append(arcs, a)
			n, try = n-1, 0
		}
	}
	return arcs, true
}

// sorted orders arcs by account, and those of one account as they come.
func (b *builder) sorted(arcs []arc) []arc {
	next := make([]int, b.accounts)
	sum := 0
	for u, n := range b.friends {
		next[u] = sum
		sum += int(n)
	}
	list := make([]arc, len(arcs))
	for _, a := range arcs {
		list[next[a.from]] = a
		next[a.from]++
	}
	return list
}

func (b *builder) shift() uint32 { return uint32(b.below(uint64(b.copies))) }

func (b *builder) reverse(a arc) arc {
	shift := uint32(0)
	if a.shift > 0 {
		shift = uint32(b.copies) - a.shift
	}
	return arc{from: a.to, to: a.from, shift: shift}
}

func (b *builder) free(a arc) bool {
	_, taken := b.taken[b.key(a)]
	return !taken && a.from != a.to
}

func (b *builder) take(a arc) { b.taken[b.key(a)] = struct{}{} }

func (b *builder) key(a arc) uint64 {
	return (uint64(a.from)*uint64(b.accounts)+uint64(a.to))*uint64(b.copies) + uint64(a.shift)
}
