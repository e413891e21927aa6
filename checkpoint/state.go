package checkpoint

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/bits"
	"slices"
	"time"

	"friendmigrate/migrate"
)

const (
	// maxChunks limits the memory that an identity can ask for: a bit for each chunk.
	maxChunks = 1 << 34

	// spanChunks is the number of chunks in a span: consecutive ones, of any rosters. One
	// kindMaybeSent record is about one span.
	spanChunks = 1024
)

// state is the result of applying all frames of a journal. Replaying a file and appending to it
// change the state by the same two calls, check and apply.
//
// It takes a bit for each chunk of the plan, and some 100 bytes for each chunk that is settled in
// part. A chunk with all edges open takes nothing, also if it was settled and reopened. Failures
// are not in it. They are read from the file when they are needed.
type state struct {
	id      Identity
	reopens reopens

	done        bitmap         // chunks with every edge settled
	allReopened bitmap         // chunks with every edge reopened and none settled since
	parts       map[int64]part // other chunks with some edges settled or reopened

	counts       Counts
	added        Counts
	failedByCode map[int]int64
	chunks       int64 // in done
	reopened     int64 // edges that were reopened and not settled since

	runs            []Run
	maybeSentNow    bitmap // spans of chunks that the latest run may have sent
	maybeSentBefore bitmap // spans that earlier runs may have sent without seeing every answer
	time            int64  // of the last frame, Unix milliseconds
}

func newState(id Identity, known reopens) *state {
	return &state{id: id, reopens: known, done: newBitmap(id.Chunks), parts: map[int64]part{},
		failedByCode: map[int]int64{}}
}

// part is a chunk of n edges that is neither wholly done nor wholly open. bits has the settled
// edges, then the open edges that were reopened, if there are any.
type part struct {
	n    int
	bits []uint64
}

func newPart(n int, settled, reopened migrate.EdgeSet) part {
	words := (n + 63) / 64
	if reopened == (migrate.EdgeSet{}) {
		return part{n, slices.Clone(settled[:words])}
	}
	return part{n, slices.Concat(settled[:words], reopened[:words])}
}

func (p part) sets() (settled, reopened migrate.EdgeSet) {
	words := min((p.n+63)/64, len(p.bits))
	copy(settled[:], p.bits[:words])
	copy(reopened[:], p.bits[words:])
	return settled, reopened
}

// chunk returns the settled edges and the open edges that were reopened of a chunk that is not
// done. It also returns the chunk's size if it is known, else n.
func (s *state) chunk(ordinal int64, n int) (settled, reopened migrate.EdgeSet, size int) {
	if p, ok := s.parts[ordinal]; ok {
		settled, reopened = p.sets()
		return settled, reopened, p.n
	}
	if s.allReopened.has(ordinal) {
		reopened = migrate.FullSet(n)
	}
	return settled, reopened, n
}

func (s *state) unsettled(ordinal int64, n int) (open migrate.EdgeSet, maybeSent bool) {
	if s.done.has(ordinal) {
		return open, false
	}
	settled, _, _ := s.chunk(ordinal, n)
	return migrate.FullSet(n).Without(settled), s.maybeSentBefore.has(ordinal / spanChunks)
}

// maybeSent returns how many chunks with open edges unsettled reports as maybeSent.
func (s *state) maybeSent() (chunks int64) {
	for w, word := range s.maybeSentBefore {
		for ; word != 0; word &= word - 1 {
			first := int64(w*64+bits.TrailingZeros64(word)) * spanChunks
			for ordinal := first; ordinal < min(first+spanChunks, s.id.Chunks); ordinal++ {
				if !s.done.has(ordinal) {
					chunks++
				}
			}
		}
	}
	return chunks
}

// check returns an error if the record cannot be in the frame with this sequence number.
func (s *state) check(seq uint32, r *record) error {
	switch r.kind {
	case kindSettled:
		return s.checkSettled(&r.settlement)
	case kindMaybeSent:
		if r.span > s.id.Chunks/spanChunks {
			return fmt.Errorf("chunks of span %d may have been sent: the job has no such chunks", r.span)
		}
	case kindIdentity:
		return errors.New("a journal has one identity only")
	case kindReopen:
		if !s.reopens.has(seq, r.codes) { // a replay is given them all at its start
			return errors.New("a reopening is not known")
		}
	case kindBegin:
		return json.Unmarshal(r.json, new(RunStart))
	case kindEnd:
		if !s.running() {
			return errors.New("no run has begun")
		}
		return json.Unmarshal(r.json, new(RunEnd))
	}
	return nil
}

func (s *state) checkSettled(x *settlement) error {
	if x.ordinal < 0 || x.ordinal >= s.id.Chunks {
		return fmt.Errorf("settle chunk %d: the job has %d chunks", x.ordinal, s.id.Chunks)
	}
	if s.done.has(x.ordinal) {
		return fmt.Errorf("settle chunk %d: all of it is settled already", x.ordinal)
	}
	if len(s.parts) > 0 {
		if settled, _, size := s.chunk(x.ordinal, x.n); size != x.n {
			return fmt.Errorf("settle chunk %d: it has %d edges, and had %d before", x.ordinal, x.n, size)
		} else if again := settled.And(x.named()); again != (migrate.EdgeSet{}) {
			return fmt.Errorf("settle chunk %d: edge %d is settled already", x.ordinal, again.Indexes()[0])
		}
	}
	if s.counts.Settled()+int64(x.count()) > s.id.Edges {
		return fmt.Errorf("settle chunk %d: more edges are settled than the job's %d", x.ordinal, s.id.Edges)
	}
	return nil
}

// apply applies a record that passed check and is durable.
func (s *state) apply(seq uint32, r *record) {
	switch r.kind {
	case kindSettled:
		s.settle(seq, &r.settlement)
	case kindMaybeSent:
		s.maybeSentNow.add(r.span)
	case kindBegin:
		var start RunStart
		_ = json.Unmarshal(r.json, &start) // check has parsed it
		s.leaveRun()
		s.maybeSentNow = nil
		s.runs = append(s.runs, Run{Start: start})
	case kindEnd:
		end := new(RunEnd)
		_ = json.Unmarshal(r.json, end)
		s.runs[len(s.runs)-1].End = end
		s.leaveRun()
	}
}

// leaveRun records which spans the latest run may have sent without seeing every answer. It is
// called when the run ends, and when Open finds that it was killed.
func (s *state) leaveRun() {
	if last := len(s.runs) - 1; last >= 0 && (s.runs[last].End == nil || !s.runs[last].End.AllAnswered) {
		s.maybeSentBefore.addAll(s.maybeSentNow)
	}
}

func (s *state) running() bool { return len(s.runs) > 0 && s.runs[len(s.runs)-1].End == nil }

// settle applies outcomes. It does not count a failure that a later reopening takes back. A replay
// reads the file twice, so in the second pass it knows all reopenings and need not keep failures in
// memory.
func (s *state) settle(seq uint32, x *settlement) {
	takenBack := s.count(seq, x)
	if _, ok := s.parts[x.ordinal]; x.whole && !ok && !s.allReopened.has(x.ordinal) {
		s.finish(x.ordinal)
		return
	}
	settled, reopened, _ := s.chunk(x.ordinal, x.n)
	now := x.named().Without(takenBack)
	s.reopened += int64(takenBack.Without(reopened).Len() - reopened.And(now).Len())
	s.put(x.ordinal, x.n, settled.Or(now), reopened.Without(now).Or(takenBack))
}

// put stores the settled and the reopened edges of a chunk in the form that takes least memory.
func (s *state) put(ordinal int64, n int, settled, reopened migrate.EdgeSet) {
	switch full := migrate.FullSet(n); {
	case settled == full:
		s.finish(ordinal)
	case reopened == full:
		delete(s.parts, ordinal)
		s.allReopened.add(ordinal)
	default:
		s.allReopened.remove(ordinal)
		s.parts[ordinal] = newPart(n, settled, reopened)
	}
}

func (s *state) finish(ordinal int64) {
	delete(s.parts, ordinal)
	s.allReopened.remove(ordinal)
	s.done.add(ordinal)
	s.chunks++
}

// count adds the outcomes to the totals and returns the edges whose failure a later reopening takes
// back.
func (s *state) count(seq uint32, x *settlement) (takenBack migrate.EdgeSet) {
	if x.whole {
		s.counts.Imported += int64(x.n)
		return takenBack
	}
	s.counts.Imported += int64(x.imported.Len())
	s.counts.Already += int64(x.already.Len())
	s.counts.AlreadyUncertain += int64(x.uncertain.Len())
	s.added.Imported += x.added.Imported
	s.added.Already += x.added.Already
	s.added.AlreadyUncertain += x.added.AlreadyUncertain
	for i := range x.failed {
		f := &x.failed[i]
		if s.reopens.after(seq, f.code) {
			takenBack.Add(f.index)
			continue
		}
		s.counts.Failed++
		s.failedByCode[f.code]++
		if f.added {
			s.added.Failed++
		}
	}
	return takenBack
}

func (s *state) totals() Totals {
	return Totals{
		Counts: s.counts, Added: s.added, FailedByCode: maps.Clone(s.failedByCode),
		Pending: s.id.Edges - s.counts.Settled(), Reopened: s.reopened, Chunks: s.chunks,
	}
}

// failedWith returns the number of edges that are failed now with one of these codes, or of all
// failed edges if there are no codes.
func (s *state) failedWith(codes []int) int64 {
	if len(codes) == 0 {
		return s.counts.Failed
	}
	count := int64(0)
	for _, code := range codes {
		count += s.failedByCode[code]
	}
	return count
}

// Counts counts settled edges by outcome.
type Counts struct {
	Imported         int64 `json:"imported"`
	Already          int64 `json:"already"`
	AlreadyUncertain int64 `json:"alreadyUncertain"` // of Already: perhaps imported by this job
	Failed           int64 `json:"failed"`
}

// Settled returns the number of edges that have an outcome.
func (c Counts) Settled() int64 { return c.Imported + c.Already + c.Failed }

// Totals is the state of the whole job. An edge that was reopened and not settled since is pending.
// It is in none of the counts but Pending and Reopened.
type Totals struct {
	Counts                     // all settled edges
	Added        Counts        // those of them that no row asked for (--mutual)
	FailedByCode map[int]int64 // by ResultCode, sums up to Failed
	Pending      int64         // Identity.Edges less Settled
	Reopened     int64         // of Pending: moved back from failed, not settled since
	Chunks       int64         // chunks with every edge settled
}

// Rows returns the counts without those of Added.
func (t Totals) Rows() Counts {
	return Counts{t.Imported - t.Added.Imported, t.Already - t.Added.Already,
		t.AlreadyUncertain - t.Added.AlreadyUncertain, t.Failed - t.Added.Failed}
}

// RunStart is the record of the beginning of a run.
type RunStart struct {
	At      time.Time `json:"at"`
	Workers int       `json:"workers"`
	Version string    `json:"version"` // of the program

	OnlyMissing bool `json:"onlyMissing,omitempty"` // friend_check first, then only missing edges
	Fresh       bool `json:"fresh,omitempty"`       // the job began by starting over

	Dir string `json:"dir,omitempty"` // the working folder: names of inputs are relative to it
}

// RunEnd is the record of the end of a run that was not killed.
type RunEnd struct {
	At    time.Time `json:"at"`
	Code  int       `json:"code"` // exit code
	Calls int64     `json:"calls"`

	// AllAnswered is true if the run left no edge pending that was in a call without an answer. If
	// it is false, Unsettled reports that every chunk of the run's spans may have been sent.
	AllAnswered bool             `json:"allAnswered"`
	Facts       map[string]int64 `json:"facts,omitempty"` // by name: what else the report adds up over runs
}

// Run is one run of the job. End is nil while the run lasts, and stays nil if it was killed.
type Run struct {
	Start RunStart
	End   *RunEnd
}

// bitmap is a set of small numbers, one bit each. It grows as needed.
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

func (m *bitmap) addAll(other bitmap) {
	for w, word := range other {
		for ; word != 0; word &= word - 1 {
			m.add(int64(w*64 + bits.TrailingZeros64(word)))
		}
	}
}
