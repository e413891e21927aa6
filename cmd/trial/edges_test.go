package main

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestEdgesAreWrittenToAFileOrToStandardOutput(t *testing.T) {
	name := filepath.Join(t.TempDir(), "rows.csv")
	var stdout bytes.Buffer
	args := strings.Fields("--edges 500 --mean 5 --sorted")
	if err := writeEdges(t.Context(), append(args, "--output", name), &stdout); err != nil || stdout.Len() > 0 {
		t.Fatalf("%v, %q", err, &stdout)
	}
	if err := writeEdges(t.Context(), args, &stdout); err != nil || !bytes.Equal(stdout.Bytes(), content(t, name)) {
		t.Errorf("standard output has other rows than the file (%v)", err)
	}
	if n := bytes.Count(stdout.Bytes(), []byte("\nu0000")); n != 500 {
		t.Errorf("%d rows", n)
	}
}

func TestUnusableFlagsOfEdges(t *testing.T) {
	for _, args := range []string{"--edges x", "--edges -3", "--mean 0", "rows.csv"} {
		var stdout bytes.Buffer
		if err := writeEdges(t.Context(), strings.Fields(args), &stdout); err == nil || stdout.Len() > 0 {
			t.Errorf("%s: %v, %d bytes on standard output", args, err, stdout.Len())
		}
	}
	name := filepath.Join(t.TempDir(), "missing", "rows.csv")
	if err := writeEdges(t.Context(), []string{"--output", name}, nil); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

func TestTheSampleIsWhatItsREADMESays(t *testing.T) {
	records, err := csv.NewReader(bytes.NewReader(content(t, filepath.Join("..", "..", "testdata", "friends.csv")))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	pairs, friends, most := map[[2]string]bool{}, map[string]int{}, 0
	for _, r := range records[1:] {
		pairs[[2]string(r[:2])] = true
		friends[r[0]]++
		most = max(most, friends[r[0]])
	}
	if len(records) != 22_001 || len(pairs) != 22_000 || len(friends) != 2001 || most != 1200 {
		t.Errorf("%d rows, %d pairs, %d accounts, %d friends at most", len(records)-1, len(pairs), len(friends), most)
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
