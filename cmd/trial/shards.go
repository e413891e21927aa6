package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"syscall"

	"friendmigrate/cmd/trial/lab"
)

// divisions are the numbers of shards. Cases take them in turn.
var divisions = []int{1, 2, 4, 7, 8}

// sharded runs a job in shards, all at once against one service, and compares them together with
// the undivided run. Each division has three kinds of cases. The first kind kills no shard and has
// more calls than the rate allows in a second; the second kills a shard of the same job; the third
// kills a shard of a job of any shape.
func sharded(ctx context.Context, c *bench) {
	n, kind := divisions[c.index%len(divisions)], c.index/len(divisions)%3
	shape := "crowd"
	if kind == 2 {
		shape = c.anyShape()
	}
	if shape == "slow" && n > 2 { // its rate is less than one call per second and shard, which is refused
		shape = "paced"
	}
	c.begin(shape)
	d := &divided{bench: c, doors: c.service.Doors(n), ends: make([]lab.Ended, n)}
	c.audit.Divide(d.doors)
	for act := range c.job.Acts {
		if ctx.Err() != nil {
			return
		}
		c.service.Enter(act)
		d.act(act, kind > 0)
	}
	c.faults = 1
	i, last := c.rand.IntN(n), len(c.job.Acts)-1
	c.again(last, i, d.ends[i].Code, func() *lab.Process { return d.start(last, i) })
}

type divided struct {
	*bench
	doors []*lab.Door
	ends  []lab.Ended // of the last act
}

func (d *divided) start(act, i int) *lab.Process {
	args := d.job.Args(act, "http://chat.test", d.state)
	args = append(args, "--allow-plain-http", "--shard", fmt.Sprintf("%d/%d", i, len(d.doors)))
	env := append(slices.Clip(d.job.Env), "HTTP_PROXY="+d.doors[i].URL)
	return d.suite.binary.RunIn(d.job.Dir, env, nil, args...)
}

// act runs all shards to their ends; one of them may be killed and started again.
func (d *divided) act(act int, kill bool) {
	d.service.NextRun()
	processes := make([]*lab.Process, len(d.doors))
	for i := range processes {
		processes[i] = d.start(act, i)
	}
	killed := kill && d.kill(act, d.rand.IntN(len(processes)), processes)
	for i, p := range processes {
		d.ends[i] = p.Wait(patience)
		d.audit.DeadShard(i, d.ends[i], false)
	}
	d.audit.Finished(act, d.ends...)
	if d.job.Shape == "crowd" && !killed && act == 0 {
		d.audit.SentOnce(act)
	}
	d.audit.Status(d.status(), true, !d.job.Acts[act].Part)
}

// kill kills a shard at some moment, checks the status of the whole job, and starts the shard
// again. It does nothing if the shard ends before.
func (d *divided) kill(act, victim int, processes []*lab.Process) (killed bool) {
	like, p := &d.like[act], processes[victim]
	if !draw(d.rand, like, like.Calls, false).await(p, d.service) {
		return false
	}
	p.Signal(syscall.SIGKILL)
	end := p.Wait(patience)
	if end.Signal != syscall.SIGKILL {
		return false
	}
	d.audit.DeadShard(victim, end, true)
	// the kill may come before any shard has begun
	if begun := lab.Must(filepath.Glob(filepath.Join(d.state, "shard-*"))); len(begun) > 0 {
		d.audit.Status(d.status(), false, false)
	}
	d.service.NextRun()
	processes[victim] = d.start(act, victim)
	return true
}

func (d *divided) status() lab.Ended {
	return d.suite.binary.Run(d.job, "status", "--json", "--state", d.state).Wait(patience)
}
