package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"syscall"

	"friendmigrate/cmd/trial/lab"
	"friendmigrate/cmd/trial/oracle"
)

// divisions are the numbers of shards. Cases take them in turn.
var divisions = []int{1, 2, 4, 7, 8}

// sharded runs a job in shards, all at once against one service, and holds them together against
// the undivided run. Of three cases of each division one lets them be, with more calls than a
// second has room for; one kills a shard of the same; and one does so with a job of any shape.
func sharded(ctx context.Context, c *bench) (int, error) {
	n, kind := divisions[c.index%len(divisions)], c.index/len(divisions)%3
	shape := "crowd"
	if kind == 2 {
		shape = c.anyShape()
	}
	if shape == "slow" && n > 2 { // less than a call each in a second, which is refused
		shape = "paced"
	}
	if err := c.begin(shape); err != nil {
		return 0, err
	}
	d := &divided{bench: c, killed: kind > 0}
	var err error
	if d.doors, err = c.service.Doors(n); err != nil {
		return 0, err
	}
	d.watch = oracle.NewShards(*c.audit, c.state, d.doors)
	c.shards = d.watch
	for act := range c.job.Acts {
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
		c.enter(act)
		if err := d.act(act); err != nil {
			return 0, err
		}
	}
	return 1, d.again(len(c.job.Acts) - 1)
}

// divided is a job in shards.
type divided struct {
	*bench
	doors  []*lab.Door
	watch  *oracle.Shards
	killed bool
}

// start starts a run of shard i.
func (d *divided) start(act, i int) (*lab.Process, error) {
	return d.suite.binary.StartShard(d.job, act, d.doors[i], d.state, fmt.Sprintf("%d/%d", i, len(d.doors)))
}

// act runs all shards to their ends; one of them is killed on the way.
func (d *divided) act(act int) (err error) {
	if act > 0 {
		d.service.NextRun()
	}
	processes := make([]*lab.Process, len(d.doors))
	for i := range processes {
		if processes[i], err = d.start(act, i); err != nil {
			return err
		}
	}
	killed := false
	if d.killed {
		victim := d.rand.IntN(len(processes))
		if killed, err = d.kill(act, victim, processes); err != nil {
			return err
		}
	}
	ends := make([]lab.Ended, len(processes))
	for i, p := range processes {
		ends[i] = p.Wait(patience)
		d.watch.Dead(i, ends[i], false)
	}
	d.watch.Finished(ends, act, d.job.Shape == "crowd" && !killed && act == 0)
	return d.status(func(end lab.Ended) { d.watch.Status(end, !d.job.Acts[act].Part) })
}

// kill kills a shard at some moment, looks at the whole in between, and starts it again, if it had
// not ended before.
func (d *divided) kill(act, victim int, processes []*lab.Process) (killed bool, err error) {
	like, p := &d.like.Acts[act], processes[victim]
	if !draw(d.rand, like, like.Calls, false).await(p, d.service) {
		return false, nil
	}
	p.Signal(syscall.SIGKILL)
	end := p.Wait(patience)
	if end.Signal != syscall.SIGKILL {
		return false, nil
	}
	d.watch.Dead(victim, end, true)
	// it may come before any has begun
	if begun, err := filepath.Glob(filepath.Join(d.state, "shard-*")); err != nil || len(begun) > 0 {
		if err := d.status(d.watch.Running); err != nil {
			return true, err
		}
	}
	d.service.NextRun()
	processes[victim], err = d.start(act, victim)
	return true, err
}

// status judges what status says of all shards.
func (d *divided) status(judge func(lab.Ended)) error {
	p, err := d.suite.binary.Run(d.job, "status", "--json", "--state", d.state)
	if err == nil {
		judge(p.Wait(patience))
	}
	return err
}

// again holds a finished shard against its promise: run again it makes no call and ends with the
// same code.
func (d *divided) again(act int) error {
	if slices.Contains(d.job.Acts[act].Flags, "--retry-failed") {
		return nil // it takes up again what failed again
	}
	i := d.rand.IntN(len(d.doors))
	var codes [2]int
	for k := range codes {
		d.service.NextRun()
		p, err := d.start(act, i)
		if err != nil {
			return err
		}
		end := p.Wait(patience)
		d.watch.Dead(i, end, false)
		if codes[k] = end.Code; d.service.Arrived() > 0 {
			d.watch.Fail("O7", fmt.Sprintf("shard %d, finished, made calls when it was run again", i))
		}
	}
	if codes[0] != codes[1] || codes[0] != 0 && codes[0] != 3 {
		d.watch.Fail("O8", fmt.Sprintf("shard %d, finished, ended with %d and %d when it was run again", i, codes[0],
			codes[1]))
	}
	return nil
}
