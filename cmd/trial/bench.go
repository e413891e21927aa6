package main

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"time"

	"friendmigrate/cmd/trial/lab"
	"friendmigrate/cmd/trial/oracle"
)

// bench is one case of a row: a job with a service of its own, and somebody who watches.
type bench struct {
	suite   *suite
	index   int
	dir     string
	rand    *rand.Rand
	program lab.Program

	job     *lab.Job
	like    *lab.Reference
	service *lab.Service
	state   string
	audit   *oracle.Audit
	shards  *oracle.Shards // of a job that is divided
	started int            // runs of the program
	wrong   []string       // found without an audit
}

// begin takes a job of a shape.
func (c *bench) begin(shape string) error {
	job, like, err := c.suite.reference(shape, c.rand.Uint64N(variants))
	if err != nil {
		return err
	}
	if c.state == "" {
		c.state = filepath.Join(c.dir, "state")
	}
	c.job, c.like = job, like
	if c.service, err = lab.Serve(job); err != nil {
		return err
	}
	c.audit = &oracle.Audit{Job: job, Service: c.service, Folder: c.state, Like: like, Stalls: &c.suite.stalls}
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
	if c.audit == nil {
		return c.wrong
	}
	found := c.audit.Found()
	if c.shards != nil {
		found = append(found, c.shards.Found()...)
	}
	return found
}

func (c *bench) close() error {
	if c.service == nil {
		return nil
	}
	return c.service.Close()
}

// enter makes an act of the job begin at the service.
func (c *bench) enter(act int) {
	if change := c.job.Acts[act].Change; change != nil {
		c.service.Sim.Reconfigure(change)
	}
}

// start starts the next run.
func (c *bench) start(act int) (*lab.Process, error) {
	if c.started++; c.started > 1 {
		c.service.NextRun()
	}
	return c.program.Start(c.job, act, c.service, c.state)
}

// patience is how long a run may take: far longer than any does.
const patience = 90 * time.Second

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

// finished reports whether a run ended as one that is done with its act.
func finished(end lab.Ended) bool { return end.Code == 0 || end.Code == 3 }

// nothingToDo holds a finished job against its promise: run again it makes no call and ends with the same code.
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
		c.audit.Fail("O7", "a finished job that was run again made calls")
	}
	if want := c.like.Acts[act].Code; end.Code != want {
		c.audit.Fail("O8", "a finished job that was run again ended with another code: "+end.Last)
	}
	return nil
}
