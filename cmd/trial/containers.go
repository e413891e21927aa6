package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"friendmigrate/cmd/trial/lab"
	"friendmigrate/sink/simulator"
)

// contained runs a job in containers, and kills it, signals it or starts a second container on its
// volume.
func contained(ctx context.Context, c *bench) {
	container := c.suite.image().NewContainer(c.dir)
	c.program, c.state = container, filepath.Join(container.Volume, "state")
	switch c.index % 3 {
	case 0:
		killed(ctx, c)
	case 1:
		signalled(ctx, c)
	case 2:
		c.secondContainer(container)
	}
}

// secondContainer starts a second container on the volume of one that is at work: it has to leave.
// Then an account of the job is fetched from the service into standard output, which takes a
// temporary file, with nowhere to write to but the volume.
func (c *bench) secondContainer(container *lab.Container) {
	c.begin("paced")
	const act = 0
	first := c.start(act)
	moment{kind: "sending", call: 1}.await(first, c.service)
	second := container.Start(c.job, act, c.service, c.state).Wait(patience)
	if second.Code != 11 || !hinted(second) {
		c.audit.Fail("O8", "the second container ended with %d: %s", second.Code, second.Last)
	}
	end := first.Wait(patience)
	c.audit.Dead(end, false)
	c.audit.Finished(act, end)
	c.faults = 1

	one := c.job.SortedPairs()[0]
	container.Write("accounts.txt", one.From+"\n")
	container.Write("key", lab.Key)
	args := append([]string{"export", "--accounts", "accounts.txt"}, lab.Reach(c.service.URL)...)
	end = container.Run(nil, args...).Wait(patience)
	if end.Code != 0 || !strings.Contains(end.Out, one.To) {
		c.audit.Fail("O8", "an export ended with %d: %s", end.Code, end.Out)
	}
}

// limit is a container that may have only so much memory.
type limit struct {
	flag     string // of podman run
	resident int64  // that the job may have; 0: it has to be killed
	memory   string // --memory; "": the program finds out by itself
	edges    int64  // at most
}

// The limits that jobs keep, and one that is far too low: if nothing happens there, the others say
// nothing either.
var limits = []limit{
	{flag: "384m", resident: 256 << 20, memory: "256MiB", edges: 1 << 40},
	{flag: "128m", resident: 128 << 20 * 7 / 10, edges: 1_000_000},
	{flag: "16m", edges: 1_000_000},
}

// limited sends so many millions of edges through containers with limits.
func limited(ctx context.Context, s *suite, millions int) (runs int) {
	image := s.image()
	for _, l := range limits {
		l.edges = min(l.edges, int64(millions)*1_000_000)
		s.limit(ctx, image, l)
	}
	return len(limits)
}

// limit does one job in one container.
func (s *suite) limit(ctx context.Context, image *lab.Image, l limit) {
	dir := s.podman.Folder("limited-") // on disk: what lies in memory is charged to who wrote it
	defer func() { lab.Check(os.RemoveAll(dir)) }()
	c := image.NewContainer(dir)
	largeInput(c.Volume, s.seed, l.edges)
	c.Write("key", lab.Key)
	sim := simulator.New(simulator.Config{App: lab.TheApp, Compact: true})
	service := lab.Listen(sim)
	defer service.Close()
	args := append([]string{"import"}, lab.Reach(service.URL)...)
	args = append(args, "--rate", "1000000", "--workers", "50")
	if l.memory != "" {
		args = append(args, "--memory", l.memory)
	}
	p := c.Run([]string{"--memory", l.flag, "--memory-swap", l.flag}, append(args, "edges.csv")...)
	defer context.AfterFunc(ctx, func() { p.Signal(syscall.SIGKILL) })()
	peak := p.PeakMemory()
	end := p.Wait(time.Minute)
	s.say("  %d edges in a container of %s: %.1f s, %.0f MB resident at most", l.edges, l.flag, end.Took.Seconds(),
		megabytes(peak))
	s.judgeLimit(l, end, peak, sim.Stats().GraphEdges)
}

func (s *suite) judgeLimit(l limit, end lab.Ended, peak, there int64) {
	if l.resident == 0 {
		if end.Signal != syscall.SIGKILL {
			s.violated("%s: it ended with %d and was not killed, so the limit is not in force: %s", l.flag, end.Code,
				end.Last)
		}
		return
	}
	if end.Code != 0 || there != l.edges {
		s.violated("%s: it ended with %d (%v), %d of %d edges are in the service: %s", l.flag, end.Code, end.Signal,
			there, l.edges, end.Last)
	}
	if peak == 0 || peak > l.resident {
		s.violated("%s: %d bytes were resident", l.flag, peak)
	}
}
