package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"friendmigrate/cmd/edgegen/graph"
)

func TestFilesBesideTheRows(t *testing.T) {
	dir := t.TempDir()
	rows, expect, badList := filepath.Join(dir, "rows.jsonl"), filepath.Join(dir, "expect.json"), filepath.Join(dir, "bad.csv")
	var stdout, stderr bytes.Buffer
	args := strings.Fields("--edges 500 --format jsonl --order sorted --fields all --custom Tag_SNS_Custom_Badge,Tag_SNS_Custom_Level:int --bad 0.2 --duplicates 0.1")
	if code := run(append(args, "--output", rows, "--expect", expect, "--bad-list", badList), &stdout, &stderr); code != 0 {
		t.Fatalf("exit code %d: %s", code, &stderr)
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
	if code := run(args, &stdout, &stderr); code != 0 || !bytes.Equal(stdout.Bytes(), content(t, rows)) {
		t.Errorf("exit code %d, and standard output has other rows", code)
	}
}

func TestUnusableFlags(t *testing.T) {
	for _, args := range []string{
		"--edges x", "--edges -3", "--part 2/2", "--part 1", "--part 0/1x", "--order up", "--fields Nickname", "--custom Level", "--bad 2", "rows.csv",
		"--bad 0.1 --bad-kinds none",
	} {
		var stdout, stderr bytes.Buffer
		if code := run(strings.Fields(args), &stdout, &stderr); code != 2 || stderr.Len() == 0 || stdout.Len() > 0 {
			t.Errorf("%s: exit code %d, %q on standard error, %d bytes on standard output", args, code, &stderr, stdout.Len())
		}
	}
}

func TestAFileThatCannotBeWritten(t *testing.T) {
	var stdout, stderr bytes.Buffer
	if code := run([]string{"--output", filepath.Join(t.TempDir(), "missing", "rows.csv")}, &stdout, &stderr); code != 1 {
		t.Errorf("exit code %d: %s", code, &stderr)
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
