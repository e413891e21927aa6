package checkpoint

import "math/bits"

// bitmap is a set of small numbers, one bit each. It grows where it has to.
type bitmap []uint64

func newBitmap(size int64) bitmap { return make(bitmap, (size+63)/64) }

func (m bitmap) has(i int64) bool {
	return i >= 0 && i/64 < int64(len(m)) && m[i/64]&(1<<(i%64)) != 0
}

func (m *bitmap) add(i int64) {
	for int64(len(*m)) <= i/64 {
		*m = append(*m, 0)
	}
	(*m)[i/64] |= 1 << (i % 64)
}

func (m bitmap) remove(i int64) {
	if m.has(i) {
		m[i/64] &^= 1 << (i % 64)
	}
}

// hasAll reports whether all of first, first+1, ... are in the set, n numbers.
func (m bitmap) hasAll(first, n int64) bool {
	if n <= 0 {
		return true
	}
	last := first + n - 1
	if first < 0 || last/64 >= int64(len(m)) {
		return false
	}
	for w := first / 64; w <= last/64; w++ {
		want := ^uint64(0)
		if w == first/64 {
			want &= ^uint64(0) << (first % 64)
		}
		if w == last/64 {
			want &= ^uint64(0) >> (63 - last%64)
		}
		if m[w]&want != want {
			return false
		}
	}
	return true
}

func (m *bitmap) addAll(other bitmap) {
	for w, word := range other {
		for ; word != 0; word &= word - 1 {
			m.add(int64(w*64 + bits.TrailingZeros64(word)))
		}
	}
}
