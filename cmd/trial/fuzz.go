package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"
)

// fuzzTarget is a fuzz test and its package.
type fuzzTarget struct{ folder, name string }

// fuzz is the command that runs some of the fuzz targets for a while, or all.
func fuzz(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("trial fuzz", flag.ContinueOnError)
	each := flags.String("time", "30s", "for each target: a duration, or a number of executions such as 1000000x")
	parallel := flags.Int("parallel", runtime.NumCPU(), "targets at once, each on one processor")
	only := flags.String("only", "", "only targets whose names have this in them")
	if err := flags.Parse(args); err != nil {
		return err
	}
	_, failed, err := fuzzAll(ctx, *only, *each, *parallel, out)
	return errors.Join(append(failed, err)...)
}

// fuzzed is the row of fuzzing: count is seconds for each target.
func fuzzed(ctx context.Context, s *suite, count int) (executions int, err error) {
	n, failed, err := fuzzAll(ctx, "", fmt.Sprintf("%ds", count), runtime.NumCPU(), s.out)
	for _, f := range failed {
		s.violated("fuzz", "%v", f)
	}
	return int(n), err
}

// fuzzAll runs fuzz targets side by side. What they find lies in the package's testdata and fails its tests from then on.
func fuzzAll(ctx context.Context, only, each string, parallel int, out io.Writer) (total int64, failed []error, err error) {
	targets, err := fuzzTargets(ctx)
	if err != nil {
		return 0, nil, err
	}
	fmt.Fprintf(out, "%-30s %-30s %12s %8s  %s\n", "target", "package", "executions", "seconds", "result")
	var mu sync.Mutex
	var group sync.WaitGroup
	slots := make(chan struct{}, max(parallel, 1))
	for _, t := range targets {
		if !strings.Contains(t.name, only) {
			continue
		}
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			began := time.Now()
			executions, err := t.run(ctx, each)
			mu.Lock()
			defer mu.Unlock()
			total += executions
			result := "ok"
			if err != nil {
				result = "FAILED"
				failed = append(failed, fmt.Errorf("%s in %s: %w", t.name, t.folder, err))
			}
			fmt.Fprintf(out, "%-30s %-30s %12d %8.1f  %s\n", t.name, t.folder, executions, time.Since(began).Seconds(), result)
		})
	}
	group.Wait()
	fmt.Fprintf(out, "%-30s %-30s %12d\n", "together", "", total)
	return total, failed, ctx.Err()
}

// fuzzTargets lists all fuzz tests of the module.
func fuzzTargets(ctx context.Context) ([]fuzzTarget, error) {
	listed, err := exec.CommandContext(ctx, "go", "list", "-f", "{{.ImportPath}} {{.Dir}}", "friendmigrate/...").Output()
	if err != nil {
		return nil, fmt.Errorf("list packages: %w", err)
	}
	var targets []fuzzTarget
	for line := range strings.Lines(string(listed)) {
		path, dir, _ := strings.Cut(strings.TrimSpace(line), " ")
		names, err := fuzzFunctions(dir)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			targets = append(targets, fuzzTarget{path, name})
		}
	}
	return targets, nil
}

// Fuzz tests in a source, and how the go command tells what it has done so far.
var (
	fuzzTest = regexp.MustCompile(`(?m)^func (Fuzz\w*)\(`)
	executed = regexp.MustCompile(`execs: (\d+)`)
)

// fuzzFunctions lists the fuzz tests of a folder.
func fuzzFunctions(dir string) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		return nil, err
	}
	var names []string
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		for _, found := range fuzzTest.FindAllSubmatch(source, -1) {
			names = append(names, string(found[1]))
		}
	}
	return names, nil
}

// run fuzzes one target and returns how often.
func (t fuzzTarget) run(ctx context.Context, each string) (executions int64, err error) {
	// By default a minute may go into making one interesting input smaller, which is most of a short run.
	c := exec.CommandContext(ctx, "go", "test", "-run=^$", "-fuzz=^"+t.name+"$", "-fuzztime="+each, "-fuzzminimizetime=100x", "-parallel=1", "-timeout=0", t.folder)
	said, err := c.CombinedOutput()
	if all := executed.FindAllSubmatch(said, -1); len(all) > 0 {
		executions, _ = strconv.ParseInt(string(all[len(all)-1][1]), 10, 64) // a number too large to be one is none of ours
	}
	if err == nil || endedLate.Match(said) {
		return executions, nil
	}
	return executions, fmt.Errorf("%w\n%s", err, tail(string(said), 3000))
}

// endedLate is all that go test says where it takes the end of the fuzzing time for a failure (go.dev/issue/75804, fixed in Go 1.27). A finding says
// more: what failed, and where the input is written.
var endedLate = regexp.MustCompile(`(?m)^--- FAIL: Fuzz\w* \([\d.]+s\)\n    context deadline exceeded\nFAIL$`)
