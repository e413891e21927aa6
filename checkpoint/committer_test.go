package checkpoint

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"friendmigrate/migrate"
	"friendmigrate/migrate/disk"
)

// wholeChunk is the settlement of a chunk of n edges, all imported.
func wholeChunk(ordinal int64, n int) migrate.Settlement {
	s := migrate.Settlement{Chunk: migrate.Chunk{Ordinal: ordinal, From: "from", Edges: make([]migrate.Edge, n)}}
	for i := range n {
		s.Settled = append(s.Settled, migrate.Settled{Index: i, Outcome: migrate.Outcome{Kind: migrate.Imported}, Attempts: 1})
	}
	return s
}

func sizes(chunks, n int) plan {
	p := make(plan, chunks)
	for i := range p {
		p[i] = n
	}
	return p
}

// slowSync is a disk whose syncs take time, so that settlements pile up.
type slowSync struct{ disk.FS }

func (f slowSync) OpenFile(name string, flag int, perm fs.FileMode) (disk.File, error) {
	file, err := f.FS.OpenFile(name, flag, perm)
	return slowFile{file}, err
}

type slowFile struct{ disk.File }

func (f slowFile) Sync() error {
	time.Sleep(5 * time.Millisecond)
	return f.File.Sync()
}

// A hundred workers settle at once: each is answered only when its own is durable, nothing is lost,
// and they share syncs.
func TestManyWorkersShareSyncs(t *testing.T) {
	const workers, each, edges = 100, 20, 30
	synctest.Test(t, func(t *testing.T) {
		mem := newMemFS()
		j := newTestJournal(t, slowSync{mem}, testDir, sizes(workers*each, edges))
		_, before := mem.opCount()
		var group sync.WaitGroup
		for w := range int64(workers) {
			group.Go(func() {
				for k := range int64(each) {
					ordinal := k*workers + w
					if err := j.Settle(t.Context(), wholeChunk(ordinal, edges)); err != nil {
						t.Error(err)
					}
					if open, _ := j.Unsettled(ordinal, edges); open.Len() != 0 || !j.Done(ordinal, 1) {
						t.Errorf("chunk %d is answered and open", ordinal)
					}
				}
			})
		}
		group.Wait()
		_, after := mem.opCount()
		if syncs := after - before; syncs > 3*each {
			t.Errorf("%d settlements took %d syncs", workers*each, syncs)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		reader, err := OpenReadOnly(mem.restart(), testDir)
		if err != nil {
			t.Fatal(err)
		}
		if got := reader.Totals(); got.Imported != workers*each*edges || got.Chunks != workers*each || !reader.Done(0, workers*each) {
			t.Errorf("%+v", got)
		}
	})
}

// The same over a real disk, with partial settlements of one chunk by turns.
func TestWorkersOnARealDisk(t *testing.T) {
	const workers, edges = 100, 10
	dir := t.TempDir()
	j := newTestJournal(t, disk.OS{}, dir, sizes(workers, edges))
	var group sync.WaitGroup
	for w := range int64(workers) {
		group.Go(func() {
			for i := range edges {
				s := wholeChunk(w, edges)
				s.Settled = s.Settled[i : i+1]
				if err := j.Settle(t.Context(), s); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if got := openTestJournal(t, disk.OS{}, dir).Totals(); got.Imported != workers*edges || got.Pending != 0 || got.Chunks != workers {
		t.Errorf("%+v", got)
	}
}

// Whoever waits when a sync fails is told so, and so is everybody later.
func TestFailedSyncReachesEveryWaiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem := newMemFS()
		j := newTestJournal(t, slowSync{mem}, testDir, sizes(50, 3))
		mem.mu.Lock()
		mem.fault = func(_ int, name string) fault {
			if name == "sync" {
				return refuses
			}
			return works
		}
		mem.mu.Unlock()
		var group sync.WaitGroup
		for w := range int64(50) {
			group.Go(func() { mustDiffer(t, j.Settle(t.Context(), wholeChunk(w, 3)), errFault) })
		}
		group.Wait()
		mem.mu.Lock()
		mem.fault = nil
		mem.mu.Unlock()
		mustDiffer(t, j.Settle(t.Context(), wholeChunk(0, 3)), errFault)
		if got := j.Totals(); got.Settled() != 0 {
			t.Errorf("%+v", got)
		}
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
}

// What would unbalance the sum is refused, and for good.
func TestImpossibleSettlements(t *testing.T) {
	again := wholeChunk(1, 3)
	again.Settled = append(again.Settled, again.Settled[0])
	open := wholeChunk(1, 3)
	open.Settled[1].Outcome.Kind = migrate.Again
	beyond := wholeChunk(1, 3)
	beyond.Settled[2].Index = 3
	negative := wholeChunk(1, 3)
	negative.Settled[2].Index = -1
	nowhere := wholeChunk(1, 3)
	nowhere.Chunk.Edges[1].Line = -1
	part := wholeChunk(2, 3)
	part.Settled = part.Settled[:1]
	for name, s := range map[string]migrate.Settlement{
		"settled before": wholeChunk(0, 3), "edge settled before": part, "named twice": again, "not final": open, "no such edge": beyond, "negative index": negative, "negative line": nowhere,
		"no such chunk": wholeChunk(3, 3), "negative chunk": wholeChunk(-1, 3), "too large": wholeChunk(1, 1001), "more edges than the job": wholeChunk(1, 9),
		"another size": func() migrate.Settlement { s := wholeChunk(2, 4); s.Settled = s.Settled[2:]; return s }(),
	} {
		t.Run(name, func(t *testing.T) {
			fsys := newMemFS()
			j := newTestJournal(t, fsys, testDir, plan{3, 3, 3})
			for _, good := range []migrate.Settlement{wholeChunk(0, 3), part} {
				if err := j.Settle(t.Context(), good); err != nil {
					t.Fatal(err)
				}
			}
			before := string(fsys.content(journalName))
			first := j.Settle(t.Context(), s)
			if first == nil {
				t.Fatal("it was taken")
			}
			later := j.Settle(t.Context(), wholeChunk(1, 3))
			if later == nil || later.Error() != first.Error() {
				t.Fatalf("later: %v, first: %v", later, first)
			}
			if before != string(fsys.content(journalName)) {
				t.Fatal("something was written")
			}
			if got := j.Totals(); got.Settled() != 4 {
				t.Fatalf("%+v", got)
			}
		})
	}
}

// What is too much only together is refused as well: a replay would refuse it later, and with it
// the whole job.
func TestTooMuchInOneBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem, p := newMemFS(), plan{3, 3, 3}
		j := newTestJournal(t, slowSync{mem}, testDir, p)
		var group sync.WaitGroup
		for ordinal, n := range []int{2, 4, 4} { // the first keeps the committer busy
			group.Go(func() { _ = j.Settle(t.Context(), wholeChunk(int64(ordinal), n)) })
			synctest.Wait()
		}
		group.Wait()
		if err := j.Close(); err != nil {
			t.Error(err)
		}
		j = openTestJournal(t, mem.restart(), testDir)
		if got := j.Totals(); got.Settled() != 2 {
			t.Errorf("%+v", got)
		}
		_ = j.Close()
	})
}

// Two settlements of one edge that wait together are told apart although neither is in the file
// yet.
func TestSameEdgeTwiceInOneBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newTestJournal(t, slowSync{newMemFS()}, testDir, sizes(3, 3))
		results := make(chan error, 3)
		for _, ordinal := range []int64{0, 1, 1} { // the first keeps the committer busy
			go func() { results <- j.Settle(t.Context(), wholeChunk(ordinal, 3)) }()
			synctest.Wait()
		}
		refused := 0
		for range 3 {
			if err := <-results; err != nil {
				refused++
			}
		}
		if got := j.Totals(); refused != 1 || got.Imported != 6 {
			t.Errorf("%d refused, %+v", refused, got)
		}
		_ = j.Close()
	})
}

// ctx ends the waiting for the committer, never a settlement that it took, and is no failure of the
// journal.
func TestCancelledSettle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newTestJournal(t, slowSync{newMemFS()}, testDir, sizes(3, 3))
		ctx, cancel := context.WithCancel(t.Context())
		taken, waiting := make(chan error), make(chan error)
		go func() { taken <- j.Settle(ctx, wholeChunk(0, 3)) }()
		synctest.Wait()
		go func() { waiting <- j.Settle(ctx, wholeChunk(1, 3)) }()
		synctest.Wait()
		cancel()
		mustDiffer(t, <-waiting, context.Canceled)
		if err := <-taken; err != nil {
			t.Error(err)
		}
		mustDiffer(t, j.Settle(ctx, wholeChunk(1, 3)), context.Canceled)
		if err := j.Settle(t.Context(), wholeChunk(1, 3)); err != nil {
			t.Error(err)
		}
		if err := errors.Join(j.Close(), j.Close()); err != nil {
			t.Error(err)
		}
		mustDiffer(t, j.Settle(t.Context(), wholeChunk(2, 3)), ErrClosed)
	})
}

// A chunk whose failures don't fit into one frame is recorded in several, and nothing of it is
// shortened but the service's text.
func TestHugeFailures(t *testing.T) {
	fsys, p := newMemFS(), sizes(2, migrate.MaxChunkEdges)
	j := newTestJournal(t, fsys, testDir, p)
	m := newModel(p)
	s := migrate.Settlement{Chunk: p.chunk(0)}
	for i := range s.Chunk.Edges {
		e := &s.Chunk.Edges[i]
		for k := range 12 {
			e.Custom = append(e.Custom, migrate.CustomItem{Tag: "Tag_SNS_Custom_T" + string(rune('a'+k)), Value: strings.Repeat("v", 400) + e.To})
		}
		s.Settled = append(s.Settled, migrate.Settled{Index: i, Outcome: migrate.Outcome{Kind: migrate.Failed, Code: 30001, Info: strings.Repeat("长", i)}, Attempts: i})
	}
	if err := j.Settle(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	m.settle(s)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	i := 0
	for f, err := range openTestJournal(t, fsys.restart(), testDir).Failures() {
		if err != nil {
			t.Fatal(err)
		}
		want := s.Chunk.Edges[i]
		if f.Index != i || f.Attempts != i || f.Edge.From != want.From || len(f.Edge.Custom) != len(want.Custom) || f.Edge.Custom[11] != want.Custom[11] {
			t.Fatalf("failure %d: %+v", i, f)
		}
		if info := s.Settled[i].Outcome.Info; f.Info != info && (len(f.Info) > maxInfo || !strings.HasPrefix(info, strings.TrimSuffix(f.Info, "…"))) {
			t.Fatalf("failure %d: info %q", i, f.Info)
		}
		i++
	}
	if i != len(s.Settled) {
		t.Fatalf("%d failures, want %d", i, len(s.Settled))
	}
}

// An edge that no frame can hold is an error, not a file that can't be read again.
func TestEdgeTooLargeForAFrame(t *testing.T) {
	j := newTestJournal(t, newMemFS(), testDir, plan{1})
	s := wholeChunk(0, 1)
	s.Chunk.Edges[0].Remark = strings.Repeat("x", maxPayload)
	s.Settled[0].Outcome = migrate.Outcome{Kind: migrate.Failed, Code: 1}
	if err := j.Settle(t.Context(), s); err == nil {
		t.Fatal("it was taken")
	}
}
