package checkpoint

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
)

// session is one life of a program with a small job: it makes the journal if there is none, opens
// it, and goes on with the job for some steps. It ends at the first error, like the program. doubt
// is what the model is if the step that failed was recorded all the same.
type session struct {
	m     *model
	doubt *model
	rng   *rand.Rand
}

func (s *session) live(t *testing.T, fsys *memFS, steps int) (err error) {
	there, err := Exists(fsys, testDir)
	if err == nil && !there {
		err = Create(fsys, testDir, s.m.plan.identity())
	}
	if err != nil {
		return err
	}
	j, err := Open(fsys, testDir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	if err := j.BeginRun(RunStart{Workers: 1}); err != nil {
		return err
	}
	for range steps {
		if err := s.step(t, j); err != nil {
			s.mustBeFinal(t, j, fsys)
			return err
		}
	}
	return j.EndRun(RunEnd{})
}

func (s *session) step(t *testing.T, j *Journal) error {
	s.doubt = s.m.clone()
	if s.rng.IntN(5) == 0 {
		s.doubt.reopen(nil)
		if _, err := j.Reopen(t.Context(), nil); err != nil {
			return err
		}
	} else if x, ok := s.m.randomSettlement(s.rng); ok {
		if err := j.Announce(x.Chunk.Ordinal); err != nil {
			return err
		}
		s.doubt.settle(x)
		if err := j.Settle(t.Context(), x); err != nil {
			return err
		}
	}
	s.m = s.doubt
	return nil
}

// mustBeFinal: after one failure nothing is written any more, even where the disk works again.
func (s *session) mustBeFinal(t *testing.T, j *Journal, fsys *memFS) {
	t.Helper()
	before := fsys.content(journalName)
	for range 3 {
		if x, ok := s.m.randomSettlement(s.rng); ok && j.Settle(t.Context(), x) == nil {
			t.Fatal("something was settled after a failure")
		}
	}
	if j.Announce(0) == nil {
		t.Fatal("a chunk may be sent after a failure")
	}
	if j.BeginRun(RunStart{}) == nil || j.EndRun(RunEnd{}) == nil {
		t.Fatal("a run was recorded after a failure")
	}
	if string(before) != string(fsys.content(journalName)) {
		t.Fatal("something was written after a failure")
	}
}

// mustHold: what was acknowledged is there, and nothing else but perhaps the step that failed, and
// the journal goes on.
func (s *session) mustHold(t *testing.T, fsys *memFS, created bool) {
	t.Helper()
	if there, err := Exists(fsys, testDir); err != nil || !there {
		if err != nil || created {
			t.Fatalf("the journal is gone: %v", err)
		}
		if err := Create(fsys, testDir, s.m.plan.identity()); err != nil {
			t.Fatal(err)
		}
	}
	j := openTestJournal(t, fsys, testDir)
	if s.m.differs(j) != "" && s.doubt != nil {
		s.m = s.doubt
	}
	if d := s.m.differs(j); d != "" {
		t.Fatal(d)
	}
	m := s.m.clone()
	m.settleAll(t, s.rng, j)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if d := m.differs(openTestJournal(t, fsys.powerCut(s.rng), testDir)); d != "" {
		t.Fatal(d)
	}
}

const sessionSteps = 12

// everyFault runs two sessions, of which the second meets a fault at each of its file operations in
// turn; the first one meets them as well if first is set.
func everyFault(t *testing.T, first bool, inject func(at int) func(op int, name string) fault) {
	for at := 0; ; at++ {
		s := &session{m: newModel(plan{3, 5, 1, 7, 2, 4, 6, 2}), rng: rand.New(rand.NewPCG(uint64(at), 5))}
		fsys := newMemFS()
		if !first {
			if err := s.live(t, fsys, 4); err != nil {
				t.Fatal(err)
			}
			s.doubt = nil
			torn := append(fsys.content(journalName), 1, 2, 3) // so that the next Open has something to cut
			fsys = fsys.restart()
			fsys.put(journalName, torn)
		}
		fsys.fault = inject(at)
		err := s.live(t, fsys, sessionSteps)
		ops, _ := fsys.opCount()
		if errors.Is(err, ErrDamaged) || errors.Is(err, fs.ErrNotExist) {
			t.Fatalf("operation %d: a fault was taken for damage: %v", at, err)
		}
		if at < ops && err == nil && fsys.fault(at, "") == refuses {
			t.Fatalf("operation %d failed and nobody said so", at)
		}
		created := !first || s.doubt != nil // a session that came to a step had a journal
		killed, cut := *s, *s
		killed.mustHold(t, fsys.restart(), created)
		cut.mustHold(t, fsys.powerCut(s.rng), created)
		if at >= ops {
			if err != nil {
				t.Fatalf("no fault was left, but %v", err)
			}
			return
		}
	}
}

// Each file operation fails in turn, once or for good, done or not: nothing acknowledged is lost
// after a kill or a power cut, and the error is final.
func TestEveryFileOperationFails(t *testing.T) {
	for name, kind := range map[string]fault{"refused": refuses, "half done": halfDone, "short without an error": shortSilent} {
		for _, forGood := range []bool{false, true} {
			for _, first := range []bool{false, true} {
				t.Run(name, func(t *testing.T) {
					everyFault(t, first, func(at int) func(int, string) fault {
						return func(op int, _ string) fault {
							if op == at || forGood && op > at {
								return kind
							}
							return works
						}
					})
				})
			}
		}
	}
}

// The power fails at random moments of many lives of one job.
func TestPowerCutAgainAndAgain(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 6))
		s := &session{m: newModel(plan{3, 5, 1, 7, 2, 4, 6, 2}), rng: rng}
		fsys := newMemFS()
		for range 12 {
			at := rng.IntN(60)
			fsys.fault = func(op int, _ string) fault {
				if op < at {
					return works
				}
				return refuses
			}
			_ = s.live(t, fsys, sessionSteps)
			if fsys = fsys.powerCut(rng); rng.IntN(3) == 0 {
				fsys = fsys.restart()
			}
			j, err := Open(fsys, testDir)
			if errors.Is(err, fs.ErrNotExist) && s.doubt == nil {
				continue
			}
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			if s.m.differs(j) != "" && s.doubt != nil {
				s.m = s.doubt
			}
			if d := s.m.differs(j); d != "" {
				t.Fatalf("seed %d: %s", seed, d)
			}
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// A process whose sync failed leaves a frame that only the system's cache has, marked as clean: a
// sync alone does not write it. Open does.
func TestFrameThatOnlyTheCacheHas(t *testing.T) {
	h := smallHistory(t, 20)
	last := h.ends[len(h.ends)-2]
	fsys := newMemFS()
	fsys.put(journalName, h.data)
	written := false
	fsys.fault = func(_ int, name string) fault {
		written = written || name == "write"
		if name == "sync" && !written {
			t.Error("synced before the last frame was written again")
		}
		return works
	}
	openTestJournal(t, fsys, testDir)
	if !written || string(fsys.content(journalName)[last:]) != string(h.data[last:]) {
		t.Error("the last frame was not written again as it was")
	}
}

// A killed process leaves frames and names that only the system's cache has. Once Open took them up
// they are told to others, so they have to be durable.
func TestTakenUpIsDurable(t *testing.T) {
	h := smallHistory(t, 21)
	rng := rand.New(rand.NewPCG(21, 1))
	for k := range h.ends {
		fsys := newMemFS()
		fsys.put(journalName, h.data[:h.ends[0]])
		fsys.names[journalName].data = slices.Clone(h.data[:h.ends[k]])
		delete(fsys.durable, journalName) // created, and killed before the folder was synced
		openTestJournal(t, fsys, testDir)
		after := fsys.powerCut(rng)
		if d := h.states[k].differs(openTestJournal(t, after, testDir)); d != "" {
			t.Fatal(d)
		}
	}
}

// The state folder is new as well, and so is a shard's folder in it: a power cut must not take them
// away.
func TestNewFoldersAreDurable(t *testing.T) {
	fsys, dir := newMemFS(), filepath.Join("state", "shard-1-of-3")
	if err := Create(fsys, dir, plan{1}.identity()); err != nil {
		t.Fatal(err)
	}
	openTestJournal(t, fsys.powerCut(rand.New(rand.NewPCG(1, 1))), dir)
}

// The tests above would see it if a commit did not wait for its sync.
func TestWithoutSyncThePowerCutIsSeen(t *testing.T) {
	lost := false
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 7))
		s := &session{m: newModel(plan{3, 5, 1, 7}), rng: rng}
		fsys := newMemFS()
		if err := s.live(t, fsys, 2); err != nil {
			t.Fatal(err)
		}
		fsys.deaf = true
		if err := s.live(t, fsys, 4); err != nil {
			t.Fatal(err)
		}
		j, err := Open(fsys.powerCut(rng), testDir)
		if err != nil || s.m.differs(j) != "" {
			lost = true
		}
	}
	if !lost {
		t.Error("no power cut showed that syncs were missing")
	}
}
