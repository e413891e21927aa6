package accounts

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/source"
	"friendmigrate/source/stage"
)

func TestAccountsOfBothSidesAreDistinctAndSorted(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	var rows strings.Builder
	want := map[string]bool{"\ufeffmark": true, "\ufeffmark2": true}
	rows.WriteString("From_Account,To_Account,AddSource\n")
	rows.WriteString("\"\ufeffmark\",\ufeffmark2,AddSource_Type_A\n") // without quotes the mark would come off
	for range 30_000 {
		from, to := fmt.Sprint("\ufeff\ufeffu", random.IntN(9000)), fmt.Sprint("\ufeffv", random.IntN(9000))
		want[from], want[to] = true, true
		fmt.Fprintf(&rows, "\"%s\",%s,AddSource_Type_A\n", from, to)
	}
	dir := t.TempDir()
	in, state, file := filepath.Join(dir, "in.csv"), filepath.Join(dir, "state"), filepath.Join(dir, "ids.txt")
	if err := os.WriteFile(in, []byte(rows.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := source.ReadInputs(t.Context(), source.Request{Inputs: []string{in}, StateDir: state})
	if err != nil {
		t.Fatal(err)
	}
	staged, err := p.Seal()
	if err != nil {
		t.Fatal(err)
	}
	defer staged.Close()
	for _, memory := range []int64{64 << 20, 400 << 10} { // the smaller one spills, again and again
		n, err := listIDs(t.Context(), []*stage.Stage{staged}, file, memory)
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		header, ids, _ := strings.Cut(strings.TrimSuffix(string(text), "\n"), "\n")
		got := strings.Split(ids, "\n")
		if header != folder.AccountsHeader {
			t.Errorf("the header is %q", header)
		}
		if !slices.Equal(got, slices.Sorted(maps.Keys(want))) || n != int64(len(want)) {
			t.Errorf("memory %d: %d ids, said to be %d, want %d", memory, len(got), n, len(want))
		}
	}
}
