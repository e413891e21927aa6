package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"friendmigrate/cmd/trial/lab"
)

const mostCuts = 4

// cutOn returns the cases of power cuts on one kind of file system. The power of a job is cut
// repeatedly until the job has ended, and after each restart the state is compared with what had
// been acknowledged.
func cutOn(kind string) func(context.Context, *bench) {
	return func(ctx context.Context, c *bench) {
		c.on(lab.NewVolume(c.dir, kind))
		c.through(ctx, mostCuts, func(act, left int) (cut, done bool) {
			if done = c.cut(act, left); done {
				c.nothingToDo(act)
			}
			return true, done
		})
	}
}

// cut does one run and cuts the power during it or right after it. done is true if the run had
// already said that it is finished.
func (c *bench) cut(act, left int) (done bool) {
	m := c.moment(act, left)
	if c.rand.IntN(6) == 0 {
		m = moment{kind: "ended", after: patience} // as soon as it says that it is done
	}
	blind := c.rand.IntN(2) == 0 // the process dies with the machine; otherwise it sees disk errors
	p, during := c.until(m, act)
	// an acknowledgement during the power cut does not count
	before, told := c.service.Arrived(), acknowledged(c.state)
	c.volume.Cut()
	if blind {
		p.Signal(syscall.SIGKILL)
	}
	end := p.Wait(c.job.Timeout + 20*time.Second)
	c.audit.Late += c.service.Arrived() - before
	c.volume.Again()
	c.audit.Dead(end, during)
	c.audit.Keeps(told)
	switch {
	case !during && finished(end):
		c.audit.Finished(act, end)
		return true
	case !during && !blind || during && end.Signal == 0 && end.Code != 1 && !finished(end):
		c.audit.Fail("O8", "exit code %d when the disk failed (%v): %s", end.Code, m, end.Last)
	}
	return false
}

// acknowledged returns what is settled according to progress.json.
func acknowledged(state string) int64 {
	type inPlace struct{ Imported, Already int64 }
	var p struct{ Edges, Added inPlace }
	text, err := os.ReadFile(filepath.Join(state, "progress.json"))
	if err != nil || json.Unmarshal(text, &p) != nil {
		return 0
	}
	return p.Edges.Imported + p.Edges.Already + p.Added.Imported + p.Added.Already
}

// unsynced is the negative control: the same cases must find a program at fault that never syncs.
func unsynced(ctx context.Context, s *suite, count int) (jobs int) {
	binary := lab.Build(ctx, s.dir, "friendmigrate-nosync", "-tags", "nosync")
	for _, kind := range []string{lab.Ext4, lab.XFS} {
		caught, cases := 0, 0
		for cuts := 0; cuts < count && cases < 5*count; cases++ {
			c := s.bench("control-"+kind, cases)
			c.program = binary
			if len(c.do(ctx, cutOn(kind))) > 0 {
				caught++
			}
			cuts += c.faults
		}
		jobs += cases
		s.say("  control on %s: a program without syncs was found at fault in %d of %d jobs", kind, caught, cases)
		if caught == 0 {
			s.violated("cuts on %s find nothing", kind)
		}
	}
	return jobs
}

// The system's messages about a disk that is full or read only.
const (
	fullWord     = "no space"
	readOnlyWord = "read-only"
)

// filled runs a job on a disk that is too small, or that is filled during the run, and again when
// there is space.
func filled(ctx context.Context, c *bench) {
	kB, fromTheStart := 2048, c.rand.IntN(3) == 0
	if fromTheStart {
		kB = 8 + c.rand.IntN(300)
	}
	c.on(lab.NewMemory(c.dir, kB))
	filler := filepath.Join(c.volume.Folder, "filler")
	c.through(ctx, 1, func(act, left int) (hit, done bool) {
		done = c.withFault(act, left, fullWord, func() {
			if !fromTheStart {
				fill(filler, c.rand.IntN(24)<<10)
			}
		}, func() {
			lab.Check(os.RemoveAll(filler))
			c.volume.Remount("size=16m")
		})
		fromTheStart = fromTheStart && done
		return !done, done
	})
}

// fill fills a volume except for about this many bytes.
func fill(name string, left int) {
	unlessFull := func(err error) {
		if !errors.Is(err, syscall.ENOSPC) {
			lab.Check(err)
		}
	}
	f, err := os.Create(name)
	if unlessFull(err); err != nil {
		return
	}
	zeros := lab.Must(os.Open("/dev/zero"))
	size, err := io.Copy(f, zeros)
	unlessFull(err)
	unlessFull(f.Truncate(max(0, size-int64(left))))
	lab.Check(errors.Join(f.Close(), zeros.Close()))
}

// readOnly runs a job on a file system that becomes read only during the run, or was before.
func readOnly(ctx context.Context, c *bench) {
	c.on(lab.NewVolume(c.dir, lab.Ext4))
	c.through(ctx, 1, func(act, left int) (hit, done bool) {
		fault, fix := c.volume.Fail, c.volume.Again
		if c.rand.IntN(4) == 0 {
			c.volume.Remount("ro")
			fault, fix = func() {}, func() { c.volume.Remount("rw") }
		}
		done = c.withFault(act, left, readOnlyWord, fault, fix)
		return !done, done
	})
}

// withFault does one run in which the disk gets a fault at a random moment, and fixes the disk. The
// run must finish, or exit with 1 and say what is wrong.
func (c *bench) withFault(act, left int, word string, fault, fix func()) (done bool) {
	m := c.moment(act, left)
	p, hit := c.until(m, act)
	before := c.service.Arrived()
	if hit {
		fault()
	}
	end := p.Wait(c.job.Timeout + 30*time.Second)
	if hit && word == readOnlyWord { // ext4 reports success for a sync right after its own error
		c.audit.Late += c.service.Arrived() - before
	}
	fix()
	if done = c.ended(end, act, true); !done && (end.Code != 1 || !hinted(end) || !strings.Contains(end.Last, word)) {
		c.audit.Fail("O8", "exit code %d with a disk that has %s (%v): %s", end.Code, word, m, end.Last)
	}
	return done
}
