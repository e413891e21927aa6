package stage

import "math/bits"

// limits is how the memory of a stage is dealt out: one half to the lanes, the other to sealing.
// When sealing begins, the lanes still hold their half and give it up partition by partition.
type limits struct {
	parts   int   // partitions of the first level, a power of two
	page    int   // bytes of a full page
	lane    int64 // bytes of pages in one lane
	batch   int   // bytes of blocks that are gathered for one write
	sealers int   // goroutines that seal
	seal    int64 // bytes for one of them: a loaded partition, or the pages of one that is split
	unit    int64 // partitions are sealed together up to this cost: more does not fit into a processor's cache
	pack    int   // bytes of a block of small rosters, before compression
	large   int   // bytes of a block of one large roster
	segment int   // blocks of a segment, about
}

const (
	sealOverhead = 1 << 20 // of a goroutine: windows, and blocks on their way to a file
	leastSeal    = 6 << 20
	maxRawLoad   = 1 << 30 // offsets within a loaded partition are 32 bits
)

// newLimits deals out memory for that many lanes.
func newLimits(memory int64, lanes int) limits {
	half := memory/2 - 8*maxSlots // the sample of pairs
	l := limits{pack: 64 << 10, large: 32 << 10, segment: 1024, unit: 4 << 20}
	share := max(half/int64(lanes), 128<<10)
	l.batch = int(min(max(share/8, 16<<10), 256<<10))
	l.lane = share - int64(2*l.batch)
	l.parts = 1 << (bits.Len64(uint64(min(max(l.lane/(16<<10), 8), 256))) - 1)
	l.page = int(min(max(l.lane/int64(4*l.parts), 4<<10), 64<<10))
	l.sealers = int(min(int64(lanes), max(half/leastSeal, 1)))
	l.seal = min(half/int64(l.sealers)-sealOverhead, maxRawLoad)
	return l
}

// fan is the number of parts into which a partition of that cost is split, a power of two.
func (l *limits) fan(cost int64) int {
	most := min(max(l.seal/2/(16<<10), 2), 64)
	want := min(max(2*cost/l.seal, 2), most)
	return 1 << (bits.Len64(uint64(want)) - 1)
}

// widthOf is the number of bits that tell n parts apart, n being a power of two.
func widthOf(n int) int { return bits.Len(uint(n - 1)) }

// reverse is the part at place i of n in the plan, and the other way round.
func reverse(i, n int) int { return int(bits.Reverse64(uint64(i)) >> (64 - widthOf(n))) }
