package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"friendmigrate/cmd/trial/lab"
)

type row struct {
	name, flag, help string
	ci, release      int // how often
	count            int // one of the two, or the value of the row's flag

	// do does it that often and returns the number of faults. It reports violations with
	// suite.violated. An error of the bench itself ends the suite (lab.Check).
	do func(ctx context.Context, s *suite, count int) (faults int)

	ready func() error // returns why the row cannot be done on this machine
}

// rows returns all kinds of faults, in the order in which they are done.
var rows = []row{
	{name: "kill", flag: "kills",
		help: "kill -9 at random moments of staging, sending, committing, finishing and resuming",
		ci:   200, release: 5000, do: cases(killed)},
	{name: "signal", flag: "signals", help: "SIGTERM, SIGINT, SIGHUP and double signals at random moments",
		ci: 50, release: 1000, do: cases(signalled)},
	{name: "schedule", flag: "schedules", help: "a random schedule of kills, outages, throttling, " +
		"removed accounts, an admin that goes and returns, refused tags and torn pages",
		ci: 40, release: 2000, do: cases(scheduled)},
	{name: "two", flag: "twos", help: "a second process on the same state", ci: 8, release: 100, do: cases(twoAtOnce)},
	{name: "inputs", flag: "inputs",
		help: "random inputs and command lines: files 0 to 200, formats, line ends, marks, headers, quotes, " +
			"empty parts, lists, processors 1 to 16",
		ci: 300, release: 5000, do: swept("friendmigrate/cmd/trial", inputsTest, "-inputs=")},
	{name: "shards", flag: "shards",
		help: "1, 2, 4, 7 and 8 shards at once against one service, one of them killed",
		ci:   15, release: 600, do: atMost(2, sharded)},
	{name: "power-ext4", flag: "power-ext4", help: "power cuts on ext4",
		ci: 50, release: 2000, do: cases(cutOn(lab.Ext4)), ready: volumes(lab.Ext4)},
	{name: "power-xfs", flag: "power-xfs", help: "power cuts on XFS",
		ci: 50, release: 2000, do: cases(cutOn(lab.XFS)), ready: volumes(lab.XFS)},
	{name: "control", flag: "controls",
		help: "power cuts of a program that never syncs, on both: it has to be found at fault",
		ci:   6, release: 40, do: unsynced, ready: volumes(lab.Ext4, lab.XFS)},
	{name: "full", flag: "full", help: "a disk that is full from the start or fills up on the way",
		ci: 30, release: 500, do: cases(filled), ready: root},
	{name: "read-only", flag: "read-only", help: "a file system that goes read-only on the way, or was before",
		ci: 16, release: 300, do: cases(readOnly), ready: volumes(lab.Ext4)},
	{name: "restart", flag: "restarts", help: "kill -9 of a job of 10 million edges: how soon it sends again",
		ci: 5, release: 50, do: restarted},
	{name: "image", flag: "images",
		help: "the image built from nothing so often: one digest, what is in it, commands in containers " +
			"without any right",
		ci: 1, release: 2, do: shipped, ready: lab.Containers},
	{name: "containers", flag: "containers", help: "hardened containers killed, signalled, and two on one volume",
		ci: 12, release: 200, do: cases(contained), ready: lab.Containers},
	{name: "limits", flag: "limits", help: "containers with little memory; the flag counts millions of edges",
		ci: 1, release: 10, do: limited, ready: lab.MemoryLimits},
	{name: "commands", flag: "command-kills",
		help: "kill -9 at random moments of verify, export, update, undo and accounts, each of which has to " +
			"come to what an unbroken one comes to; the flag counts kills of each command",
		ci: 10, release: 350, do: swept(program, commandTests, kills)},
	{name: "operations", flag: "operation-seeds",
		help: "a crash or failure at each file operation of a small job, in each form; the flag counts jobs",
		ci:   1, release: 100, do: swept(program, operationTest, sweeps)},
	{name: "damage", flag: "damage",
		help: "state files cut at each length and flipped at each byte, swapped, of another job or version; " +
			"input changed",
		ci: 1, release: 1, do: swept(program, damageTests, sweeps)},
	{name: "mutants", flag: "mutants",
		help: "planted bugs, each of which the suites have to find; once, or 0: not",
		ci:   1, release: 1, do: mutated},
	{name: "fuzz", flag: "fuzz-seconds", help: "every fuzz target, for so many seconds",
		ci: 10, release: 600, do: fuzzed},
}

// root returns why a row that mounts in memory cannot be done, or nil if it can.
func root() error {
	if os.Geteuid() != 0 {
		return errors.New("it takes root")
	}
	return nil
}

// volumes returns a function that returns why a row that needs such volumes cannot be done.
func volumes(kinds ...string) func() error {
	return func() (err error) {
		for _, kind := range kinds {
			err = cmp.Or(err, lab.Volumes(kind))
		}
		return err
	}
}

type suite struct {
	out      io.Writer
	seed     uint64
	index    int // of the only case to run; -1: all
	parallel int
	keep     bool
	first    bool   // stop at the first violation
	shape    string // of jobs; "": any
	named    string // in the descriptions of planted bugs and the names of fuzz targets

	dir    string
	row    string // current row
	binary lab.Binary
	stalls lab.Stalls
	podman *lab.Podman       // nil until the image has been built
	image  func() *lab.Image // builds it once

	mu         sync.Mutex
	violations int // so far
	references once[reference]
}

func (s *suite) run(ctx context.Context, plan []row) error {
	s.dir = lab.Must(os.MkdirTemp(lab.MemoryFolder(), "trial-"))
	defer func() {
		if s.podman != nil {
			s.podman.Close()
		}
		if !s.keep {
			lab.Check(os.RemoveAll(s.dir))
		}
	}()
	done := make(chan struct{})
	defer close(done)
	go s.stalls.Watch(done)
	s.image = sync.OnceValue(func() *lab.Image { return s.build(ctx) })
	s.binary = lab.Build(ctx, s.dir, "friendmigrate")
	fmt.Fprintf(s.out, "%-14s %10s %8s %11s %8s\n", "fault", "seed", "count", "violations", "seconds")
	for _, p := range plan {
		s.row = p.name
		if err := lab.Catch(func() { s.do(ctx, p) }); err != nil {
			return fmt.Errorf("row %s: %w", p.name, err)
		}
	}
	if s.violations > 0 {
		return errViolated
	}
	return nil
}

func (s *suite) do(ctx context.Context, p row) {
	if p.ready != nil {
		if err := p.ready(); err != nil {
			s.say("%-14s SKIPPED: %v", p.name, err)
			return
		}
	}
	began, before := time.Now(), s.violations
	faults := p.do(ctx, s, p.count)
	lab.Check(ctx.Err())
	s.say("%-14s %10d %8d %11d %8.1f", p.name, s.seed, faults, s.violations-before, time.Since(began).Seconds())
}

// cases returns a row of cases. Each breaks a job and then runs it to its end. Several run at once,
// until there were as many faults as asked for.
func cases(broken func(context.Context, *bench)) func(context.Context, *suite, int) int {
	return atMost(1<<10, broken)
}

// atMost is like cases with a limit on how many run at once.
func atMost(atOnce int, broken func(context.Context, *bench)) func(context.Context, *suite, int) int {
	return func(ctx context.Context, s *suite, count int) int {
		if s.index >= 0 {
			return s.one(ctx, broken, s.index)
		}
		var faults atomic.Int64
		more := func(i int) bool {
			return faults.Load() < int64(count) && i < 3*count+10 && ctx.Err() == nil && !s.enough()
		}
		sideBySide(min(s.parallel, atOnce), more, func(i int) { faults.Add(int64(s.one(ctx, broken, i))) })
		return int(faults.Load())
	}
}

// sideBySide calls do with 0, 1, 2 and so on in several workers, while more returns true. lab.Check
// in one of them ends all.
func sideBySide(workers int, more func(i int) bool, do func(i int)) {
	var (
		mu     sync.Mutex
		group  sync.WaitGroup
		next   int
		failed error
	)
	for range max(workers, 1) {
		group.Go(func() {
			mu.Lock()
			defer mu.Unlock()
			for failed == nil && more(next) {
				i := next
				next++
				mu.Unlock()
				err := lab.Catch(func() { do(i) })
				mu.Lock()
				failed = cmp.Or(failed, err)
			}
		})
	}
	group.Wait()
	lab.Check(failed)
}

func (s *suite) one(ctx context.Context, broken func(context.Context, *bench), i int) (faults int) {
	c := s.bench(s.row, i)
	found := c.do(ctx, broken)
	for _, text := range found {
		s.violated("case %d, a job %q: %s", i, c.job.Shape, text)
	}
	if len(found) > 0 {
		s.say("  replay: go run ./cmd/trial --only %s --replay %d:%d", s.row, s.seed, i)
		if s.keep {
			s.say("  kept in %s", c.dir)
			return c.faults
		}
	}
	lab.Check(os.RemoveAll(c.dir))
	return c.faults
}

func (s *suite) say(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(s.out, format+"\n", args...)
}

// violated counts and prints a violation that the row has found.
func (s *suite) violated(format string, args ...any) {
	s.say("  %s: %s", s.row, fmt.Sprintf(format, args...))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.violations++
}

func (s *suite) enough() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.first && s.violations > 0
}

type reference struct {
	job  *lab.Job
	like []lab.ReferenceAct
}

// variants is the number of different jobs of a shape that a row uses with one seed.
const variants = 3

// reference returns a job and its unbroken run, which is made once.
func (s *suite) reference(shape string, variant uint64) reference {
	name := fmt.Sprintf("%s-%d", shape, variant)
	return s.references.get(name, func() reference {
		dir := filepath.Join(s.dir, "job-"+name)
		job := lab.Make(dir, shape, s.seed*variants+variant)
		return reference{job, s.binary.Refer(job, filepath.Join(dir, "unbroken"))}
	})
}

// once holds values by name, each of which is made once.
type once[T any] struct {
	mu   sync.Mutex
	made map[string]func() T
}

func (o *once[T]) get(name string, first func() T) T {
	o.mu.Lock()
	if o.made == nil {
		o.made = map[string]func() T{}
	}
	if o.made[name] == nil {
		o.made[name] = sync.OnceValue(first)
	}
	made := o.made[name]
	o.mu.Unlock()
	return made()
}
