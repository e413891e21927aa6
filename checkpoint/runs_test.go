package checkpoint

import (
	"reflect"
	"testing"
	"time"

	"friendmigrate/migrate"
)

func reopenJournal(t *testing.T, j *Journal, fsys *memFS) (*Journal, *memFS) {
	t.Helper()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	fsys = fsys.restart()
	return openTestJournal(t, fsys, testDir), fsys
}

func maybeSent(j *Journal, ordinal int64) bool {
	_, maybe := j.Unsettled(ordinal, 2)
	return maybe
}

func announce(t *testing.T, j *Journal, ordinals ...int64) {
	t.Helper()
	for _, ordinal := range ordinals {
		if err := j.Announce(ordinal); err != nil {
			t.Fatal(err)
		}
	}
}

// After a kill an `already` may be our own doing, in those chunks that the killed run can have sent
// and in no others.
func TestMaybeSentAfterAKill(t *testing.T) {
	const far = 5 * spanChunks
	fsys := newMemFS()
	j := newTestJournal(t, fsys, testDir, sizes(far+1, 2))
	if maybeSent(j, 0) {
		t.Error("nothing was ever sent")
	}
	begin := func() {
		t.Helper()
		if err := j.BeginRun(RunStart{Workers: 2, Version: "v1"}); err != nil {
			t.Fatal(err)
		}
	}
	begin()
	for _, ordinal := range []int64{0, 3, far} { // the pilot's accounts may lie far apart
		announce(t, j, ordinal)
		if maybeSent(j, ordinal) {
			t.Error("this run knows itself what it sent")
		}
	}
	if err := j.Settle(t.Context(), wholeChunk(3, 2)); err != nil {
		t.Fatal(err)
	}
	count := int64(spanChunks-1) + 1 // all of the first span but the settled chunk, and the only one of the last
	check := func(when string, want map[int64]bool) {
		t.Helper()
		if got := j.MaybeSent(); got != count {
			t.Errorf("%s: %d chunks may have been sent, want %d", when, got, count)
		}
		for ordinal, want := range want {
			if got := maybeSent(j, ordinal); got != want {
				t.Errorf("%s: chunk %d may have been sent: %t, want %t", when, ordinal, got, want)
			}
		}
	}
	killed := map[int64]bool{0: true, 1: true, 3: false, spanChunks - 1: true, spanChunks: false, far - 1: false, far: true}
	j, fsys = reopenJournal(t, j, fsys)
	check("after a kill", killed)
	begin()
	check("in the next run", killed)
	if err := j.EndRun(RunEnd{Code: 4, AllAnswered: true}); err != nil {
		t.Fatal(err)
	}
	j, fsys = reopenJournal(t, j, fsys)
	check("after an orderly end of that", killed)
	begin()
	check("in the run after it", killed)
	announce(t, j, spanChunks, 2*spanChunks, far-1)
	if err := j.EndRun(RunEnd{Code: 4}); err != nil { // an outage, say: calls were left without an answer
		t.Fatal(err)
	}
	count += 3 * spanChunks
	killed = map[int64]bool{spanChunks: true, 2 * spanChunks: true, far - 1: true, 3 * spanChunks: false} // this run may have sent those three
	check("after an end with open answers", killed)
	j, _ = reopenJournal(t, j, fsys)
	check("opened again", killed)
}

// It is durable that a chunk may be sent before it is sent: a kill right after Announce shows it.
func TestAnnouncedBeforeSent(t *testing.T) {
	fsys := newMemFS()
	j := newTestJournal(t, fsys, testDir, sizes(2, 2))
	if err := j.BeginRun(RunStart{}); err != nil {
		t.Fatal(err)
	}
	announce(t, j, 0)
	_, syncs := fsys.opCount()
	announce(t, j, 0, 1)
	if _, after := fsys.opCount(); after != syncs {
		t.Error("the same span was recorded again")
	}
	cut := fsys.restart()
	for name, node := range cut.names {
		cut.put(name, node.synced)
	}
	if !maybeSent(openTestJournal(t, cut, testDir), 0) {
		t.Error("a chunk was announced before that was durable")
	}
}

// The report tells of every run, of killed ones too.
func TestRunsOnRecord(t *testing.T) {
	fsys := newMemFS()
	j := newTestJournal(t, fsys, testDir, plan{1})
	at := time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC)
	start, end := RunStart{At: at, Workers: 300, Version: "v1.2"}, RunEnd{At: at.Add(time.Hour), Code: 4, Calls: 77, AllAnswered: true, Facts: map[string]int64{"throttled": 3}}
	if j.EndRun(end) == nil {
		t.Error("a run ended that had not begun")
	}
	for range 2 {
		if err := j.BeginRun(start); err != nil {
			t.Fatal(err)
		}
		if j.BeginRun(start) == nil {
			t.Error("two runs at once")
		}
		j, fsys = reopenJournal(t, j, fsys) // killed
		if j.EndRun(end) == nil {
			t.Error("a run ended that another process began")
		}
	}
	if err := j.BeginRun(start); err != nil {
		t.Fatal(err)
	}
	if err := j.EndRun(end); err != nil {
		t.Fatal(err)
	}
	want := []Run{{Start: start}, {Start: start}, {Start: start, End: &end}}
	if got := j.Runs(); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
	j, _ = reopenJournal(t, j, fsys)
	if got := j.Runs(); !reflect.DeepEqual(got, want) {
		t.Errorf("after a restart: %+v", got)
	}
}

// A reopening in the midst of a run keeps what the run is.
func TestReopenWithinARun(t *testing.T) {
	fsys := newMemFS()
	j := newTestJournal(t, fsys, testDir, sizes(3, 2))
	if err := j.BeginRun(RunStart{}); err != nil {
		t.Fatal(err)
	}
	s := wholeChunk(0, 2)
	s.Settled[1].Outcome = migrate.Outcome{Kind: migrate.Failed, Code: 30003}
	if err := j.Settle(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if moved, err := j.Reopen(t.Context(), nil); err != nil || moved != 1 {
		t.Fatal(moved, err)
	}
	if maybeSent(j, 0) {
		t.Error("this run's own chunks count as another's")
	}
	if err := j.EndRun(RunEnd{AllAnswered: true}); err != nil {
		t.Fatal(err)
	}
	if j, _ = reopenJournal(t, j, fsys); maybeSent(j, 0) {
		t.Error("all was answered")
	}
}
