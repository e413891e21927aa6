package main

import (
	"bytes"
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestEdgesAreWrittenToStandardOutput(t *testing.T) {
	var stdout bytes.Buffer
	err := writeEdges(t.Context(), strings.Fields("--edges 500 --mean 5 --sorted"), &stdout)
	if n := bytes.Count(stdout.Bytes(), []byte("\nu0000")); err != nil || n != 500 {
		t.Errorf("%d rows (%v)", n, err)
	}
}

func TestUnusableFlagsOfEdges(t *testing.T) {
	for _, args := range []string{"--edges x", "--edges -3", "--mean 0", "rows.csv"} {
		var stdout bytes.Buffer
		if err := writeEdges(t.Context(), strings.Fields(args), &stdout); err == nil || stdout.Len() > 0 {
			t.Errorf("%s: %v, %d bytes on standard output", args, err, stdout.Len())
		}
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
