package checkpoint

import (
	"math/rand/v2"
	"slices"
	"testing"

	"friendmigrate/migrate"
)

// failing settles a whole chunk with these codes, 0 for imported.
func failing(p plan, ordinal int64, codes ...int) migrate.Settlement {
	s := migrate.Settlement{Chunk: p.chunk(ordinal)}
	for i, code := range codes {
		e := migrate.Settled{Index: i, Outcome: migrate.Outcome{Kind: migrate.Imported}, Attempts: 1}
		if code != 0 {
			e.Outcome = migrate.Outcome{Kind: migrate.Failed, Code: code, Info: "refused"}
		}
		s.Settled = append(s.Settled, e)
	}
	return s
}

// An edge that failed first and was imported on retry ends in one place; while some are open the
// flag only resumes; once they are settled it moves again. Every step holds across a restart, and a
// kill at any length of the file leaves the state before or after a step.
func TestRetryFailedOnce(t *testing.T) {
	p := plan{3, 2, 2}
	fsys, m := newMemFS(), newModel(p)
	j := newTestJournal(t, fsys, testDir, p)
	h := history{ends: []int{len(fsys.content(journalName))}, states: []*model{m.clone()}}
	settle := func(s migrate.Settlement) {
		t.Helper()
		if err := j.Settle(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		m.settle(s)
	}
	reopen := func(want int64, codes ...int) {
		t.Helper()
		if m.reopen(codes) != want {
			t.Fatal("the model moves another number")
		}
		if moved, err := j.Reopen(t.Context(), codes); err != nil || moved != want {
			t.Fatalf("moved %d, %v, want %d", moved, err, want)
		}
	}
	steps := []func(){
		func() { settle(failing(p, 0, 30003, 0, 30006)) },
		func() { settle(failing(p, 1, 30003, 30003)) },
		func() { reopen(0, 30010) },
		func() { reopen(3, 30003) },
		func() { reopen(0, 30003) },
		func() { reopen(0) },
		func() { settle(failing(p, 1, 30003)) },
		func() { reopen(0) },
		func() { s := failing(p, 1, 0, 0); s.Settled = s.Settled[1:]; settle(s) },
		func() { reopen(0) },
		func() { settle(failing(p, 0, 30007)) },
		func() { reopen(3) },
		func() { settle(failing(p, 2, 0, 30001)) },
		func() { reopen(0) },
		func() {
			s := failing(p, 0, 0, 0, 0)
			s.Settled = []migrate.Settled{s.Settled[2], s.Settled[0]}
			settle(s)
		},
		func() { reopen(0, 30001) },
		func() { settle(failing(p, 1, 0)) },
		func() { reopen(1, 30001) },
	}
	for k, step := range steps {
		step()
		if d := m.differs(j); d != "" {
			t.Fatalf("step %d: %s", k, d)
		}
		if size := len(fsys.content(journalName)); size != h.ends[len(h.ends)-1] {
			h.ends, h.states = append(h.ends, size), append(h.states, m.clone())
		}
		if j, fsys = reopenJournal(t, j, fsys); m.differs(j) != "" {
			t.Fatalf("step %d, after a restart: %s", k, m.differs(j))
		}
	}
	h.data = fsys.content(journalName)
	for n := h.ends[0]; n < len(h.data); n++ {
		j, _, err := openBytes(t, h.data[:n])
		if err != nil {
			t.Fatal(err)
		}
		m := h.states[h.at(n)].clone()
		if d := m.differs(j); d != "" {
			t.Fatalf("%d bytes: %s", n, d)
		}
		if moved, err := j.Reopen(t.Context(), nil); err != nil || moved != m.reopen(nil) || m.differs(j) != "" {
			t.Fatalf("%d bytes, reopened: %d, %v, %s", n, moved, err, m.differs(j))
		}
		m.settleAll(t, rand.New(rand.NewPCG(1, 1)), j)
	}
}

// A million failures that are reopened take no memory each: whole chunks that are open again are
// one bit.
func TestReopenedChunksTakeNoMemory(t *testing.T) {
	const chunks = 1000
	p := sizes(chunks, 2)
	fsys := newMemFS()
	j := newTestJournal(t, fsys, testDir, p)
	for ordinal := range int64(chunks) {
		if err := j.Settle(t.Context(), failing(p, ordinal, 30003, 30003)); err != nil {
			t.Fatal(err)
		}
	}
	if moved, err := j.Reopen(t.Context(), []int{30003, 30003, 1}); err != nil || moved != 2*chunks {
		t.Fatal(moved, err)
	}
	for range 2 {
		if got := j.Totals(); got.Pending != 2*chunks || got.Reopened != 2*chunks || got.Chunks != 0 || len(j.state.parts) != 0 {
			t.Fatalf("%+v, %d parts", got, len(j.state.parts))
		}
		j, fsys = reopenJournal(t, j, fsys)
	}
	for ordinal := range int64(chunks) {
		if err := j.Settle(t.Context(), wholeChunk(ordinal, 2)); err != nil {
			t.Fatal(err)
		}
	}
	if got := j.Totals(); got.Imported != 2*chunks || got.Failed != 0 || got.Reopened != 0 || !j.Done(0, chunks) {
		t.Fatalf("%+v", got)
	}
}

// Lists read only what was asked for, and stop when told to.
func TestListsStopEarly(t *testing.T) {
	p := plan{3, 2, 2}
	j := newTestJournal(t, newMemFS(), testDir, p)
	for ordinal := range int64(3) {
		if err := j.Settle(t.Context(), failing(p, ordinal, slices.Repeat([]int{30003}, p[ordinal])...)); err != nil {
			t.Fatal(err)
		}
	}
	for range j.Failures() {
		break
	}
	var got []place
	for s, err := range j.Settlements(1, 1) {
		if err != nil {
			t.Fatal(err)
		}
		if s.At.IsZero() || s.Attempts != 1 || s.Outcome.Code != 30003 {
			t.Errorf("%+v", s)
		}
		got = append(got, place{s.Ordinal, s.Index})
	}
	if !slices.Equal(got, []place{{1, 0}, {1, 1}}) {
		t.Error(got)
	}
}

// A file that goes bad while the job runs is said to be so by the lists, not skipped over.
func TestListsOfAFileThatWentBad(t *testing.T) {
	p := plan{3, 2, 2}
	fsys := newMemFS()
	j := newTestJournal(t, fsys, testDir, p)
	for ordinal := range int64(2) {
		if err := j.Settle(t.Context(), failing(p, ordinal, slices.Repeat([]int{30003}, p[ordinal])...)); err != nil {
			t.Fatal(err)
		}
	}
	fsys.mu.Lock()
	node := fsys.names[journalName]
	node.data[len(node.data)-3] ^= 1
	fsys.mu.Unlock()
	var last error
	for _, err := range j.Failures() {
		last = err
	}
	mustDiffer(t, last, ErrDamaged)
	last = nil
	for _, err := range j.Settlements(0, 3) {
		last = err
	}
	mustDiffer(t, last, ErrDamaged)
}
