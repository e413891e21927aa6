package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"friendmigrate/cmd/trial/lab"
	"friendmigrate/sink/simulator"
)

// limit is a container that may have only so much memory.
type limit struct {
	flag     string // of podman run
	resident int64  // that the job may have
	memory   string // --memory; "": the program finds out by itself
	edges    int64  // at most
}

// The limits that jobs keep, and one that is far too low: if nothing happens there, the others say
// nothing either.
var (
	limits = []limit{
		{flag: "384m", resident: 256 << 20, memory: "256MiB", edges: 1 << 40},
		{flag: "128m", resident: 128 << 20 * 7 / 10, edges: 1_000_000},
	}
	tooLow = limit{flag: "16m", edges: 1_000_000}
)

// limited sends so many millions of edges through containers with limits.
func limited(ctx context.Context, s *suite, millions int) (runs int, err error) {
	image, err := s.image()
	if err != nil {
		return 0, err
	}
	for _, l := range append(limits[:len(limits):len(limits)], tooLow) {
		l.edges = min(l.edges, int64(millions)*1_000_000)
		found, err := s.limit(ctx, image, l)
		if err != nil {
			return runs, fmt.Errorf("limit %s: %w", l.flag, err)
		}
		for _, text := range found {
			s.violated("limits", "%d edges in %s: %s", l.edges, l.flag, text)
		}
		runs++
	}
	return runs, nil
}

// limit does one job in one container.
func (s *suite) limit(ctx context.Context, image *lab.Image, l limit) (found []string, err error) {
	dir, err := s.podman.Folder("limited-") // on disk: what lies in memory is charged to who wrote it
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	c, err := image.NewContainer(dir)
	if err != nil {
		return nil, err
	}
	err = errors.Join(largeInput(dir, s.seed, l.edges), os.Rename(filepath.Join(dir, "edges.csv"),
		filepath.Join(c.Volume, "edges.csv")),
		c.Write(filepath.Join(c.Volume, "key"), lab.Key))
	if err != nil {
		return nil, err
	}
	sim := simulator.New(simulator.Config{App: simulator.App{SDKAppID: lab.App, Key: lab.Key}, Compact: true})
	defer sim.Close()
	service, err := lab.Listen(sim, nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, service.Close()) }()
	args := []string{"import", "--sdk-app-id", fmt.Sprint(lab.App), "--secret-key-file", "key", "--endpoint",
		service.URL,
		"--progress", "none", "--rate", "1000000", "--workers", "50"}
	if l.memory != "" {
		args = append(args, "--memory", l.memory)
	}
	p, err := c.Run([]string{"--memory", l.flag, "--memory-swap", l.flag}, append(args, "edges.csv")...)
	if err != nil {
		return nil, err
	}
	defer context.AfterFunc(ctx, func() { p.Signal(syscall.SIGKILL) })()
	m, err := p.WatchMemory()
	end := p.Wait(time.Minute)
	if err != nil {
		return nil, errors.Join(err, fmt.Errorf("it ended with %d: %s", end.Code, end.Out))
	}
	s.say("  %d edges in a container of %s: %.1f s, %.0f MB resident, %.0f MB charged at most", l.edges, l.flag,
		end.Took.Seconds(), megabytes(m.Resident), megabytes(m.Charged))
	return l.judge(end, m, sim.Stats().GraphEdges), nil
}

func (l limit) judge(end lab.Ended, m lab.Memory, there int64) (found []string) {
	fail := func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }
	if l.resident == 0 {
		if end.Signal != syscall.SIGKILL {
			fail("it ended with %d and was not killed: the limit is not in force: %s", end.Code, end.Last)
		}
		return found
	}
	if end.Code != 0 || there != l.edges {
		fail("it ended with %d (%v), %d edges are in the service: %s", end.Code, end.Signal, there, end.Last)
	}
	if m.Resident > l.resident || m.Charged > m.Limit || m.Killed > 0 {
		fail("%d bytes were resident, %d charged of %d, killed %d times", m.Resident, m.Charged, m.Limit, m.Killed)
	}
	return found
}
