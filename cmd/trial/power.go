package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"friendmigrate/cmd/trial/lab"
)

// cutOn makes the row of power cuts on one kind of file system.
func cutOn(kind string) func(context.Context, *bench) (int, error) {
	return func(ctx context.Context, c *bench) (int, error) { return powerless(ctx, c, kind) }
}

// mostCuts is how often the power of one job is cut at most.
const mostCuts = 4

// powerless cuts the power of one job again and again until it has ended, and holds what is there when the machine is up again against what had been
// acknowledged before.
func powerless(ctx context.Context, c *bench, kind string) (cuts int, err error) {
	volume, err := lab.NewVolume(c.dir, kind)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, volume.Close()) }()
	c.state = filepath.Join(volume.Folder, "state")
	if err := c.begin(c.anyShape()); err != nil {
		return 0, err
	}
	for act := range c.job.Acts {
		n, err := c.cutAct(ctx, volume, act)
		cuts += n
		if err != nil {
			return cuts, err
		}
	}
	return cuts, nil
}

// cutAct cuts the power of one act until it has ended by itself.
func (c *bench) cutAct(ctx context.Context, v *lab.Volume, act int) (cuts int, err error) {
	c.enter(act)
	left := c.like.Acts[act].Calls
	for most := 1 + c.rand.IntN(mostCuts); cuts < most && ctx.Err() == nil; cuts++ {
		done, err := c.cut(v, act, left, cuts > 0)
		if err != nil {
			return cuts, err
		}
		if done {
			return cuts + 1, c.nothingToDo(act)
		}
		left -= c.service.Arrived()
	}
	return cuts, c.unbroken(act)
}

// cut does one run and cuts the power in it, or right behind it. done: the run had said that it is finished before.
func (c *bench) cut(v *lab.Volume, act, left int, resumed bool) (done bool, err error) {
	m := draw(c.rand, &c.like.Acts[act], left, resumed)
	if c.rand.IntN(6) == 0 {
		m = moment{kind: "ended", after: patience} // at once when it says that it is done
	}
	blind := c.rand.IntN(2) == 0 // the process dies with the machine; otherwise it sees its disk fail
	p, err := c.start(act)
	if err != nil {
		return false, err
	}
	during := m.await(p, c.service)
	before, told := c.service.Arrived(), acknowledged(c.state) // an acknowledgement that comes while the power is cut is none
	if err := v.Cut(); err != nil {
		return false, err
	}
	if blind {
		p.Signal(syscall.SIGKILL)
	}
	end := p.Wait(c.job.Timeout + 20*time.Second)
	c.audit.Late += c.service.Arrived() - before
	if err := v.Again(); err != nil {
		return false, err
	}
	c.audit.Dead(end, during)
	c.audit.Keeps(told)
	switch {
	case !during && finished(end):
		c.audit.Finished(end, act)
		return true, nil
	case !during && !blind || during && end.Signal == 0 && end.Code != 1 && !finished(end):
		c.audit.Fail("O8", fmt.Sprintf("exit code %d when the disk failed (%v): %s", end.Code, m, end.Last))
	}
	return false, nil
}

// acknowledged is what progress.json says is settled.
func acknowledged(state string) int64 {
	var p struct {
		Phase string `json:"phase"`
		Edges struct {
			Imported int64 `json:"imported"`
			Already  int64 `json:"already"`
		} `json:"edges"`
		Added struct {
			Imported int64 `json:"imported"`
			Already  int64 `json:"already"`
		} `json:"added"`
	}
	text, err := os.ReadFile(filepath.Join(state, "progress.json"))
	if err != nil || json.Unmarshal(text, &p) != nil {
		return 0
	}
	return p.Edges.Imported + p.Edges.Already + p.Added.Imported + p.Added.Already
}

// unsynced is the negative control: a program that never syncs has to be found at fault by the same cases.
func unsynced(ctx context.Context, s *suite, count int) (faults, violations int, err error) {
	binary, err := lab.Build(ctx, s.dir, "friendmigrate-nosync", "-tags", "nosync")
	if err != nil {
		return 0, 0, err
	}
	for _, kind := range []string{lab.Ext4, lab.XFS} {
		caught, cases := 0, 0
		for faults := 0; faults < count && cases < 5*count; cases++ {
			c := s.bench("control-"+kind, cases)
			c.program = binary
			n, err := func() (int, error) {
				if err := os.MkdirAll(c.dir, 0o700); err != nil {
					return 0, err
				}
				n, err := powerless(ctx, c, kind)
				return n, errors.Join(err, c.close())
			}()
			if err != nil {
				return 0, 0, err
			}
			faults += n
			if len(c.found()) > 0 {
				caught++
			}
		}
		faults += cases
		s.say("  control on %s: a program without syncs was found at fault in %d of %d jobs", kind, caught, cases)
		if caught == 0 {
			violations++
		}
	}
	return faults, violations, nil
}
