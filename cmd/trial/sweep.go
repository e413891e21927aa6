package main

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
)

// swept makes a row of a sweep that is a test: count is the number of small jobs that it goes through.
func swept(test string) func(context.Context, *suite, int) (int, int, error) {
	return func(ctx context.Context, s *suite, count int) (cases, violations int, err error) {
		args := []string{"test", "-count=1", "-v", "-timeout=0", "-run", "^(" + test + ")$", "friendmigrate/cmd/friendmigrate", "-args", "-sweep-whole", fmt.Sprintf("-sweep-seeds=%d", count)}
		out, failed := exec.CommandContext(ctx, "go", args...).CombinedOutput()
		for _, found := range regexp.MustCompile(`(?m): (\d+) cases$`).FindAllStringSubmatch(string(out), -1) {
			n, err := strconv.Atoi(found[1])
			if err != nil {
				return 0, 0, err
			}
			cases += n
		}
		if failed == nil {
			return cases, 0, nil
		}
		violations = max(1, strings.Count(string(out), "_test.go:")-strings.Count(string(out), " cases\n"))
		s.say("%s\n  replay: go %s", tail(string(out), 4000), strings.Join(args, " "))
		return cases, violations, nil
	}
}

// tail is the end of a text.
func tail(text string, most int) string {
	if len(text) > most {
		return "..." + text[len(text)-most:]
	}
	return text
}
