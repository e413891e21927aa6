package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"friendmigrate/migrate/disk"
)

// crashAtOnce is how many cases of a sweep are under way at once: resuming mostly waits, for the
// second that the rate asks for.
const crashAtOnce = 160

// sweep does cases side by side and reports how many there were.
func sweep(t *testing.T, cases func(yield func(name string, run func(t testing.TB, dir string)) bool)) {
	t.Helper()
	var group sync.WaitGroup
	var count atomic.Int64
	slots := make(chan struct{}, crashAtOnce)
	base := quickFolder(t)
	cases(func(name string, run func(t testing.TB, dir string)) bool {
		n := count.Add(1)
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			dir := filepath.Join(base, fmt.Sprint(n))
			run(named{t, name}, dir)
			if err := os.RemoveAll(dir); err != nil {
				t.Error(err)
			}
		})
		return !t.Failed()
	})
	group.Wait()
	t.Logf("%d cases", count.Load())
}

// samples is the distance between samples of a sweep that is not asked for everything; the race
// detector makes everything ten times slower.
func samples(distance int) int {
	if testing.Short() {
		return distance * 5
	}
	return distance
}

// quickFolder is a temporary folder, in memory where that can be had: nothing here depends on a
// disk.
func quickFolder(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "friendmigrate-test-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// named says which case of a sweep an error is about.
type named struct {
	testing.TB
	name string
}

func (n named) Errorf(format string, args ...any) {
	n.TB.Helper()
	n.TB.Errorf(n.name+": "+format, args...)
}

// Each file operation of a whole job goes wrong in turn, in each way: nothing is lost, nothing is
// said that is not so, and the same command goes on.
func TestEveryFileOperationOfAJob(t *testing.T) {
	t.Parallel()
	for seed := range *sweepSeeds {
		// a test of its own, whose job and service go when it ends: a hundred of them fill the
		// memory
		t.Run(strconv.Itoa(seed), func(t *testing.T) {
			j := newSmallJob(t, seed)
			for i := range j.lives {
				t.Run(j.lives[i].name, func(t *testing.T) { breakEverywhere(t, j, &j.lives[i]) })
			}
		})
	}
}

// breakEverywhere breaks each file operation of one life of a job.
func breakEverywhere(t *testing.T, j *smallJob, l *life) {
	ops := operations(t, j, l)
	sweep(t, func(yield func(string, func(testing.TB, string)) bool) {
		for at, what := range ops {
			for _, h := range harmsOf(what) {
				if !*sweepWhole && (at+int(h))%samples(7) != 0 {
					continue
				}
				if !yield(fmt.Sprintf("operation %d %v", at, h), func(t testing.TB, dir string) { breakAt(t, j, l, dir, at, h) }) {
					return
				}
			}
		}
	})
}

// A bug anywhere in a job, in whichever goroutine, ends it with its own exit code and the stack:
// Go's would say that the flags are wrong. What was answered is recorded and the same command goes
// on.
func TestABugAnywhereLosesNothing(t *testing.T) {
	t.Parallel()
	j := newSmallJob(t, 0)
	for i := range j.lives {
		l := &j.lives[i]
		ops := operations(t, j, l)
		sweep(t, func(yield func(string, func(testing.TB, string)) bool) {
			for at, what := range ops {
				if !*sweepWhole && at%samples(5) != 0 || strings.HasPrefix(what, "close ") {
					continue
				}
				if !yield(fmt.Sprintf("%s: operation %d", l.name, at), func(t testing.TB, dir string) { bugAt(t, j, l, dir, at) }) {
					return
				}
			}
		})
	}
}

// bugAt plants a bug at one operation of a run and lets the next run go on.
func bugAt(t testing.TB, j *smallJob, l *life, dir string, at int) {
	state := filepath.Join(dir, "state")
	j.copy(t, l, state)
	s := j.serve(l)
	broken := &brokenDisk{at: at, harm: panics}
	code, out := s.run(broken, state, l.flags...)
	lines := strings.Split(strings.TrimRight(out, "\n"), "\n")
	last := lines[len(lines)-1]
	switch {
	case broken.what == "": // the run had fewer operations: they depend a little on what is committed together
		l.ended(t, s, state, code, out)
	case code != 1 || !strings.HasPrefix(last, "friendmigrate: ") || !strings.Contains(last, "a bug: planted at "+broken.what) || !strings.Contains(last, "; hint: "):
		t.Errorf("exit code %d after a bug at %s\n%s", code, broken.what, out)
	case !strings.Contains(out, "brokenDisk).next"):
		t.Errorf("no stack\n%s", out)
	}
	if strings.HasPrefix(broken.what, "close ") { // the lock is released by the end of the process, which this is not
		return
	}
	code, out = s.run(disk.OS{}, state, l.flags...)
	l.ended(t, s, state, code, out)
	if again := s.sim.Stats().CallsAgain; again > 2 {
		t.Errorf("after a bug at %s %d calls had edges that were sent before, by 2 workers", broken.what, again)
	}
}

// operations are the file operations of an unbroken run, about: they depend a little on what is
// committed together.
func operations(t *testing.T, j *smallJob, l *life) []string {
	t.Helper()
	state := filepath.Join(t.TempDir(), "state")
	j.copy(t, l, state)
	whole := &brokenDisk{at: -1}
	if code, out := j.serve(l).run(whole, state, l.flags...); code != l.code {
		t.Fatalf("%d\n%s", code, out)
	}
	return whole.ops
}

// breakAt harms one operation of a run and lets the next run go on.
func breakAt(t testing.TB, j *smallJob, l *life, dir string, at int, h harm) {
	state := filepath.Join(dir, "state")
	j.copy(t, l, state)
	s := j.serve(l)
	broken := &brokenDisk{at: at, harm: h}
	code, out := s.run(broken, state, l.flags...)
	last := out[strings.LastIndex(strings.TrimRight(out, "\n"), "\n")+1:]
	switch {
	case code == l.code && !broken.dead: // it did without
		l.ended(t, s, state, code, out)
	case code != 1 && !(code == l.code && broken.dead && strings.HasPrefix(broken.what, "close ")):
		t.Errorf("exit code %d after %s\n%s", code, broken.what, out)
	case code == 1 && (!strings.HasPrefix(last, "friendmigrate: ") || !strings.Contains(last, "; hint: ")):
		t.Errorf("the last line after %s is %q", broken.what, last)
	}
	if strings.Contains(out, "a bug") {
		t.Errorf("it panicked after %s\n%s", broken.what, out)
	}
	code, out = s.run(disk.OS{}, state, l.flags...)
	l.ended(t, s, state, code, out)
	if again := s.sim.Stats().CallsAgain; again > 2 {
		t.Errorf("after %s %d calls had edges that were sent before, by 2 workers", broken.what, again)
	}
}
