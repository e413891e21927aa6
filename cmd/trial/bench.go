package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"time"

	"friendmigrate/cmd/trial/lab"
	"friendmigrate/cmd/trial/oracle"
)

// bench is one case of a row: a job with a service of its own, and an audit of both.
type bench struct {
	suite   *suite
	index   int
	dir     string
	rand    *rand.Rand
	program lab.Program

	job     *lab.Job
	like    *lab.Reference
	service *lab.Service
	volume  *lab.Volume // that the state lies on; nil: none of its own
	state   string
	audit   *oracle.Audit
	shards  *oracle.Shards // of a job that is divided
	started int            // runs of the program
	wrong   []string       // found without an audit
}

// on makes a volume the place of the state.
func (c *bench) on(volume *lab.Volume, err error) error {
	if err == nil {
		c.volume, c.state = volume, filepath.Join(volume.Folder, "state")
	}
	return err
}

// begin takes a job of a shape.
func (c *bench) begin(shape string) error {
	job, like, err := c.suite.reference(shape, c.rand.Uint64N(variants))
	if err != nil {
		return err
	}
	return c.serve(job, like)
}

// serve gives a job its service and its audit.
func (c *bench) serve(job *lab.Job, like *lab.Reference) (err error) {
	if c.state == "" {
		c.state = filepath.Join(c.dir, "state")
	}
	c.job, c.like = job, like
	if c.service, err = lab.Serve(job); err != nil {
		return err
	}
	c.audit = &oracle.Audit{
		Job: job, Service: c.service, Folder: c.state, Like: like, Stalls: &c.suite.stalls,
	}
	return nil
}

// anyShape draws a shape.
func (c *bench) anyShape() string {
	if c.suite.shape != "" {
		return c.suite.shape
	}
	shapes := lab.Shapes()
	return shapes[c.rand.IntN(len(shapes))]
}

// of names the shape of the job, where there is one.
func (c *bench) of() string {
	if c.job == nil {
		return ""
	}
	return fmt.Sprintf(", a job %q", c.job.Shape)
}

func (c *bench) found() []string {
	found := c.wrong
	if c.audit != nil {
		found = append(found, c.audit.Found()...)
	}
	if c.shards != nil {
		found = append(found, c.shards.Found()...)
	}
	return found
}

// do does the case in its folder, and closes what it has opened.
func (c *bench) do(broken func() (faults int, err error)) (faults int, err error) {
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return 0, err
	}
	faults, err = broken()
	if c.volume != nil {
		err = errors.Join(err, c.volume.Close())
	}
	if c.service != nil {
		err = errors.Join(err, c.service.Close())
	}
	return faults, err
}

// try does one run of an act, of which so many calls are left, and breaks it if it can. done: the
// act has ended.
type try func(act, left int) (broken, done bool, err error)

// through takes a job of any shape through its acts. In each it tries to break up to so many runs,
// until one has ended the act, and then lets the act end in peace.
func (c *bench) through(ctx context.Context, most int, try try) (faults int, err error) {
	if err := c.begin(c.anyShape()); err != nil {
		return 0, err
	}
	for act := range c.job.Acts {
		c.enter(act)
		left, done := c.like.Acts[act].Calls, false
		for n := 1 + c.rand.IntN(most); n > 0 && !done && ctx.Err() == nil; n-- {
			var broken bool
			if broken, done, err = try(act, left); err != nil {
				return faults, err
			}
			if broken {
				faults++
			}
			left -= c.service.Arrived()
		}
		if !done {
			if err := c.unbroken(act); err != nil {
				return faults, err
			}
		}
	}
	return faults, nil
}

// enter makes an act of the job begin at the service.
func (c *bench) enter(act int) {
	if change := c.job.Acts[act].Change; change != nil {
		c.service.Sim.Reconfigure(change)
	}
}

// moment draws when the next run of an act is to be hit.
func (c *bench) moment(act, left int) moment {
	return draw(c.rand, &c.like.Acts[act], left, c.started > 0)
}

// start starts the next run.
func (c *bench) start(act int) (*lab.Process, error) {
	if c.started++; c.started > 1 {
		c.service.NextRun()
	}
	return c.program.Start(c.job, act, c.service, c.state)
}

// until starts the next run and waits for the moment. came: before the end of the run.
func (c *bench) until(m moment, act int) (p *lab.Process, came bool, err error) {
	if p, err = c.start(act); err != nil {
		return nil, false, err
	}
	return p, m.await(p, c.service), nil
}

// patience is how long a run may take: far longer than any does. A flag sets it.
var patience = 90 * time.Second

// unbroken runs an act to its end and judges it.
func (c *bench) unbroken(act int) error {
	p, err := c.start(act)
	if err != nil {
		return err
	}
	end := p.Wait(patience)
	c.audit.Dead(end, false)
	c.audit.Finished(end, act)
	return nil
}

// ended judges a run, and its act if that is done.
func (c *bench) ended(end lab.Ended, act int, abrupt bool) (done bool) {
	c.audit.Dead(end, abrupt)
	if done = finished(end); done {
		c.audit.Finished(end, act)
	}
	return done
}

// fail records a violation that a row has found by itself.
func (c *bench) fail(oracle, format string, args ...any) {
	c.audit.Fail(oracle, fmt.Sprintf(format, args...))
}

// finished reports whether a run ended as one that is done with its act.
func finished(end lab.Ended) bool { return end.Code == 0 || end.Code == 3 }

// nothingToDo holds a finished job against its promise: run again it makes no call and ends with
// the same code.
func (c *bench) nothingToDo(act int) error {
	if slices.Contains(c.job.Acts[act].Flags, "--retry-failed") {
		return nil // it takes up again what failed again
	}
	p, err := c.start(act)
	if err != nil {
		return err
	}
	end := p.Wait(patience)
	c.audit.Dead(end, false)
	if c.service.Arrived() > 0 {
		c.fail("O7", "a finished job that was run again made calls")
	}
	if want := c.like.Acts[act].Code; end.Code != want {
		c.fail("O8", "a finished job that was run again ended with another code: %s", end.Last)
	}
	return nil
}
