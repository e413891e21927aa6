package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
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
	like    []lab.ReferenceAct
	service *lab.Service
	volume  *lab.Volume // that the state is on; nil: no volume of its own
	state   string
	audit   *oracle.Audit
	started int // runs of the program
	faults  int // faults done to them
}

func (s *suite) bench(row string, i int) *bench {
	name := fmt.Sprintf("%s-%d", row, i)
	return &bench{
		suite: s, index: i, program: s.binary, dir: filepath.Join(s.dir, name),
		rand: rand.New(rand.NewChaCha8(sha256.Sum256(fmt.Append(nil, s.seed, name)))),
	}
}

// do runs the case in its folder, closes what it has opened, and returns what was violated.
func (c *bench) do(ctx context.Context, broken func(context.Context, *bench)) (found []string) {
	err := lab.Catch(func() {
		lab.Check(os.MkdirAll(c.dir, 0o700))
		broken(ctx, c)
	})
	if c.volume != nil {
		err = errors.Join(err, lab.Catch(c.volume.Close))
	}
	if c.service != nil {
		err = errors.Join(err, lab.Catch(c.service.Close))
	}
	if err != nil {
		lab.Check(fmt.Errorf("case %d: %w", c.index, err))
	}
	if c.audit != nil {
		found = c.audit.Found()
	}
	return found
}

func (c *bench) on(volume *lab.Volume) {
	c.volume, c.state = volume, filepath.Join(volume.Folder, "state")
}

func (c *bench) begin(shape string) {
	r := c.suite.reference(shape, c.rand.Uint64N(variants))
	c.serve(r.job, r.like)
}

// serve starts the service and the audit of a job.
func (c *bench) serve(job *lab.Job, like []lab.ReferenceAct) {
	if c.state == "" {
		c.state = filepath.Join(c.dir, "state")
	}
	c.job, c.like, c.service = job, like, lab.Serve(job)
	c.audit = oracle.New(job, c.service, c.state, like, &c.suite.stalls)
}

func (c *bench) anyShape() string {
	if c.suite.shape != "" {
		return c.suite.shape
	}
	shapes := lab.Shapes()
	return shapes[c.rand.IntN(len(shapes))]
}

// through runs a job of any shape, act by act. For each act it calls try up to most times, until a
// run has ended the act (done). try does one run and breaks it if it can; left is the number of
// calls that the act has left. If no run has ended the act, one more does so without a fault.
func (c *bench) through(ctx context.Context, most int, try func(act, left int) (broken, done bool)) {
	c.begin(c.anyShape())
	for act := range c.job.Acts {
		c.service.Enter(act)
		left, broken, done := c.like[act].Calls, false, false
		for n := 1 + c.rand.IntN(most); n > 0 && !done && ctx.Err() == nil; n-- {
			if broken, done = try(act, left); broken {
				c.faults++
			}
			left -= c.service.Arrived()
		}
		if !done {
			end := c.start(act).Wait(patience)
			c.audit.Dead(end, false)
			c.audit.Finished(act, end)
		}
	}
}

// moment draws when the next run of an act is broken.
func (c *bench) moment(act, left int) moment {
	return draw(c.rand, &c.like[act], left, c.started > 0)
}

func (c *bench) start(act int) *lab.Process {
	c.started++
	c.service.NextRun()
	return c.program.Start(c.job, act, c.service, c.state)
}

// until starts the next run and waits for the moment. came is false if the run ended before.
func (c *bench) until(m moment, act int) (p *lab.Process, came bool) {
	p = c.start(act)
	return p, m.await(p, c.service)
}

// patience is the time limit of a run: far longer than any takes. A flag sets it.
var patience = 90 * time.Second

// ended judges a run and, if the run has ended it, the act.
func (c *bench) ended(end lab.Ended, act int, abrupt bool) (done bool) {
	c.audit.Dead(end, abrupt)
	if done = finished(end); done {
		c.audit.Finished(act, end)
	}
	return done
}

// finished reports whether a run has finished its act.
func finished(end lab.Ended) bool { return end.Code == 0 || end.Code == 3 }

// hinted reports whether the last line of a run has a hint.
func hinted(end lab.Ended) bool { return strings.Contains(end.Last, "; hint: ") }

// nothingToDo checks that a job that has finished an act has nothing more to do.
func (c *bench) nothingToDo(act int) {
	c.again(act, 0, c.like[act].Code, func() *lab.Process { return c.program.Start(c.job, act, c.service, c.state) })
}

// again runs a finished job, or a shard of one, again: it must make no call and end with the same
// code.
func (c *bench) again(act, shard, code int, start func() *lab.Process) {
	if slices.Contains(c.job.Acts[act].Flags, "--retry-failed") {
		return // it sends again what has failed again
	}
	c.service.NextRun()
	end := start().Wait(patience)
	c.audit.DeadShard(shard, end, false)
	if c.service.Arrived() > 0 {
		c.audit.Fail("O7", "a finished job that was run again made calls")
	}
	if end.Code != code {
		c.audit.Fail("O8", "a finished job that was run again ended with %d, not %d: %s", end.Code, code, end.Last)
	}
}

// moment is when a run is broken.
type moment struct {
	kind  string
	after time.Duration // since the start, or since the event
	call  int           // the event: number of a friend_import of this run; 0: no event
	end   bool          // the event is the call's end, not its arrival
}

func (m moment) String() string {
	switch {
	case m.call == 0:
		return fmt.Sprintf("%s, %v after the start", m.kind, m.after)
	case m.end:
		return fmt.Sprintf("%s, %v after the end of call %d", m.kind, m.after, m.call)
	}
	return fmt.Sprintf("%s, %v after the arrival of call %d", m.kind, m.after, m.call)
}

// draw draws a moment for a run of an act with a number of calls left, by how long the parts of an
// unbroken run took.
func draw(r *rand.Rand, like *lab.ReferenceAct, left int, resumed bool) moment {
	within := func(d time.Duration) time.Duration { return time.Duration(r.Float64() * float64(d)) }
	left = max(left, 1)
	early := func() int { // the first calls of a run more often than the last
		share := r.Float64()
		return 1 + int(share*share*float64(left))
	}
	stage := min(like.Stage, time.Second)
	switch n := r.IntN(100); {
	case resumed && n < 25: // opening journal and stage, then waiting a second for the rate
		return moment{kind: "resuming", after: within(max(stage, 30*time.Millisecond))}
	case !resumed && n < 25:
		return moment{kind: "staging", after: within(stage * 11 / 10)}
	case n < 55:
		return moment{kind: "sending", after: within(6 * time.Millisecond), call: early()}
	case n < 80:
		return moment{kind: "committing", after: within(2 * time.Millisecond), call: early(), end: true}
	}
	return moment{kind: "finishing", after: within(max(like.Finish, 10*time.Millisecond) * 12 / 10), call: left,
		end: true}
}

// await waits for the moment, or for the end of the process, and reports whether the moment came
// first. Call it right after the start.
func (m moment) await(p *lab.Process, s *lab.Service) bool {
	if m.call == 0 {
		return sleep(time.Until(p.Began.Add(m.after)), p.Done())
	}
	select {
	case <-s.Reached(m.call, m.end):
		return sleep(m.after, p.Done())
	case <-p.Done():
		return false
	}
}

// sleep sleeps for d unless happens is closed before, and reports whether it was not.
func sleep(d time.Duration, happens <-chan struct{}) bool {
	t := time.NewTimer(max(d, 0))
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-happens:
		return false
	}
}
