package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"friendmigrate/cmd/trial/graph"
	"friendmigrate/cmd/trial/lab"
	"friendmigrate/sink/simulator"
)

const mostKills = 6

// killed kills one job again and again until it has ended, and then checks that it does nothing
// more.
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

// grace is how long a run may last after a signal, in addition to --timeout.
const grace = 5 * time.Second

// signalled sends one or two signals to runs of a job, and then lets it end.
func signalled(ctx context.Context, c *bench) { c.through(ctx, 2, c.signalRun) }

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

// judgeSignal checks that a run that a signal ended says so and exits with 4.
func (c *bench) judgeSignal(end lab.Ended, m moment) {
	// In a container the program is the first process, which a signal ends only if it is handled.
	_, first := c.program.(*lab.Container)
	early := end.Out == "" && c.service.Arrived() == 0
	switch {
	case early && end.Signal != 0: // by the system, before the program handles signals
	case early && first && end.Code == 2: // by Go's runtime, before the program handles signals
	case end.Code != 4:
		c.audit.Fail("O8", "exit code %d (%v) after a signal (%v): %s", end.Code, end.Signal, m, end.Last)
	case !strings.HasPrefix(end.Last, "friendmigrate: ") || !hinted(end):
		c.audit.Fail("O8", "the last line after a signal is %q", end.Last)
	}
}

// twoAtOnce starts a second process on the state of one that is at work. Both may begin at once;
// one of them has to exit.
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

// The job of the row restart, and how soon a resumed run has to send. The rate requires the first
// second: the run before may have sent a second's worth of calls until it died.
const (
	restartEdges = 10_000_000
	restartRate  = 200
	restartLimit = 2 * time.Second
)

// restarted kills a job of 10 million edges again and again and measures how soon each resumed run
// sends its first call. The input stays unchanged.
func restarted(ctx context.Context, s *suite, count int) (kills int) {
	dir := lab.Must(os.MkdirTemp("", "trial-restart-")) // on a disk, as a large job is
	defer func() { lab.Check(os.RemoveAll(dir)) }()
	job := &lab.Job{
		Shape: "restart", Dir: dir, Workers: 300, Rate: restartRate, Timeout: 3 * time.Second, Acts: []lab.Act{{}},
		Inputs:  []string{"edges.csv"},
		Service: simulator.Config{App: lab.TheApp, Latency: 50 * time.Millisecond, Seed: s.seed},
	}
	largeInput(dir, s.seed, restartEdges)
	service := lab.Serve(job)
	defer service.Close()
	var slowest time.Duration
	for ; kills <= count && ctx.Err() == nil; kills++ {
		took, found := s.untilFirstCall(job, service, dir)
		switch {
		case found != "":
			s.violated("%s", found)
			return kills + 1
		case kills == 0:
			s.say("  restart: %d edges read, staged and begun to be sent after %.1f s", restartEdges, took.Seconds())
			continue
		case took > restartLimit+s.stalls.Longest():
			s.violated("the first call left after %v", took)
		}
		slowest = max(slowest, took)
	}
	s.say("  restart: first new call within %.2f s, the slowest of %d", slowest.Seconds(), kills-1)
	if n := service.Sim.Stats().Overlaps; n > 0 {
		s.violated("O5: %d calls overlapped", n)
	}
	if took, known := service.Closest(restartRate + 1); known && took < time.Second-2*s.stalls.Longest() {
		s.violated("O6: %d calls arrived within %v", restartRate+1, took)
	}
	return kills
}

// largeInput writes a key, and an input that the user of the image can read, into a folder.
func largeInput(dir string, seed uint64, edges int64) {
	o := graph.Default()
	o.Seed, o.Edges, o.Mean = seed, edges, 40
	g := lab.Must(graph.New(o))
	lab.Check(os.WriteFile(filepath.Join(dir, "key"), []byte(lab.Key+"\n"), 0o600))
	f := lab.Must(os.OpenFile(filepath.Join(dir, "edges.csv"), os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o644))
	lab.Check(errors.Join(g.Write(f), f.Close()))
}

// untilFirstCall starts a run, kills it while it sends and returns how long it took to send the
// first call. found says why it sent none.
func (s *suite) untilFirstCall(job *lab.Job, service *lab.Service, dir string) (took time.Duration, found string) {
	service.NextRun()
	p := s.binary.Start(job, 0, service, filepath.Join(dir, "state"))
	defer time.AfterFunc(5*time.Minute, func() { p.Signal(syscall.SIGKILL) }).Stop()
	if (moment{call: 1}).await(p, service) {
		took = time.Since(p.Began)
		time.Sleep(500 * time.Millisecond) // so that there are calls in flight and settled ones
	}
	p.Signal(syscall.SIGKILL)
	end := p.Wait(10 * time.Second)
	if end.Signal != syscall.SIGKILL || took == 0 {
		return 0, fmt.Sprintf("the run sent nothing or ended by itself, with code %d: %s", end.Code, end.Out)
	}
	return took, ""
}
