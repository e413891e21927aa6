package stage

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/bits"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cespare/xxhash/v2"

	"friendmigrate/migrate/disk"
)

// Duplicates says which of several rows of one pair is kept.
type Duplicates uint8

// The policies for duplicates.
const (
	Last   Duplicates = iota // the last by Position
	First                    // the first by Position
	Refuse                   // WriteRosters fails with a *DuplicatesError
)

// Options say how a stage is made.
type Options struct {
	Dir string  // the folder staged/; created
	FS  disk.FS // nil: disk.OS{}
	// limit in bytes while the stage is written, plus one chunk for each lane; see MinMemory
	Memory        int64
	Lanes         int // goroutines that call Add; WriteRosters uses as many if Memory allows
	Shard, Shards int // only rosters of this shard are staged; Shards 0 or 1: all
	Duplicates    Duplicates
	Mutual        bool // stage also the reverse of every row, as Added
	MaxFriends    int  // rosters with more distinct friends are counted; 0: none

	Measure *Measure // nil: make a stage; else only count the edges
}

// Options.Memory must be at least MinMemory, and at least MinLaneMemory for each lane. More memory
// avoids splitting partitions twice: 128 MiB are enough for about 10^8 edges.
const (
	MinMemory     = 16 << 20
	MinLaneMemory = 1 << 20
)

// MaxEdgeBytes is the most bytes that the texts of one edge may have together. It is far more than
// the API allows (about 12 kB with 20 custom fields), and small enough to hold a chunk in memory.
const MaxEdgeBytes = 64 << 10

// ErrEdgeTooLarge is the error of Add for an edge over MaxEdgeBytes.
var ErrEdgeTooLarge = errors.New("edge is too large")

// The files in a stage's folder.
const (
	rawPrefix    = "raw-"     // partitions; gone once WriteRosters has returned
	sealedPrefix = "rosters-" // sealed rosters
	manifestName = "manifest.json"
	damagedName  = "manifest.json.damaged"
)

// Writer makes a stage: Add from the lanes, then WriteRosters, then Seal. Abort is for any time
// before the stage is sealed, and for after an error.
type Writer struct {
	options Options
	limits  limits
	fsys    disk.FS
	files   []*rawFile // by partition
	lanes   []*Lane
	sources *addSources
	pairs   *mutualSample
	weaken  func(uint64) uint64 // nil except in tests that make hashes collide

	state writerState
	body  body // filled by WriteRosters, written by Seal
}

type writerState uint8

const (
	adding writerState = iota
	written
	sealed
	failed
)

// Create begins a stage in o.Dir. It removes the files of an unsealed or damaged stage. If there is
// a sealed stage, Create does not touch it and the error is fs.ErrExist; call Remove first to
// replace it.
func Create(o Options) (*Writer, error) {
	if least := max(MinMemory, int64(o.Lanes)*MinLaneMemory); o.Memory < least {
		return nil, fmt.Errorf("create stage: memory of %d bytes, and %d lanes need %d", o.Memory, o.Lanes, least)
	}
	return create(o, newLimits(o.Memory, max(o.Lanes, 1)))
}

func create(o Options, l limits) (*Writer, error) {
	if o.Lanes < 1 || o.Shards > 1 && (o.Shard < 0 || o.Shard >= o.Shards) {
		return nil, fmt.Errorf("create stage: %d lanes, shard %d of %d", o.Lanes, o.Shard, o.Shards)
	}
	w := &Writer{options: o, limits: l, fsys: o.FS, sources: newSources(), pairs: newMutualSample()}
	if w.fsys == nil {
		w.fsys = disk.OS{}
	}
	if err := w.prepare(); err != nil {
		return nil, fmt.Errorf("create stage: %w", err)
	}
	for i := range l.parts {
		w.files = append(w.files, &rawFile{fsys: w.fsys,
			name: filepath.Join(o.Dir, fmt.Sprintf("%s%03d", rawPrefix, i))})
	}
	for range o.Lanes {
		w.lanes = append(w.lanes, newLane(w))
	}
	return w, nil
}

// prepare makes the folder and removes the files of a stage that is not sealed.
func (w *Writer) prepare() error {
	if err := w.fsys.MkdirAll(w.options.Dir, disk.FolderMode); err != nil {
		return err
	}
	switch s, err := Open(w.options.Dir, w.fsys); {
	case err == nil:
		return errors.Join(fmt.Errorf("%q holds a sealed stage: %w", w.options.Dir, fs.ErrExist), s.Close())
	case !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, ErrDamaged):
		return err
	}
	return Remove(w.options.Dir, w.fsys)
}

// Remove removes the files of a stage, sealed or not, and nothing else from its folder. A missing
// folder is no error. No Stage or Writer may be using the folder. The manifest is the first to go,
// so that the files left by a crash are no sealed stage.
func Remove(dir string, fsys disk.FS) error {
	if fsys == nil {
		fsys = disk.OS{}
	}
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("remove stage: %w", err)
	}
	var names []string
	for _, e := range entries {
		switch name := e.Name(); {
		case name == manifestName:
			names = slices.Insert(names, 0, name)
		case name == manifestName+".tmp", name == damagedName, strings.HasPrefix(name, rawPrefix),
			strings.HasPrefix(name, sealedPrefix):
			names = append(names, name)
		}
	}
	for _, name := range names {
		if err := fsys.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove stage: %w", err)
		}
	}
	return nil
}

// Lane returns lane i, 0 <= i < Options.Lanes. Only one goroutine at a time may use a lane.
func (w *Writer) Lane(i int) *Lane { return w.lanes[i] }

// Owns reports whether the roster of a From_Account belongs to this shard. A row without a usable
// From_Account ("") belongs to shard 0.
func (w *Writer) Owns(from string) bool { return w.owns(from, Hash(from)) }

func (w *Writer) owns(from string, hash uint64) bool {
	if w.options.Shards <= 1 {
		return true
	}
	return shardOf(from, hash, w.options.Shards) == w.options.Shard
}

// ShardOf returns the shard, from 0 to shards-1, to which the roster of a From_Account belongs.
func ShardOf(from string, shards int) int {
	return shardOf(from, Hash(from), max(shards, 1))
}

// Hash returns the hash of an account id, xxhash64. It decides the shard of a roster and its place
// in the plan.
func Hash(id string) uint64 { return xxhash.Sum64String(id) }

// hashOf is Hash for the bytes of an id.
func hashOf(id []byte) uint64 { return xxhash.Sum64(id) }

func shardOf(from string, hash uint64, shards int) int {
	if from == "" {
		return 0
	}
	shard, _ := bits.Mul64(hash>>32<<32, uint64(shards)) // (hash>>32) * shards >> 32
	return int(shard)
}

// placeHash returns the hash by which partitions are made and rosters are ordered: hash itself,
// unless a test weakens it.
func (w *Writer) placeHash(hash uint64) uint64 {
	if w.weaken != nil {
		return w.weaken(hash)
	}
	return hash
}

func (w *Writer) partOf(hash uint64) int { return int(w.placeHash(hash) & uint64(w.limits.parts-1)) }

// Seal writes the manifest, whole and as the last step. When it returns, the stage is sealed and
// durable; until then there is none. A crash before leaves files that the next Create removes. meta
// is returned by Stage.Meta after Open; it must be valid JSON or nil.
func (w *Writer) Seal(meta json.RawMessage) error {
	if w.state != written {
		return errors.New("seal stage: its rosters are not written")
	}
	w.body.Meta = meta
	if err := writeManifest(w.fsys, w.options.Dir, &w.body); err != nil {
		w.state = failed
		return fmt.Errorf("seal stage: %w", err)
	}
	w.state = sealed
	return nil
}

// Abort removes what was written. It does nothing once the stage is sealed.
func (w *Writer) Abort() error {
	if w.state == sealed {
		return nil
	}
	w.state = failed
	w.lanes, w.files = nil, nil
	return Remove(w.options.Dir, w.fsys)
}

// limits divide the memory of a stage: one half is for the lanes, the other for writing rosters.
// When that begins the lanes still hold their half; it is freed partition by partition.
type limits struct {
	parts           int   // partitions of the first level, a power of two
	page            int   // bytes of a full page
	lane            int64 // bytes of pages in one lane
	batch           int   // bytes of blocks that are gathered for one write
	builders        int   // goroutines that build rosters
	builder         int64 // bytes for one of them: for a loaded partition, or the pages of one that is split
	unit            int64 // most cost of a unit of partitions: more does not fit into a processor's cache
	bundleBytes     int   // bytes of a block of small rosters, before compression
	largeBlockBytes int   // bytes of a block of one large roster
	segment         int   // blocks of a segment, about
}

const (
	buildOverhead = 2 << 20 // of a builder: windows, and blocks on their way to a file
	leastBuilder  = 6 << 20
	maxRawLoad    = 1 << 30 // offsets within a loaded partition are 32 bits
)

// newLimits divides memory bytes for a number of lanes.
func newLimits(memory int64, lanes int) limits {
	half := memory/2 - pairsMemory
	l := limits{bundleBytes: 64 << 10, largeBlockBytes: 32 << 10, segment: 1024, unit: 4 << 20}
	share := max(half/int64(lanes), 128<<10)
	l.batch = int(min(max(share/8, 16<<10), 256<<10))
	l.lane = share - int64(2*l.batch)
	l.parts = 1 << (bits.Len64(uint64(min(max(l.lane/(16<<10), 8), 256))) - 1)
	l.page = pageSize(l.lane, l.parts)
	l.builders = int(min(int64(lanes), max(half/leastBuilder, 1)))
	l.builder = min(half/int64(l.builders)-buildOverhead, maxRawLoad)
	return l
}

// pageSize returns the bytes of a full page where a number of parts share a budget.
func pageSize(budget int64, parts int) int {
	return int(min(max(budget/int64(4*parts), 4<<10), 64<<10))
}

// fan returns the number of parts into which a partition of a cost is split, a power of two.
func (l *limits) fan(cost int64) int {
	most := min(max(l.builder/2/(16<<10), 2), 64)
	want := min(max(2*cost/l.builder, 2), most)
	return 1 << (bits.Len64(uint64(want)) - 1)
}

// widthOf returns the number of bits that distinguish n parts. n is a power of two.
func widthOf(n int) int { return bits.Len(uint(n - 1)) }

// partAt returns the part at place i of the plan: i with its bits reversed. It is its own inverse.
// n is the number of parts, a power of two.
func partAt(i, n int) int { return int(bits.Reverse64(uint64(i)) >> (64 - widthOf(n))) }
