package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"friendmigrate/checkpoint"
	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/cmd/friendmigrate/report"
	"friendmigrate/migrate/disk"
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

// before is a file system that calls do before the first renaming.
type before struct {
	disk.OS
	do func()
}

func (b *before) Rename(from, to string) error {
	if do := b.do; do != nil {
		b.do = nil
		do()
	}
	return b.OS.Rename(from, to)
}

// A run may end, and write its report, just before the command report writes that of the moment
// before.
func TestAReportIsNotOlderThanTheEndOfTheRun(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	input, state := filepath.Join(dir, "in.csv"), filepath.Join(dir, "state")
	if err := os.WriteFile(input, []byte("From_Account,To_Account,AddSource\na,b,AddSource_Type_A\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	url, _ := served(t)
	if got := called(t, []string{"import", "--sdk-app-id=" + scriptApp, "--endpoint", url, "--state", state, input}); got.code != 0 {
		t.Fatal(got)
	}
	awaitForks()
	journal, err := checkpoint.Open(disk.OS{}, state)
	if err != nil {
		t.Fatal(err)
	}
	defer journal.Close()
	if err := journal.BeginRun(checkpoint.RunStart{At: time.Now()}); err != nil {
		t.Fatal(err)
	}
	ends := &before{do: func() {
		if err := journal.EndRun(checkpoint.RunEnd{At: time.Now(), Code: 3}); err != nil {
			t.Error(err)
		}
	}}
	args := []string{"friendmigrate", "report", "--state", state}
	if code := runOn(t.Context(), job.Volume{FS: ends}, args, job.Streams{Out: io.Discard, Err: io.Discard}, nil); code != 0 {
		t.Error(code)
	}
	if r, err := report.Read(filepath.Join(state, folder.Report)); err != nil || r.Ending.Running || r.Ending.Code != 3 {
		t.Errorf("%+v %v", r.Ending, err)
	}
}
