package main

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"unicode/utf8"
)

// helpAlone is a hint that only points at a help text.
var helpAlone = regexp.MustCompile(`hint: \S+ (help( [a-z-]+)?|[a-z-]+ --help)$`)

// temporary are folders of tests, whose names nobody else has to read.
var temporary = regexp.MustCompile(`(/tmp|/dev/shm/friendmigrate-test-\d+)/Test[^/]*/\d+/`)

// checkLastLine holds the last line of a command against what is promised of it, and adds it to the
// file that FRIENDMIGRATE_LAST_LINES names:
//
//	FRIENDMIGRATE_LAST_LINES=$PWD/lines go test ./cmd/friendmigrate && sort -u lines
func checkLastLine(code int, stderr string) error {
	lines := strings.Split(strings.TrimSpace(stderr), "\n")
	last, ok := strings.CutPrefix(lines[len(lines)-1], "friendmigrate: ")
	if !ok {
		return nil
	}
	last = temporary.ReplaceAllString(last, "")
	if name := os.Getenv("FRIENDMIGRATE_LAST_LINES"); name != "" {
		f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		defer f.Close()
		if _, err := fmt.Fprintf(f, "%d %s\n", code, last); err != nil {
			return err
		}
	}
	switch {
	case helpAlone.MatchString(last) && !strings.Contains(last, "did you mean"):
		return fmt.Errorf("the last line hints at a help text alone: %s", last)
	case utf8.RuneCountInString(last) > 300:
		return fmt.Errorf("the last line has %d characters: %s", utf8.RuneCountInString(last), last)
	}
	return nil
}
