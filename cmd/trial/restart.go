package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"friendmigrate/cmd/trial/graph"
	"friendmigrate/cmd/trial/lab"
	"friendmigrate/sink/simulator"
)

// The job of the row restart, and how soon a run that goes on with it has to send. The first second
// of that is what the rate asks for: the run before may have sent a second's worth of calls until
// it died.
const (
	restartEdges = 10_000_000
	restartRate  = 200
	restartLimit = 2 * time.Second
)

// restarted kills a job of 10 million edges again and again and measures how soon each run that
// goes on with it sends its first call. The input is as it was.
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

// untilFirstCall starts a run, kills it in the midst of sending and says how long it took until it
// sent. found says why it did not.
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
