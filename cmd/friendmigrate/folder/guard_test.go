package folder

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func link(t *testing.T, create func(target, name string) error, target, name string) {
	t.Helper()
	if err := create(target, name); err != nil {
		t.Fatal(err)
	}
}

// Whatever a read file or folder is called, a state that would write over it, or make it grow, is
// refused.
func TestAStateThatHoldsWhatIsReadIsRefused(t *testing.T) {
	t.Chdir(t.TempDir())
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	fill(t, ".", "d/edges.csv", "s/lock", "s/failed.csv", "s/mine.csv", "s/failed.csv.bak", "s/staged/raw-000", "s/rejected.csv.spool", "s/in/a.csv",
		"s/old-20260101-000000/failed.csv", "s/shard-0-of-2/failed.csv", "s/verify/rejected.csv", "s/starting-over/rejected.csv", "far/x.csv")
	for _, lock := range []string{"s/lock", "s/shard-0-of-2/lock"} {
		if err := os.WriteFile(lock, []byte("process 1 on x\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	link(t, os.Symlink, "d", "link")
	link(t, os.Symlink, "s", "linkedstate")
	link(t, os.Symlink, "../s/failed.csv", "d/linked.csv")
	link(t, os.Symlink, filepath.Join(here, "far/x.csv"), "s/missing.csv")
	link(t, os.Link, "s/staged/raw-000", "hard.csv")
	for _, c := range []struct {
		input, state string
		refused      bool
	}{
		{"d", "d", true}, {"d/", "./d", true}, {"d", filepath.Join(here, "d"), true}, {"link", "d", true}, {"d", "link/", true}, {".", here, true},
		{"s/in", "s", true}, {"d", ".", true}, {"s/in", "linkedstate", true}, {"linkedstate/in", "s", true}, {"d/../s/in", "s", true},
		{"s/failed.csv", "s", true}, {"d/linked.csv", "s", true}, {"s/missing.csv", "s", true}, {"far/x.csv", "s", true}, {"hard.csv", "s", false},
		{"s/staged/raw-000", "s", true}, {"s/rejected.csv.spool", "s", true}, {"s/shard-0-of-2/failed.csv", "s", true}, {"s/verify/rejected.csv", "s", true},
		{"s/starting-over/rejected.csv", "s", true}, {"s/lock", "s", true},
		{"s/mine.csv", "s", false}, {"s/failed.csv.bak", "s", false}, {"s/old-20260101-000000/failed.csv", "s", false}, {"s/failed.csv", "other", false},
		{"d", "d/state", false}, {".", "new", false}, {"-", "s", false}, {"s3://s/failed.csv", "s", false}, {"nowhere.csv", "s", false},
	} {
		var r Reads
		r.Add("INPUT", c.input, nil)
		if err := r.CheckState(c.state); (err != nil) != c.refused {
			t.Errorf("%s with --state %s: %v", c.input, c.state, err)
		}
	}
	stdin, err := os.Open("s/failed.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	var r Reads
	r.Add("INPUT", "-", stdin)
	if err := r.CheckState("s"); err == nil {
		t.Error("standard input is a list of the state, and that was not seen")
	}
	link(t, os.Symlink, "s/in", "inside")
	t.Chdir(filepath.Join(here, "inside"))
	t.Setenv("PWD", "") // as main leaves it: it holds the name with the symlink
	r = Reads{}
	r.Add("INPUT", "../in", nil)
	if err := r.CheckState("../in"); err == nil {
		t.Error("the working folder has a name with a symlink, and the input in the state was not seen")
	}
}

// A folder for temporary files is ours if our lock is in it, or nothing.
func TestAFolderOfOthersIsNotWrittenInto(t *testing.T) {
	for lock, refused := range map[string]bool{"none": true, "": false, "process 1 on x\n": false, "mine": true} {
		dir := t.TempDir()
		if err := new(Reads).CheckOwn(dir); err != nil {
			t.Errorf("an empty folder: %v", err)
		}
		names := map[string]string{"edges.csv": "mine", "lock": lock}
		if lock == "none" {
			delete(names, "lock")
		}
		for name, text := range names {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := new(Reads).CheckOwn(dir); (err != nil) != refused {
			t.Errorf("lock %q: %v", lock, err)
		}
	}
	if err := new(Reads).CheckOwn(filepath.Join(t.TempDir(), "none")); err != nil {
		t.Errorf("no folder: %v", err)
	}
}

// A folder in which somebody keeps files under our names is no state, until a job has begun there.
func TestAForeignFolderIsNoState(t *testing.T) {
	for name, c := range map[string]struct {
		there   []string
		lock    string
		refused bool
	}{
		"nothing":                {nil, "", false},
		"only other files":       {[]string{"edges.csv", "notes.txt"}, "", false},
		"a list":                 {[]string{"failed.csv"}, "", true},
		"a report":               {[]string{"report.html"}, "", true},
		"their own staged files": {[]string{"staged/raw-2026.csv"}, "", true},
		"a lock of another kind": {[]string{"edges.csv"}, "12345\n", true},
		"a job":                  {[]string{"failed.csv", "checkpoint.journal"}, "", false},
		"a run that ended early": {[]string{"progress.json", "staged/raw-000"}, "process 1 on x\n", false},
	} {
		dir := t.TempDir()
		fill(t, dir, c.there...)
		if c.lock != "" {
			if err := os.WriteFile(filepath.Join(dir, "lock"), []byte(c.lock), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := new(Reads).CheckState(dir); (err != nil) != c.refused {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAListIsWrittenOnlyOverOneOfItsKind(t *testing.T) {
	t.Chdir(t.TempDir())
	fill(t, ".", "e.csv", "notes.txt", "d/edges.csv")
	for name, content := range map[string]string{"list": "From_Account\na\n", "open": "From_Account\na\n", "other.csv": "From_Account,To_Account\na,b\n", "empty": "", "e.tmp": "x", "e.spool": "x"} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod("open", 0o644); err != nil {
		t.Fatal(err)
	}
	link(t, os.Symlink, "e.csv", "sym.csv")
	link(t, os.Link, "e.csv", "hard.csv")
	for out, refused := range map[string]bool{
		"e.csv": true, "./e.csv": true, "sym.csv": true, "hard.csv": true, "e": true, "notes.txt": true, "other.csv": true, "empty": true, "open": true, "d": true, "/dev/null": true,
		"d/new.csv": true, "d/new.csv.gz": true, "d/new.txt": false, "new.csv": false, "list": false, "none/ids": false,
	} {
		var r Reads
		for _, in := range []string{"e.csv", "e.tmp", "d"} {
			r.Add("INPUT", in, nil)
		}
		if err := r.CheckFile("--missing-out", out, AccountsHeader); (err != nil) != refused {
			t.Errorf("%s: %v", out, err)
		}
	}
	fill(t, ".", "s/checkpoint.journal")
	for out, refused := range map[string]bool{
		"s/failed.csv": true, "./s/staged/raw-000": true, "s/mine.csv": false, "d/failed.csv": false,
	} {
		if err := new(Reads).CheckRead("--output", out); (err != nil) != refused {
			t.Errorf("%s: %v", out, err)
		}
	}
	r := Reads{Format: "csv"}
	r.Add("INPUT", "d", nil)
	if err := r.CheckFile("--missing-out", "d/new.txt", AccountsHeader); err == nil {
		t.Error("with --format the folder has another input")
	}
	r.Add("--accounts", "list", nil)
	if err := r.CheckFile("--missing-out", "list", AccountsHeader); err == nil || !strings.Contains(err.Error(), `--accounts "list"`) {
		t.Errorf("a list that is read: %v", err)
	}
}

func TestStatesAndInputsOfAManifest(t *testing.T) {
	for _, c := range []struct {
		input, state     string
		isFolder, refuse bool
	}{
		{"/data/input", "/data/input", true, true}, {"/data", "/data", true, true}, {"/data/input", "/data", true, true}, {"/data", "/data/state", true, false},
		{"/data/edges.csv", "/data", false, false}, {"/data/failed.csv", "/data", false, true}, {"/data/s/failed.csv", "/data/s", false, true},
		{"/data/s/shard-1-of-2/failed.csv", "/data/s", false, true}, {"/data/s/staged/x.csv", "/data/s", false, true}, {"/data/s-2/failed.csv", "/data/s", false, false},
		{"/data/input", "/data/friendmigrate-state", true, false},
	} {
		if err := CheckNames("--input", c.input, c.state, c.isFolder); (err != nil) != c.refuse {
			t.Errorf("%s with %s: %v", c.input, c.state, err)
		}
	}
}
