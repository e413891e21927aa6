package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"friendmigrate/cmd/trial/lab"
)

// mostCuts is how often the power of one act of a job is cut at most.
const mostCuts = 4

// cutOn makes the row of power cuts on one kind of file system: the power of a job is cut again and
// again until it has ended, and what is there when the machine is up again is held against what had
// been acknowledged before.
func cutOn(kind string) func(context.Context, *bench) (int, error) {
	return func(ctx context.Context, c *bench) (cuts int, err error) {
		if err := c.on(lab.NewVolume(c.dir, kind)); err != nil {
			return 0, err
		}
		return c.through(ctx, mostCuts, func(act, left int) (cut, done bool, err error) {
			if done, err = c.cut(act, left); done && err == nil {
				err = c.nothingToDo(act)
			}
			return true, done, err
		})
	}
}

// cut does one run and cuts the power in it, or right behind it. done: the run had said that it is
// finished before.
func (c *bench) cut(act, left int) (done bool, err error) {
	m := c.moment(act, left)
	if c.rand.IntN(6) == 0 {
		m = moment{kind: "ended", after: patience} // at once when it says that it is done
	}
	blind := c.rand.IntN(2) == 0 // the process dies with the machine; otherwise it sees its disk fail
	p, during, err := c.until(m, act)
	if err != nil {
		return false, err
	}
	// an acknowledgement that comes while the power is cut is none
	before, told := c.service.Arrived(), acknowledged(c.state)
	if err := c.volume.Cut(); err != nil {
		return false, err
	}
	if blind {
		p.Signal(syscall.SIGKILL)
	}
	end := p.Wait(c.job.Timeout + 20*time.Second)
	c.audit.Late += c.service.Arrived() - before
	if err := c.volume.Again(); err != nil {
		return false, err
	}
	c.audit.Dead(end, during)
	c.audit.Keeps(told)
	switch {
	case !during && finished(end):
		c.audit.Finished(end, act)
		return true, nil
	case !during && !blind || during && end.Signal == 0 && end.Code != 1 && !finished(end):
		c.fail("O8", "exit code %d when the disk failed (%v): %s", end.Code, m, end.Last)
	}
	return false, nil
}

// acknowledged is what progress.json says is settled.
func acknowledged(state string) int64 {
	type inPlace struct{ Imported, Already int64 }
	var p struct{ Edges, Added inPlace }
	text, err := os.ReadFile(filepath.Join(state, "progress.json"))
	if err != nil || json.Unmarshal(text, &p) != nil {
		return 0
	}
	return p.Edges.Imported + p.Edges.Already + p.Added.Imported + p.Added.Already
}

// unsynced is the negative control: a program that never syncs has to be found at fault by the same
// cases.
func unsynced(ctx context.Context, s *suite, count int) (faults int, err error) {
	binary, err := lab.Build(ctx, s.dir, "friendmigrate-nosync", "-tags", "nosync")
	if err != nil {
		return 0, err
	}
	for _, kind := range []string{lab.Ext4, lab.XFS} {
		caught, cases := 0, 0
		for cuts := 0; cuts < count && cases < 5*count; cases++ {
			c := s.bench("control-"+kind, cases)
			c.program = binary
			n, err := c.do(func() (int, error) { return cutOn(kind)(ctx, c) })
			if err != nil {
				return 0, err
			}
			cuts += n
			if len(c.found()) > 0 {
				caught++
			}
		}
		faults += cases
		s.say("  control on %s: a program without syncs was found at fault in %d of %d jobs", kind, caught, cases)
		if caught == 0 {
			s.violated("control", "cuts on %s find nothing", kind)
		}
	}
	return faults, nil
}
