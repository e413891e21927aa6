package main

import (
	"context"
	"strings"
	"syscall"
	"time"

	"friendmigrate/cmd/trial/lab"
)

const mostKills = 6

// killed kills one job again and again until it has ended, and then sees it do nothing more.
func killed(ctx context.Context, c *bench) {
	c.through(ctx, mostKills, func(act, left int) (broken, done bool) {
		p, came := c.until(c.moment(act, left), act)
		if came {
			p.Signal(syscall.SIGKILL)
		}
		end := p.Wait(patience)
		broken = end.Signal == syscall.SIGKILL
		c.audit.Dead(end, broken)
		if !broken {
			c.audit.Finished(act, end)
		}
		return broken, !broken
	})
	c.nothingToDo(len(c.job.Acts) - 1)
}

// grace is how long after a signal a run may last, beside --timeout.
const grace = 5 * time.Second

// signalled sends one or two signals to runs of a job, and then lets it end.
func signalled(ctx context.Context, c *bench) { c.through(ctx, 2, c.signalRun) }

// signalRun does one run and signals it once or twice.
func (c *bench) signalRun(act, left int) (sent, done bool) {
	kinds := []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP}
	first, second := kinds[c.rand.IntN(3)], syscall.Signal(0)
	pause := time.Duration(c.rand.Float64() * float64(15*time.Millisecond))
	if c.rand.IntN(3) == 0 {
		second = kinds[c.rand.IntN(3)]
	}
	m := c.moment(act, left)
	p, sent := c.until(m, act)
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
		c.audit.Fail("O8", "it took %v to end after %v", took, first)
	}
	if done = c.ended(end, act, twice); !done {
		c.judgeSignal(end, m)
	}
	return sent, done
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
		c.audit.Fail("O8", "exit code %d (%v) after a signal (%v): %s", end.Code, end.Signal, m, end.Last)
	case !strings.HasPrefix(end.Last, "friendmigrate: ") || !hinted(end):
		c.audit.Fail("O8", "the last line after a signal is %q", end.Last)
	}
}

// twoAtOnce starts a second process on the state of one that is at work. Both may begin at once;
// one of them has to leave.
func twoAtOnce(ctx context.Context, c *bench) {
	c.through(ctx, 1, func(act, left int) (broken, done bool) {
		if act > 0 {
			return false, false
		}
		m := c.moment(act, left)
		if c.rand.IntN(3) == 0 {
			m = moment{kind: "starting", after: time.Duration(c.rand.Float64() * float64(3*time.Millisecond))}
		}
		a, _ := c.until(m, act)
		b := c.program.Start(c.job, act, c.service, c.state)
		first, second := a.Wait(patience), b.Wait(patience)
		if first.Code == 11 {
			first, second = second, first
		}
		c.audit.Dead(first, false)
		switch {
		case second.Code == 11 && hinted(second):
			c.audit.Finished(act, first)
		case finished(second): // the first had ended already
			c.audit.Finished(act, second)
		default:
			c.audit.Fail("O8", "the second process ended with %d: %s", second.Code, second.Last)
		}
		return true, true
	})
}
