package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"time"

	"friendmigrate/cmd/trial/lab"
)

// row is one kind of fault.
type row struct {
	name, flag, help string
	ci, release      int // how often
	parallel         int // cases at once at most; 0: as many as there may be

	// broken does one case: it breaks a job, sees it through to its end, and returns how many
	// faults that were.
	broken func(ctx context.Context, c *bench) (faults int, err error)

	// whole does the row at once, where it is not made of cases.
	whole func(ctx context.Context, s *suite, count int) (faults int, err error)

	ready func() error // why it can't be done on this machine
}

// rows are all kinds of faults, in the order in which they are done.
var rows = []row{
	{name: "kill", flag: "kills",
		help: "kill -9 at random moments of staging, sending, committing, finishing and resuming",
		ci:   200, release: 5000, broken: killed},
	{name: "signal", flag: "signals", help: "SIGTERM, SIGINT, SIGHUP and double signals at random moments",
		ci: 50, release: 1000, broken: signalled},
	{name: "schedule", flag: "schedules", help: "a random schedule of kills, outages, throttling, " +
		"removed accounts, an admin that goes and returns, refused tags and torn pages",
		ci: 40, release: 2000, broken: scheduled},
	{name: "two", flag: "twos", help: "a second process on the same state", ci: 8, release: 100, broken: twoAtOnce},
	{name: "inputs", flag: "inputs",
		help: "random inputs and command lines: files 0 to 200, formats, line ends, marks, headers, quotes, " +
			"empty parts, lists, processors 1 to 16",
		ci: 300, release: 5000, broken: everyday},
	{name: "shards", flag: "shards",
		help: "1, 2, 4, 7 and 8 shards at once against one service, one of them killed",
		ci:   15, release: 600, parallel: 2, broken: sharded},
	{name: "power-ext4", flag: "power-ext4", help: "power cuts on ext4",
		ci: 50, release: 2000, broken: cutOn(lab.Ext4), ready: volumes(lab.Ext4)},
	{name: "power-xfs", flag: "power-xfs", help: "power cuts on XFS",
		ci: 50, release: 2000, broken: cutOn(lab.XFS), ready: volumes(lab.XFS)},
	{name: "control", flag: "controls",
		help: "power cuts of a program that never syncs, on both: it has to be found at fault",
		ci:   6, release: 40, whole: unsynced, ready: volumes(lab.Ext4, lab.XFS)},
	{name: "full", flag: "full", help: "a disk that is full from the start or fills up on the way",
		ci: 30, release: 500, broken: filled, ready: root},
	{name: "read-only", flag: "read-only", help: "a file system that goes read-only on the way, or was before",
		ci: 16, release: 300, broken: readOnly, ready: volumes(lab.Ext4)},
	{name: "restart", flag: "restarts", help: "kill -9 of a job of 10 million edges: how soon it sends again",
		ci: 5, release: 50, whole: restarted},
	{name: "image", flag: "images",
		help: "the image built from nothing so often: one digest, what is in it, commands in containers " +
			"without any right",
		ci: 2, release: 2, whole: shipped, ready: lab.Containers},
	{name: "containers", flag: "containers", help: "hardened containers killed, signalled, and two on one volume",
		ci: 12, release: 200, broken: contained, ready: lab.Containers},
	{name: "limits", flag: "limits", help: "containers with little memory; the flag counts millions of edges",
		ci: 1, release: 10, whole: limited, ready: lab.MemoryLimits},
	{name: "commands", flag: "command-kills",
		help: "kill -9 at random moments of verify, export, update, undo and accounts, each of which has to " +
			"come to what an unbroken one comes to; the flag counts kills of each command",
		ci: 10, release: 350, whole: swept(commandTests, kills)},
	{name: "operations", flag: "operation-seeds",
		help: "a crash or failure at each file operation of a small job, in each form; the flag counts jobs",
		ci:   1, release: 100, whole: swept(operationTest, sweeps)},
	{name: "damage", flag: "damage",
		help: "state files cut at each length and flipped at each byte, swapped, of another job or version; " +
			"input changed",
		ci: 1, release: 1, whole: swept(damageTests, sweeps)},
	{name: "mutants", flag: "mutants",
		help: "planted bugs, each of which the suites have to find; once, or 0: not",
		ci:   1, release: 1, whole: mutated},
	{name: "fuzz", flag: "fuzz-seconds", help: "every fuzz target, for so many seconds",
		ci: 15, release: 600, whole: fuzzed},
}

// root says why a row that mounts in memory can't be done.
func root() error {
	if os.Geteuid() != 0 {
		return errors.New("it takes root")
	}
	return nil
}

// volumes says why a row that needs such volumes can't be done.
func volumes(kinds ...string) func() error {
	return func() error {
		for _, kind := range kinds {
			if err := lab.Volumes(kind); err != nil {
				return err
			}
		}
		return nil
	}
}

// suite is one call of the command.
type suite struct {
	out      io.Writer
	seed     uint64
	index    int // of the one case to do; -1: all
	parallel int
	keep     bool
	first    bool   // end at the first violation
	shape    string // of jobs; "": any

	dir    string
	binary lab.Binary
	stalls lab.Stalls
	podman *lab.Podman                // nil until the image is built
	image  func() (*lab.Image, error) // builds it once

	mu         sync.Mutex
	violations int // so far
	references map[string]func() reference
}

// reference is a job and its unbroken run.
type reference struct {
	job  *lab.Job
	like *lab.Reference
	err  error
}

// run does the rows and prints a line for each.
func (s *suite) run(ctx context.Context, plan []planned) (err error) {
	if s.dir, err = os.MkdirTemp(lab.MemoryFolder(), "trial-"); err != nil {
		return err
	}
	defer func() {
		if s.podman != nil {
			err = errors.Join(err, s.podman.Close())
		}
		if !s.keep {
			err = errors.Join(err, os.RemoveAll(s.dir))
		}
	}()
	done := make(chan struct{})
	defer close(done)
	go s.stalls.Watch(done)
	s.references = map[string]func() reference{}
	s.image = sync.OnceValues(func() (*lab.Image, error) { return s.build(ctx) })
	if s.binary, err = lab.Build(ctx, s.dir, "friendmigrate"); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "%-14s %10s %8s %11s %8s\n", "fault", "seed", "count", "violations", "seconds")
	for _, p := range plan {
		if err := s.do(ctx, p); err != nil {
			return fmt.Errorf("row %s: %w", p.name, err)
		}
	}
	if s.violations > 0 {
		return errViolated
	}
	return nil
}

// do does one row.
func (s *suite) do(ctx context.Context, p planned) (err error) {
	if p.ready != nil {
		if err := p.ready(); err != nil {
			s.say("%-14s SKIPPED: %v", p.name, err)
			return nil
		}
	}
	began, before, faults := time.Now(), s.violations, 0
	if p.whole != nil {
		faults, err = p.whole(ctx, s, p.count)
	} else {
		faults, err = s.cases(ctx, p)
	}
	if err == nil {
		s.say("%-14s %10d %8d %11d %8.1f", p.name, s.seed, faults, s.violations-before, time.Since(began).Seconds())
	}
	return err
}

// cases does cases of a row, some at once, until there were enough faults.
func (s *suite) cases(ctx context.Context, p planned) (faults int, err error) {
	if s.index >= 0 {
		return s.one(ctx, p, s.index)
	}
	var mu sync.Mutex
	var group sync.WaitGroup
	next := 0
	parallel := s.parallel
	if p.parallel > 0 {
		parallel = min(parallel, p.parallel)
	}
	for range parallel {
		group.Go(func() {
			mu.Lock()
			defer mu.Unlock()
			for faults < p.count && next < 3*p.count+10 && err == nil && ctx.Err() == nil && !s.enough() {
				i := next
				next++
				mu.Unlock()
				n, failed := s.one(ctx, p, i)
				mu.Lock()
				if faults += n; err == nil {
					err = failed
				}
			}
		})
	}
	group.Wait()
	if err == nil {
		err = ctx.Err()
	}
	return faults, err
}

// one does one case and prints what it found.
func (s *suite) one(ctx context.Context, p planned, i int) (faults int, err error) {
	c := s.bench(p.name, i)
	if faults, err = c.do(func() (int, error) { return p.broken(ctx, c) }); err != nil {
		return faults, fmt.Errorf("case %d: %w", i, err)
	}
	found := c.found()
	for _, text := range found {
		s.violated(p.name, "case %d%s: %s", i, c.of(), text)
	}
	if len(found) > 0 {
		s.say("  replay: go run ./cmd/trial --only %s --replay %d:%d", p.name, s.seed, i)
		if s.keep {
			s.say("  kept in %s", c.dir)
			return faults, nil
		}
	}
	return faults, os.RemoveAll(c.dir)
}

// bench makes room for a case.
func (s *suite) bench(row string, i int) *bench {
	return &bench{
		suite: s, index: i, rand: rand.New(rand.NewPCG(s.seed, uint64(i)<<8|uint64(len(row)))), program: s.binary,
		dir: filepath.Join(s.dir, fmt.Sprintf("%s-%d", row, i)),
	}
}

func (s *suite) say(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(s.out, format+"\n", args...)
}

// violated counts and prints something that a row has found.
func (s *suite) violated(row, format string, args ...any) {
	s.say("  %s: %s", row, fmt.Sprintf(format, args...))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.violations++
}

// enough reports whether a violation was found that ends the suite.
func (s *suite) enough() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.first && s.violations > 0
}

// variants is how many different jobs of a shape a row meets with one seed.
const variants = 3

// reference makes a job and its unbroken run, or returns that which was made before.
func (s *suite) reference(shape string, variant uint64) (*lab.Job, *lab.Reference, error) {
	name := fmt.Sprintf("%s-%d", shape, variant)
	s.mu.Lock()
	made := s.references[name]
	if made == nil {
		made = sync.OnceValue(func() (r reference) {
			dir := filepath.Join(s.dir, "job-"+name)
			if r.job, r.err = lab.Make(dir, shape, s.seed*variants+variant); r.err == nil {
				r.like, r.err = s.binary.Refer(r.job, filepath.Join(dir, "unbroken"))
			}
			return r
		})
		s.references[name] = made
	}
	s.mu.Unlock()
	r := made()
	return r.job, r.like, r.err
}
