package inspect

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/migrate"
	"friendmigrate/source"
)

func TestFailuresOfAllShardsComeInTheOrderOfTheInput(t *testing.T) {
	base := t.TempDir()
	var rows strings.Builder
	for i := range 400 {
		fmt.Fprintf(&rows, "u%d,f%d,AddSource_Type_A\n", i%37, i)
	}
	for i := range 3 {
		s := newState(t, base, settings.Shard{Index: i, Count: 3}, rows.String(), source.Options{})
		s.run(false, func(e *migrate.Edge) migrate.Outcome { return refused(30003 + int(e.Line%3)*7) })
	}
	jobs := jobsIn(t, base)
	temporary := t.TempDir()
	list := func(format string, f Filter) string {
		var b strings.Builder
		if _, err := jobs.List(&b, format, temporary, f); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	lines := strings.Split(strings.TrimSuffix(list(source.CSV, Filter{}), "\n"), "\n")
	if len(lines) != 401 {
		t.Fatalf("%d lines", len(lines))
	}
	for i, line := range lines[1:] {
		if want := fmt.Sprintf("u%d,f%d,", i%37, i); !strings.HasPrefix(line, want) || !strings.HasSuffix(line, fmt.Sprintf(",%d", i+2)) {
			t.Fatalf("line %d: %s", i, line)
		}
	}
	if got := list(source.JSONL, Filter{Codes: []int{30010}, Accounts: []string{"u3", "f7"}}); strings.Count(got, "\n") != strings.Count(got, `"ResultCode":30010`) || !strings.Contains(got, `"u3"`) {
		t.Errorf("filtered: %s", got)
	}
	if left, err := os.ReadDir(temporary); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	s, err := jobs.Summarize(Filter{})
	if err != nil || s.Edges != 400 || len(s.Codes) != 3 {
		t.Fatalf("%+v, %v", s, err)
	}
	for _, c := range s.Codes { // codes go round from line to line
		if line := c.Example.Line; c.Code != 30003+int(line%3)*7 {
			t.Errorf("the example of %d is line %d", c.Code, line)
		}
	}
}

func TestWhatCSVCannotHoldIsRefusedAndIntegersAreNamed(t *testing.T) {
	input := filepath.Join(t.TempDir(), "in.jsonl")
	text := `{"From_Account":"a","To_Account":"b","AddSource":"AddSource_Type_A","GroupName":["x;y"]}
{"From_Account":"a","To_Account":"c","AddSource":"AddSource_Type_A","CustomItem":[{"Tag":"Tag_SNS_Custom_N","Value":7}]}
`
	if err := os.WriteFile(input, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	base := t.TempDir()
	j := stateOf(t, base, input, settings.Shard{}, source.Options{})
	j.run(false, func(*migrate.Edge) migrate.Outcome { return refused(30010) })
	jobs := jobsIn(t, base)
	if got := jobs.ListFormat(); got != source.JSONL {
		t.Errorf("the list's format is %s", got)
	}
	var b strings.Builder
	if _, err := jobs.List(&b, source.CSV, t.TempDir(), Filter{}); !errors.Is(err, source.ErrNotCSV) {
		t.Errorf("a group with a semicolon: %v", err)
	}
	if tags, err := jobs.List(&b, source.CSV, t.TempDir(), Filter{Accounts: []string{"c"}}); err != nil || strings.Join(tags, " ") != "Tag_SNS_Custom_N" {
		t.Errorf("%q, %v", tags, err)
	}
}

// The program has shown that the admin exists before an edge fails with 70107.
func TestAnAccountThatDoesNotExistIsNotTheAdmin(t *testing.T) {
	base := t.TempDir()
	s := newState(t, base, settings.Shard{}, "a,b,AddSource_Type_A\n", source.Options{})
	s.run(false, func(*migrate.Edge) migrate.Outcome { return refused(70107) })
	jobs := jobsIn(t, base)
	summary, err := jobs.Summarize(Filter{})
	if err != nil {
		t.Fatal(err)
	}
	list, _ := found(t, jobs, "a", "b")
	for _, advice := range []string{summary.Codes[0].Advice, list[0].Advice, status(t, base, false).FailedBy[0].Advice} {
		if !strings.Contains(advice, "accounts --import") {
			t.Errorf("%q", advice)
		}
	}
}
