package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"friendmigrate/cmd/trial/graph"
)

func TestFilesBesideTheRows(t *testing.T) {
	dir := t.TempDir()
	rows, expect, badList := filepath.Join(dir, "rows.jsonl"), filepath.Join(dir, "expect.json"), filepath.Join(dir, "bad.csv")
	var stdout bytes.Buffer
	args := strings.Fields("--edges 500 --format jsonl --order sorted --fields all --custom Tag_SNS_Custom_Badge,Tag_SNS_Custom_Level:int --bad 0.2 --duplicates 0.1")
	if err := writeEdges(t.Context(), append(args, "--output", rows, "--expect", expect, "--bad-list", badList), &stdout); err != nil {
		t.Fatal(err)
	}
	if stdout.Len() > 0 {
		t.Errorf("standard output has %q", &stdout)
	}
	var counts graph.Expect
	if err := json.Unmarshal(content(t, expect), &counts); err != nil {
		t.Fatal(err)
	}
	if lines := bytes.Count(content(t, rows), []byte("\n")); counts.Edges != 500 || counts.Rejected != 100 || int64(lines) != counts.Rows {
		t.Errorf("%d lines; expected counts: %+v", lines, counts)
	}
	if lines := bytes.Count(content(t, badList), []byte("\n")); int64(lines) != 1+counts.Rejected {
		t.Errorf("%d lines in the list of bad rows", lines)
	}
	if err := writeEdges(t.Context(), args, &stdout); err != nil || !bytes.Equal(stdout.Bytes(), content(t, rows)) {
		t.Errorf("standard output has other rows than the file (%v)", err)
	}
}

func TestUnusableFlagsOfEdges(t *testing.T) {
	for _, args := range []string{
		"--edges x", "--edges -3", "--part 2/2", "--part 1", "--part 0/1x", "--order up", "--fields Nickname", "--custom Level", "--bad 2", "rows.csv",
		"--bad 0.1 --bad-kinds none",
	} {
		var stdout bytes.Buffer
		if err := writeEdges(t.Context(), strings.Fields(args), &stdout); err == nil || stdout.Len() > 0 {
			t.Errorf("%s: %v, %d bytes on standard output", args, err, stdout.Len())
		}
	}
}

func TestAFileThatCannotBeWritten(t *testing.T) {
	var stdout bytes.Buffer
	if err := writeEdges(t.Context(), []string{"--output", filepath.Join(t.TempDir(), "missing", "rows.csv")}, &stdout); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

func TestSampleIsWhatItsCommandWrites(t *testing.T) {
	testdata := filepath.Join("..", "..", "testdata")
	command := regexp.MustCompile(`(?m)^    go run \./cmd/trial edges (.*) --output testdata/friends\.csv$`).FindSubmatch(content(t, filepath.Join(testdata, "README.md")))
	if command == nil {
		t.Fatal("no command in testdata/README.md")
	}
	var stdout bytes.Buffer
	if err := writeEdges(t.Context(), strings.Fields(string(command[1])), &stdout); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(stdout.Bytes(), content(t, filepath.Join(testdata, "friends.csv"))) {
		t.Error("testdata/friends.csv has other rows")
	}
	if n := stdout.Len(); n > 1_500_000 {
		t.Errorf("the sample has %d bytes", n)
	}
}

func content(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
