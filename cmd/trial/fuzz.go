package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
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

// fuzzTarget is a fuzz test and the folder of its package.
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

// fuzzAll runs fuzz targets side by side. What they find lies in the package's testdata and fails
// its tests from then on.
func fuzzAll(ctx context.Context, only, each string, parallel int, out io.Writer) (total int64, failed []error,
	err error) {
	root, err := moduleFolder(ctx)
	if err != nil {
		return 0, nil, err
	}
	targets, err := fuzzTargets(root)
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
			fmt.Fprintf(out, "%-30s %-30s %12d %8.1f  %s\n", t.name, strings.TrimPrefix(t.folder, root+"/"), executions,
				time.Since(began).Seconds(), result)
		})
	}
	group.Wait()
	fmt.Fprintf(out, "%-30s %-30s %12d\n", "together", "", total)
	return total, failed, ctx.Err()
}

// Fuzz tests in a source, and how the go command tells what it has done so far.
var (
	fuzzTest = regexp.MustCompile(`(?m)^func (Fuzz\w*)\(`)
	executed = regexp.MustCompile(`execs: (\d+)`)
)

// fuzzTargets lists all fuzz tests below a folder.
func fuzzTargets(root string) (targets []fuzzTarget, err error) {
	err = filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		for _, found := range fuzzTest.FindAllSubmatch(source, -1) {
			targets = append(targets, fuzzTarget{filepath.Dir(path), string(found[1])})
		}
		return err
	})
	return targets, err
}

// run fuzzes one target and returns how often.
func (t fuzzTarget) run(ctx context.Context, each string) (executions int64, err error) {
	// By default a minute may go into making one interesting input smaller, which is most of a
	// short run.
	c := exec.CommandContext(ctx, "go", "test", "-run=^$", "-fuzz=^"+t.name+"$", "-fuzztime="+each,
		"-fuzzminimizetime=100x",
		"-parallel=1", "-timeout=0", t.folder)
	said, err := c.CombinedOutput()
	if all := executed.FindAllSubmatch(said, -1); len(all) > 0 {
		// a number too large to be one is none of ours
		executions, _ = strconv.ParseInt(string(all[len(all)-1][1]), 10, 64)
	}
	if err == nil || endedLate.Match(said) {
		return executions, nil
	}
	return executions, fmt.Errorf("%w\n%s", err, tail(string(said), 3000))
}

// endedLate is all that go test says where it takes the end of the fuzzing time for a failure
// (go.dev/issue/75804, fixed in Go 1.27). A finding says more: what failed, and where the input is
// written.
var endedLate = regexp.MustCompile(`(?m)^--- FAIL: Fuzz\w* \([\d.]+s\)\n    context deadline exceeded\nFAIL$`)
