package main

import (
	"context"
	"syscall"
)

// mostKills is how often one act of a job is killed at most.
const mostKills = 6

// killed kills one job again and again until it has ended, and then sees it do nothing more.
func killed(ctx context.Context, c *bench) (kills int, err error) {
	kills, err = c.through(ctx, mostKills, func(act, left int) (broken, done bool, err error) {
		p, came, err := c.until(c.moment(act, left), act)
		if err != nil {
			return false, false, err
		}
		if came {
			p.Signal(syscall.SIGKILL)
		}
		end := p.Wait(patience)
		broken = end.Signal == syscall.SIGKILL
		c.audit.Dead(end, broken)
		if !broken {
			c.audit.Finished(end, act)
		}
		return broken, !broken, nil
	})
	if err != nil {
		return kills, err
	}
	return kills, c.nothingToDo(len(c.job.Acts) - 1)
}
