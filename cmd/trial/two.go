package main

import (
	"context"
	"strings"
	"time"
)

// twoAtOnce starts a second process on the state of one that is at work. Both may begin at once;
// one of them has to leave.
func twoAtOnce(ctx context.Context, c *bench) (int, error) {
	return c.through(ctx, 1, func(act, left int) (broken, done bool, err error) {
		if act > 0 {
			return false, false, nil
		}
		m := c.moment(act, left)
		if c.rand.IntN(3) == 0 {
			m = moment{kind: "starting", after: time.Duration(c.rand.Float64() * float64(3*time.Millisecond))}
		}
		a, _, err := c.until(m, act)
		if err != nil {
			return false, false, err
		}
		b, err := c.program.Start(c.job, act, c.service, c.state)
		if err != nil {
			return false, false, err
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
			c.fail("O8", "the second process ended with %d: %s", second.Code, second.Last)
		}
		return true, true, nil
	})
}
