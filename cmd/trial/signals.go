package main

import (
	"context"
	"strings"
	"syscall"
	"time"

	"friendmigrate/cmd/trial/lab"
)

// grace is how long after a signal a run may last, beside --timeout.
const grace = 5 * time.Second

// signalled sends one or two signals to runs of a job, and then lets it end.
func signalled(ctx context.Context, c *bench) (signals int, err error) {
	return c.through(ctx, 2, c.signalRun)
}

// signalRun does one run and signals it once or twice.
func (c *bench) signalRun(act, left int) (sent, done bool, err error) {
	kinds := []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP}
	first, second := kinds[c.rand.IntN(3)], syscall.Signal(0)
	pause := time.Duration(c.rand.Float64() * float64(15*time.Millisecond))
	if c.rand.IntN(3) == 0 {
		second = kinds[c.rand.IntN(3)]
	}
	m := c.moment(act, left)
	p, sent, err := c.until(m, act)
	if err != nil {
		return false, false, err
	}
	at, twice := time.Now(), false
	if sent {
		p.Signal(first)
		if second != 0 && sleep(pause, p.Done()) {
			p.Signal(second)
			twice = true
		}
	}
	end := p.Wait(patience)
	if took := time.Since(at); sent && took > c.job.Timeout+grace {
		c.fail("O8", "it took %v to end after %v", took, first)
	}
	if done = c.ended(end, act, twice); !done {
		c.judgeSignal(end, m)
	}
	return sent, done, nil
}

// judgeSignal: a run that a signal ended says so, with 4.
func (c *bench) judgeSignal(end lab.Ended, m moment) {
	// the first process of its system, which no signal ends unless it asks for it
	_, first := c.program.(*lab.Container)
	early := end.Out == "" && c.service.Arrived() == 0
	switch {
	case early && end.Signal != 0: // before the program had asked for signals: the system's own way
	case early && first && end.Code == 2: // the same, and Go's own way out
	case end.Code != 4:
		c.fail("O8", "exit code %d (%v) after a signal (%v): %s", end.Code, end.Signal, m, end.Last)
	case !strings.HasPrefix(end.Last, "friendmigrate: ") || !strings.Contains(end.Last, "; hint: "):
		c.fail("O8", "the last line after a signal is %q", end.Last)
	}
}
