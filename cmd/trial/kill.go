package main

import (
	"context"
	"syscall"
)

// mostKills is how often one job is killed at most.
const mostKills = 6

// killed kills one job again and again until it has ended, and then sees it do nothing more.
func killed(ctx context.Context, c *bench) (kills int, err error) {
	if err := c.begin(c.anyShape()); err != nil {
		return 0, err
	}
	for act := range c.job.Acts {
		n, err := c.killAct(ctx, act)
		kills += n
		if err != nil {
			return kills, err
		}
	}
	return kills, c.nothingToDo(len(c.job.Acts) - 1)
}

// killAct kills one act until it has ended by itself.
func (c *bench) killAct(ctx context.Context, act int) (kills int, err error) {
	c.enter(act)
	like := &c.like.Acts[act]
	left := like.Calls
	for most := 1 + c.rand.IntN(mostKills); kills < most && ctx.Err() == nil; {
		p, err := c.start(act)
		if err != nil {
			return kills, err
		}
		m := draw(c.rand, like, left, kills > 0)
		if m.await(p, c.service) {
			p.Signal(syscall.SIGKILL)
		}
		end := p.Wait(patience)
		c.audit.Dead(end, end.Signal == syscall.SIGKILL)
		left -= c.service.Arrived()
		if end.Signal == syscall.SIGKILL {
			kills++
			continue
		}
		c.audit.Finished(end, act)
		return kills, nil
	}
	return kills, c.unbroken(act)
}
