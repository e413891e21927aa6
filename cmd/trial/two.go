package main

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// twoAtOnce starts a second process on the state of one that is at work. Both may begin at once; one of them has to leave.
func twoAtOnce(_ context.Context, c *bench) (int, error) {
	if err := c.begin(c.anyShape()); err != nil {
		return 0, err
	}
	act := 0
	m := draw(c.rand, &c.like.Acts[act], c.like.Acts[act].Calls, false)
	if c.rand.IntN(3) == 0 {
		m = moment{kind: "starting", after: time.Duration(c.rand.Float64() * float64(3*time.Millisecond))}
	}
	a, err := c.start(act)
	if err != nil {
		return 0, err
	}
	m.await(a, c.service)
	b, err := c.program.Start(c.job, act, c.service, c.state)
	if err != nil {
		return 0, err
	}
	first, second := a.Wait(patience), b.Wait(patience)
	if first.Code == 11 {
		first, second = second, first
	}
	c.audit.Dead(first, false)
	switch {
	case second.Code == 11 && strings.Contains(second.Last, "; hint: "):
		c.audit.Finished(first, act)
	case finished(second): // the first had ended already
		c.audit.Finished(second, act)
	default:
		c.audit.Fail("O8", fmt.Sprintf("the second process ended with %d: %s", second.Code, second.Last))
	}
	for act := 1; act < len(c.job.Acts); act++ {
		c.enter(act)
		if err := c.unbroken(act); err != nil {
			return 1, err
		}
	}
	return 1, nil
}
