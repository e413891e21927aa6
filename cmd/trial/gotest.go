package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"friendmigrate/cmd/trial/lab"
)

// Tests that rows run, and the package of most of them.
const (
	program    = "friendmigrate/cmd/friendmigrate"
	inputsTest = "TestEverydayInputs"

	commandTests = "TestAVerifyThatIsKilledGivesTheSameLists|TestAnExportThatIsKilledGivesTheSameFile|" +
		"TestAnUpdateThatIsKilledSetsEveryField|TestAnUndoThatIsKilledLeavesTheAppAsItWas|" +
		"TestAccountsThatAreKilledAskAboutAllAndImportThoseMissing"
	operationTest = "TestEveryFileOperationOfAJob"
	damageTests   = "TestDamageAnywhereInTheState|TestOtherFilesInTheState|TestDamagedStageWithoutItsInput|" +
		"TestChangedInput"
)

// What those tests count: small jobs of a sweep, or kills.
const (
	sweeps = "-sweep-whole -sweep-seeds="
	kills  = "-kills="
)

var casesDone = regexp.MustCompile(`(?m): (\d+) cases$`)

// swept returns the row of a test that breaks the program itself.
func swept(folder, test, countFlag string) func(context.Context, *suite, int) int {
	return func(ctx context.Context, s *suite, count int) (cases int) {
		args := []string{"test", "-count=1", "-v", "-timeout=0", "-run", "^(" + test + ")$", folder,
			"-args"}
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

func tail(text string, most int) string {
	if len(text) > most {
		return "..." + text[len(text)-most:]
	}
	return text
}

// fuzzed runs fuzz targets in parallel, each for a number of seconds. Their findings are kept in
// the package's testdata and make its tests fail after that.
func fuzzed(ctx context.Context, s *suite, seconds int) int {
	root := lab.ModuleFolder(ctx)
	targets := fuzzTargets(root, s.named)
	var executions atomic.Int64
	more := func(i int) bool { return i < len(targets) && ctx.Err() == nil }
	sideBySide(runtime.NumCPU(), more, func(i int) {
		t, began := targets[i], time.Now()
		n, err := t.run(ctx, seconds)
		executions.Add(int64(n))
		s.say("  %-30s %-30s %12d %8.1f", t.name, strings.TrimPrefix(t.folder, root+"/"), n,
			time.Since(began).Seconds())
		if err != nil {
			s.violated("%s in %s: %v", t.name, t.folder, err)
		}
	})
	return int(executions.Load())
}

type fuzzTarget struct{ folder, name string }

// Fuzz tests in a source file, and how the go command reports its progress.
var (
	fuzzTest = regexp.MustCompile(`(?m)^func (Fuzz\w*)\(`)
	executed = regexp.MustCompile(`execs: (\d+)`)
)

// fuzzTargets returns the fuzz tests below a folder whose names contain a text.
func fuzzTargets(root, named string) (targets []fuzzTarget) {
	lab.Check(filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		for _, found := range fuzzTest.FindAllSubmatch(source, -1) {
			if name := string(found[1]); strings.Contains(name, named) {
				targets = append(targets, fuzzTarget{filepath.Dir(path), name})
			}
		}
		return err
	}))
	return targets
}

func (t fuzzTarget) run(ctx context.Context, seconds int) (executions int, err error) {
	// By default go test may spend a minute on minimizing one input, which is most of a short run.
	c := exec.CommandContext(ctx, "go", "test", "-run=^$", "-fuzz=^"+t.name+"$", "-timeout=0", "-parallel=1",
		"-fuzzminimizetime=100x", fmt.Sprintf("-fuzztime=%ds", seconds), t.folder)
	said, err := c.CombinedOutput()
	if all := executed.FindAllSubmatch(said, -1); len(all) > 0 {
		executions = lab.Must(strconv.Atoi(string(all[len(all)-1][1])))
	}
	if err == nil || endedLate.Match(said) {
		return executions, nil
	}
	return executions, fmt.Errorf("%w\n%s", err, tail(string(said), 3000))
}

// endedLate is the whole output of go test when it takes the end of the fuzzing time for a failure
// (go.dev/issue/75804, fixed in Go 1.27). The output of a finding also says what failed and where
// the input was written.
var endedLate = regexp.MustCompile(`(?m)^--- FAIL: Fuzz\w* \([\d.]+s\)\n    context deadline exceeded\nFAIL$`)
