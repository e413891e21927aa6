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

	"friendmigrate/cmd/trial/lab"
)

// The tests behind rows.
const (
	commandTests = "TestAVerifyThatIsKilledGivesTheSameLists|TestAnExportThatIsKilledGivesTheSameFile|" +
		"TestAnUpdateThatIsKilledSetsEveryField|TestAnUndoThatIsKilledLeavesTheAppAsItWas|" +
		"TestAccountsThatAreKilledAskAboutAllAndImportThoseMissing"
	operationTest = "TestEveryFileOperationOfAJob"
	damageTests   = "TestDamageAnywhereInTheState|TestOtherFilesInTheState|TestDamagedStageWithoutItsInput|" +
		"TestChangedInput"
)

// What those tests take as count: small jobs that a sweep goes through, or kills.
const (
	sweeps = "-sweep-whole -sweep-seeds="
	kills  = "-kills="
)

var casesDone = regexp.MustCompile(`(?m): (\d+) cases$`)

// swept makes a row of a test that breaks the program by itself.
func swept(test, countFlag string) func(context.Context, *suite, int) int {
	return func(ctx context.Context, s *suite, count int) (cases int) {
		args := []string{"test", "-count=1", "-v", "-timeout=0", "-run", "^(" + test + ")$",
			"friendmigrate/cmd/friendmigrate", "-args"}
		args = append(args, strings.Fields(countFlag+strconv.Itoa(count))...)
		args = append(args, fmt.Sprintf("-kill-seed=%d", s.seed))
		out, failed := exec.CommandContext(ctx, "go", args...).CombinedOutput()
		for _, found := range casesDone.FindAllSubmatch(out, -1) {
			cases += lab.Must(strconv.Atoi(string(found[1])))
		}
		if failed != nil {
			s.violated("%v: %s\n  replay: go %s", failed, tail(string(out), 4000), strings.Join(args, " "))
		}
		return cases
	}
}

// tail is the end of a text.
func tail(text string, most int) string {
	if len(text) > most {
		return "..." + text[len(text)-most:]
	}
	return text
}

// fuzz is the command that runs some of the fuzz targets for a while, or all.
func fuzz(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("trial fuzz", flag.ContinueOnError)
	each := flags.String("time", "30s", "for each target: a duration, or a number of executions such as 1000000x")
	parallel := flags.Int("parallel", runtime.NumCPU(), "targets at once, each on one processor")
	only := flags.String("only", "", "only targets whose names have this in them")
	if err := flags.Parse(args); err != nil {
		return err
	}
	_, failed := fuzzAll(ctx, *only, *each, *parallel, out)
	return errors.Join(failed...)
}

// fuzzed is the row of fuzzing: count is seconds for each target.
func fuzzed(ctx context.Context, s *suite, count int) (executions int) {
	executions, failed := fuzzAll(ctx, "", fmt.Sprintf("%ds", count), runtime.NumCPU(), s.out)
	for _, f := range failed {
		s.violated("%v", f)
	}
	return executions
}

// fuzzAll runs fuzz targets side by side. What they find lies in the package's testdata and fails
// its tests from then on.
func fuzzAll(ctx context.Context, only, each string, parallel int, out io.Writer) (total int, failed []error) {
	root := lab.ModuleFolder(ctx)
	var targets []fuzzTarget
	for _, t := range fuzzTargets(root) {
		if strings.Contains(t.name, only) {
			targets = append(targets, t)
		}
	}
	fmt.Fprintf(out, "%-30s %-30s %12s %8s  %s\n", "target", "package", "executions", "seconds", "result")
	var mu sync.Mutex
	sideBySide(parallel, func(i int) bool { return i < len(targets) && ctx.Err() == nil }, func(i int) {
		t, began, result := targets[i], time.Now(), "ok"
		executions, err := t.run(ctx, each)
		mu.Lock()
		defer mu.Unlock()
		total += executions
		if err != nil {
			result = "FAILED"
			failed = append(failed, fmt.Errorf("%s in %s: %w", t.name, t.folder, err))
		}
		fmt.Fprintf(out, "%-30s %-30s %12d %8.1f  %s\n", t.name, strings.TrimPrefix(t.folder, root+"/"), executions,
			time.Since(began).Seconds(), result)
	})
	fmt.Fprintf(out, "%-30s %-30s %12d\n", "together", "", total)
	lab.Check(ctx.Err())
	return total, failed
}

// fuzzTarget is a fuzz test and the folder of its package.
type fuzzTarget struct{ folder, name string }

// Fuzz tests in a source, and how the go command tells what it has done so far.
var (
	fuzzTest = regexp.MustCompile(`(?m)^func (Fuzz\w*)\(`)
	executed = regexp.MustCompile(`execs: (\d+)`)
)

// fuzzTargets lists all fuzz tests below a folder.
func fuzzTargets(root string) (targets []fuzzTarget) {
	lab.Check(filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		for _, found := range fuzzTest.FindAllSubmatch(source, -1) {
			targets = append(targets, fuzzTarget{filepath.Dir(path), string(found[1])})
		}
		return err
	}))
	return targets
}

// run fuzzes one target and returns how often.
func (t fuzzTarget) run(ctx context.Context, each string) (executions int, err error) {
	// By default a minute may go into making one interesting input smaller, which is most of a
	// short run.
	c := exec.CommandContext(ctx, "go", "test", "-run=^$", "-fuzz=^"+t.name+"$", "-fuzztime="+each,
		"-fuzzminimizetime=100x", "-parallel=1", "-timeout=0", t.folder)
	said, err := c.CombinedOutput()
	if all := executed.FindAllSubmatch(said, -1); len(all) > 0 {
		executions = lab.Must(strconv.Atoi(string(all[len(all)-1][1])))
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
