package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// An account id, a row or a text of the service must not be able to drive the terminal of whoever
// looks at a job.
func TestControlCharactersAreNeverRaw(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	input, state := filepath.Join(dir, "in.csv"), filepath.Join(dir, "state")
	rows := "From_Account,To_Account,AddSource\na,b\u202eevil,AddSource_Type_A\na,c,AddSource_Type_A\na,\x1b[2J,AddSource_Type_A\na,\u009b1m,x\n"
	if err := os.WriteFile(input, []byte(rows), 0o600); err != nil {
		t.Fatal(err)
	}
	url, _ := served(t)
	if got := called(t, []string{"import", "--sdk-app-id=" + scriptApp, "--endpoint", url, "--state", state, input}); got.code != 3 {
		t.Fatal(got)
	}
	for _, args := range [][]string{
		{"plan", "--state", state, input}, {"plan", "--json", "--state", state, input}, {"explain", "--state", state, "a"}, {"explain", "--json", "--state", state, "a"},
		{"explain", "--state", state, "a", "\x1b[2J"}, {"failures", "--state", state}, {"failures", "--json", "--state", state}, {"status", "--state", state},
	} {
		got := called(t, args)
		if strings.ContainsAny(got.out+got.err, "\x1b\u009b\u202e") {
			t.Errorf("%q prints raw control characters:\n%q", args, got.out+got.err)
		}
		if args[0] == "explain" && !strings.Contains(got.out, `[2J`) {
			t.Errorf("%q does not show the row: %s", args, got.out)
		}
	}
}
