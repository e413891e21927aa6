package main

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
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

// swept makes a row of a test that breaks the program by itself.
func swept(test, countFlag string) func(context.Context, *suite, int) (int, error) {
	return func(ctx context.Context, s *suite, count int) (cases int, err error) {
		args := []string{"test", "-count=1", "-v", "-timeout=0", "-run", "^(" + test + ")$",
			"friendmigrate/cmd/friendmigrate", "-args"}
		args = append(args, strings.Fields(countFlag+strconv.Itoa(count))...)
		args = append(args, fmt.Sprintf("-kill-seed=%d", s.seed))
		out, failed := exec.CommandContext(ctx, "go", args...).CombinedOutput()
		for _, found := range regexp.MustCompile(`(?m): (\d+) cases$`).FindAllSubmatch(out, -1) {
			n, err := strconv.Atoi(string(found[1]))
			if err != nil {
				return 0, err
			}
			cases += n
		}
		if failed != nil {
			s.violated("go test", "%v: %s\n  replay: go %s", failed, tail(string(out), 4000), strings.Join(args, " "))
		}
		return cases, nil
	}
}

// tail is the end of a text.
func tail(text string, most int) string {
	if len(text) > most {
		return "..." + text[len(text)-most:]
	}
	return text
}
