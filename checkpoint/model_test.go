package checkpoint

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"friendmigrate/migrate"
	"friendmigrate/migrate/disk"
)

const testDir = "state"

var journalName = filepath.Join(testDir, FileName)

// plan is the size of each chunk of a job.
type plan []int

func (p plan) identity() Identity {
	id := Identity{
		SDKAppID: 1400000001, Target: "singapore", Inputs: []string{"sha256:aa", "sha256:bb"}, Options: map[string]string{"--map": "From_Account=uid"},
		Chunks: int64(len(p)), PlanDigest: "cafe", Created: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	}
	for _, n := range p {
		id.Edges += int64(n)
	}
	id.Rows = id.Edges
	return id
}

// randomPlan has many small chunks and a few large ones, like a real job.
func randomPlan(rng *rand.Rand, chunks int) plan {
	p := make(plan, chunks)
	for i := range p {
		p[i] = 1 + rng.IntN(12)
		if rng.IntN(10) == 0 {
			p[i] = 1 + rng.IntN(migrate.MaxChunkEdges)
		}
	}
	return p
}

// edge is a function of its place, with every field in use somewhere.
func (p plan) edge(ordinal int64, i int) migrate.Edge {
	e := migrate.Edge{
		From: fmt.Sprintf("user-%d", ordinal), To: fmt.Sprintf("friend-%d", i), AddSource: "AddSource_Type_Import",
		Position: migrate.Position{Input: i % 2, Line: ordinal*1000 + int64(i)}, Added: i%5 == 4,
	}
	switch i % 4 {
	case 1:
		e.Remark, e.RemarkTime, e.AddTime = "备注 \"x\"\n", 1700000000, -5
	case 2:
		e.Groups, e.AddWording = []string{"family", fmt.Sprint("group ", i)}, "hello"
	case 3:
		e.Custom = []migrate.CustomItem{{Tag: "Tag_SNS_Custom_Age", Value: "42", Integer: true}, {Tag: "Tag_SNS_Custom_Word", Value: "word"}}
	}
	return e
}

func (p plan) chunk(ordinal int64) migrate.Chunk {
	c := migrate.Chunk{Ordinal: ordinal, From: fmt.Sprintf("user-%d", ordinal)}
	for i := range p[ordinal] {
		c.Edges = append(c.Edges, p.edge(ordinal, i))
	}
	return c
}

type place struct {
	ordinal int64
	index   int
}

// model is what a journal should hold, kept in the plainest way.
type model struct {
	plan     plan
	settled  map[place]migrate.Settled
	reopened map[place]bool
	history  int // outcomes ever recorded
}

func newModel(p plan) *model {
	return &model{plan: p, settled: map[place]migrate.Settled{}, reopened: map[place]bool{}}
}

func (m *model) clone() *model {
	return &model{m.plan, maps.Clone(m.settled), maps.Clone(m.reopened), m.history}
}

func (m *model) settle(s migrate.Settlement) {
	for _, e := range s.Settled {
		p := place{s.Chunk.Ordinal, e.Index}
		m.settled[p] = e
		delete(m.reopened, p)
		m.history++
	}
}

func (m *model) reopen(codes []int) (moved int64) {
	if len(m.reopened) > 0 {
		return 0
	}
	for p, e := range m.settled {
		if e.Outcome.Kind == migrate.Failed && (len(codes) == 0 || slices.Contains(codes, e.Outcome.Code)) {
			delete(m.settled, p)
			m.reopened[p] = true
			moved++
		}
	}
	return moved
}

func (m *model) totals() Totals {
	t := Totals{FailedByCode: map[int]int64{}, Reopened: int64(len(m.reopened))}
	perChunk := map[int64]int{}
	for p, e := range m.settled {
		perChunk[p.ordinal]++
		counts := []*Counts{&t.Counts}
		if m.plan.edge(p.ordinal, p.index).Added {
			counts = append(counts, &t.Added)
		}
		for _, c := range counts {
			switch e.Outcome.Kind {
			case migrate.Imported:
				c.Imported++
			case migrate.Already:
				c.Already++
				if e.Outcome.Uncertain {
					c.AlreadyUncertain++
				}
			case migrate.Failed:
				c.Failed++
			}
		}
		if e.Outcome.Kind == migrate.Failed {
			t.FailedByCode[e.Outcome.Code]++
		}
	}
	for ordinal, n := range perChunk {
		if n == m.plan[ordinal] {
			t.Chunks++
		}
	}
	t.Pending = m.plan.identity().Edges - int64(len(m.settled))
	return t
}

func (m *model) failures() (list []Failure) {
	for p, e := range m.settled {
		if e.Outcome.Kind == migrate.Failed {
			list = append(list, Failure{
				Ordinal: p.ordinal, Index: p.index, Edge: m.plan.edge(p.ordinal, p.index), Code: e.Outcome.Code, Info: e.Outcome.Info,
				Uncertain: e.Outcome.Uncertain, Attempts: e.Attempts,
			})
		}
	}
	sortFailures(list)
	return list
}

func sortFailures(list []Failure) {
	slices.SortFunc(list, func(a, b Failure) int {
		return cmp.Or(cmp.Compare(a.Ordinal, b.Ordinal), cmp.Compare(a.Index, b.Index))
	})
}

// differs says where the journal is not what the model says, or "".
func (m *model) differs(j *Journal) string {
	for ordinal, n := range m.plan {
		var want migrate.EdgeSet
		for i := range n {
			if _, ok := m.settled[place{int64(ordinal), i}]; !ok {
				want.Add(i)
			}
		}
		if got, _ := j.Unsettled(int64(ordinal), n); got != want {
			return fmt.Sprintf("chunk %d: open %v, want %v", ordinal, got.Indexes(), want.Indexes())
		}
		if done := j.Done(int64(ordinal), 1); done != (want.Len() == 0) {
			return fmt.Sprintf("chunk %d: done %t with %d open", ordinal, done, want.Len())
		}
	}
	got, want := j.Totals(), m.totals()
	maps.DeleteFunc(got.FailedByCode, func(_ int, n int64) bool { return n == 0 })
	if !reflect.DeepEqual(got, want) {
		return fmt.Sprintf("totals %+v, want %+v", got, want)
	}
	return m.listsDiffer(j)
}

func (m *model) listsDiffer(j *Journal) string {
	var list []Failure
	for f, err := range j.Failures() {
		if err != nil {
			return err.Error()
		}
		f.At = time.Time{}
		list = append(list, f)
	}
	sortFailures(list)
	if want := m.failures(); !reflect.DeepEqual(list, want) {
		return fmt.Sprintf("failures %+v, want %+v", list, want)
	}
	history, now := 0, map[place]migrate.Outcome{}
	for s, err := range j.Settlements(0, int64(len(m.plan))) {
		if err != nil {
			return err.Error()
		}
		if history++; !s.Reopened {
			if _, twice := now[place{s.Ordinal, s.Index}]; twice {
				return fmt.Sprintf("edge %d of chunk %d is settled twice", s.Index, s.Ordinal)
			}
			now[place{s.Ordinal, s.Index}] = s.Outcome
		}
	}
	if history != m.history || len(now) != len(m.settled) {
		return fmt.Sprintf("%d settlements of which %d hold, want %d and %d", history, len(now), m.history, len(m.settled))
	}
	for p, e := range m.settled {
		if now[p] != e.Outcome {
			return fmt.Sprintf("outcome of %v is %+v, want %+v", p, now[p], e.Outcome)
		}
	}
	return ""
}

// randomSettlement settles some or all of what is open in a random chunk; ok is false if nothing
// is.
func (m *model) randomSettlement(rng *rand.Rand) (s migrate.Settlement, ok bool) {
	first := rng.IntN(len(m.plan))
	for k := range m.plan {
		ordinal := int64((first + k) % len(m.plan))
		s = migrate.Settlement{Chunk: m.plan.chunk(ordinal)}
		all, good := rng.IntN(3) > 0, rng.IntN(2) == 0
		for i := range m.plan[ordinal] {
			if _, done := m.settled[place{ordinal, i}]; !done && (all || len(s.Settled) == 0 || rng.IntN(2) == 0) {
				s.Settled = append(s.Settled, randomOutcome(rng, i, good))
			}
		}
		if len(s.Settled) > 0 {
			rng.Shuffle(len(s.Settled), func(a, b int) { s.Settled[a], s.Settled[b] = s.Settled[b], s.Settled[a] })
			return s, true
		}
	}
	return s, false
}

var testCodes = []int{30001, 30002, 30003, 30010, 502}

func randomOutcome(rng *rand.Rand, i int, good bool) migrate.Settled {
	e := migrate.Settled{Index: i, Outcome: migrate.Outcome{Kind: migrate.Imported}, Attempts: 1}
	if good {
		return e
	}
	switch rng.IntN(6) {
	case 0:
		e.Outcome = migrate.Outcome{Kind: migrate.Already, Uncertain: rng.IntN(2) == 0}
	case 1, 2:
		code := testCodes[rng.IntN(len(testCodes))]
		e.Outcome = migrate.Outcome{Kind: migrate.Failed, Code: code, Info: fmt.Sprint("Err_SNS_FriendImport_", code)}
		e.Attempts = rng.IntN(300)
	}
	return e
}

// newTestJournal creates and opens a journal.
func newTestJournal(t testing.TB, fsys disk.FS, dir string, p plan) *Journal {
	t.Helper()
	if err := Create(fsys, dir, p.identity()); err != nil {
		t.Fatal(err)
	}
	return openTestJournal(t, fsys, dir)
}

func openTestJournal(t testing.TB, fsys disk.FS, dir string) *Journal {
	t.Helper()
	j, err := Open(fsys, dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	return j
}

// step does one random thing to journal and model. It returns false when there is nothing left to
// do.
func (m *model) step(t testing.TB, rng *rand.Rand, j *Journal) bool {
	t.Helper()
	if rng.IntN(8) == 0 {
		codes := testCodes[:rng.IntN(3)]
		moved, err := j.Reopen(t.Context(), codes)
		if want := m.reopen(codes); err != nil || moved != want {
			t.Fatalf("reopened %d, %v, want %d", moved, err, want)
		}
		return true
	}
	s, ok := m.randomSettlement(rng)
	if !ok {
		return false
	}
	if err := j.Settle(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	m.settle(s)
	return true
}

// settleAll settles what is left, so that a journal that came back is seen to be of use.
func (m *model) settleAll(t testing.TB, rng *rand.Rand, j *Journal) {
	t.Helper()
	for {
		s, ok := m.randomSettlement(rng)
		if !ok {
			break
		}
		if err := j.Settle(context.Background(), s); err != nil {
			t.Fatal(err)
		}
		m.settle(s)
	}
	if d := m.differs(j); d != "" {
		t.Fatal(d)
	}
	if got := j.Totals(); got.Pending != 0 || got.Chunks != int64(len(m.plan)) {
		t.Fatalf("everything is settled, but %+v", got)
	}
}

func mustDiffer(t testing.TB, err error, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("error %v, want %v", err, want)
	}
}
