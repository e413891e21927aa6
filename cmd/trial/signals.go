package main

import (
	"context"
	"fmt"
	"strings"
	"syscall"
	"time"

	"friendmigrate/cmd/trial/lab"
)

// grace is how long after a signal a run may last, beside --timeout.
const grace = 5 * time.Second

// signalled sends one or two signals to a job, and then lets it end.
func signalled(ctx context.Context, c *bench) (signals int, err error) {
	if err := c.begin(c.anyShape()); err != nil {
		return 0, err
	}
	for act := range c.job.Acts {
		c.enter(act)
		left := c.like.Acts[act].Calls
		done := false
		for range 1 + c.rand.IntN(2) {
			var sent bool
			if sent, done, err = c.signalRun(act, left, signals > 0); err != nil {
				return signals, err
			}
			if sent {
				signals++
			}
			if left -= c.service.Arrived(); done || ctx.Err() != nil {
				break
			}
		}
		if !done {
			if err := c.unbroken(act); err != nil {
				return signals, err
			}
		}
	}
	return signals, nil
}

// signalRun does one run and signals it once or twice.
func (c *bench) signalRun(act, left int, resumed bool) (sent, done bool, err error) {
	kinds := []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP}
	first, second := kinds[c.rand.IntN(3)], syscall.Signal(0)
	pause := time.Duration(c.rand.Float64() * float64(15*time.Millisecond))
	if c.rand.IntN(3) == 0 {
		second = kinds[c.rand.IntN(3)]
	}
	m := draw(c.rand, &c.like.Acts[act], left, resumed)
	p, err := c.start(act)
	if err != nil {
		return false, false, err
	}
	at := time.Now()
	twice := false
	if sent = m.await(p, c.service); sent {
		at = time.Now()
		p.Signal(first)
		if second != 0 && sleep(pause, p.Done()) {
			p.Signal(second)
			twice = true
		}
	}
	end := p.Wait(patience)
	c.audit.Dead(end, twice)
	if took := time.Since(at); sent && took > c.job.Timeout+grace {
		c.audit.Fail("O8", fmt.Sprintf("it took %v to end after %v", took, first))
	}
	if finished(end) {
		c.audit.Finished(end, act)
		return sent, true, nil
	}
	c.judgeSignal(end, m, twice)
	return sent, false, nil
}

// judgeSignal: a run that a signal ended says so, with 4.
func (c *bench) judgeSignal(end lab.Ended, m moment, twice bool) {
	_, first := c.program.(*lab.Container) // the first process of its system, which no signal ends unless it asks for it
	switch {
	case end.Signal != 0 && end.Out == "" && c.service.Arrived() == 0: // before the program had asked for signals: the system's own way
	case first && end.Code == 2 && end.Out == "" && c.service.Arrived() == 0: // the same, and Go's own way out
	case end.Code != 4:
		c.audit.Fail("O8", fmt.Sprintf("exit code %d (%v) after a signal (%v): %s", end.Code, end.Signal, m, end.Last))
	case !strings.HasPrefix(end.Last, "friendmigrate: ") || !strings.Contains(end.Last, "; hint: "):
		c.audit.Fail("O8", fmt.Sprintf("the last line after a signal is %q", end.Last))
	case twice && strings.Contains(end.Last, "stopped by"): // it was done before the second one came
	}
}
