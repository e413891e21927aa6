package main

import (
	"bytes"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestSampleIsWhatItsCommandWrites(t *testing.T) {
	testdata := filepath.Join("..", "..", "testdata")
	command := regexp.MustCompile(`(?m)^    go run \./cmd/edgegen (.*) --output testdata/friends\.csv$`).FindSubmatch(content(t, filepath.Join(testdata, "README.md")))
	if command == nil {
		t.Fatal("no command in testdata/README.md")
	}
	var stdout, stderr bytes.Buffer
	if code := run(strings.Fields(string(command[1])), &stdout, &stderr); code != 0 {
		t.Fatalf("exit code %d: %s", code, &stderr)
	}
	if !bytes.Equal(stdout.Bytes(), content(t, filepath.Join(testdata, "friends.csv"))) {
		t.Error("testdata/friends.csv has other rows")
	}
	if n := stdout.Len(); n > 1_500_000 {
		t.Errorf("the sample has %d bytes", n)
	}
}
