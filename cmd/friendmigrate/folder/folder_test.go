package folder

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"friendmigrate/checkpoint"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/migrate/disk"
	"friendmigrate/source/stage"
)

func fill(t *testing.T, dir string, names ...string) {
	t.Helper()
	for _, name := range names {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func names(t *testing.T, dir string) (list []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

func TestAnotherDivisionOfTheJobIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		there []string
		shard settings.Shard
		ok    bool
	}{
		"nothing there":              {nil, settings.Shard{Index: 0, Count: 4}, true},
		"other shards of the same n": {[]string{"shard-1-of-4/checkpoint.journal"}, settings.Shard{Index: 0, Count: 4}, true},
		"shards of another n":        {[]string{"shard-0-of-2/checkpoint.journal"}, settings.Shard{Index: 0, Count: 4}, false},
		"an undivided job":           {[]string{"checkpoint.journal"}, settings.Shard{Index: 0, Count: 4}, false},
		"an undivided stage":         {[]string{"staged/manifest.json"}, settings.Shard{Index: 0, Count: 4}, false},
		"shards, and this has none":  {[]string{"shard-0-of-2/checkpoint.journal"}, settings.Shard{}, false},
		"an undivided job goes on":   {[]string{"checkpoint.journal", "staged/x"}, settings.Shard{}, true},
		"something else":             {[]string{"notes.txt", "shard-list.txt"}, settings.Shard{Index: 0, Count: 4}, true},
	} {
		dir := t.TempDir()
		fill(t, dir, c.there...)
		err := CheckNeighbours(dir, c.shard)
		if (err == nil) != c.ok || err != nil && !errors.Is(err, ErrOther) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := CheckNeighbours(filepath.Join(t.TempDir(), "none"), settings.Shard{}); err != nil {
		t.Errorf("no folder yet: %v", err)
	}
}

// A run that ended before it could send is not in the way of another division. One that is at work
// is, but only for now, because it need not be another job: accounts locks the folder of all
// shards.
func TestWhatNeverSentIsInTheWayOnlyWhileItWorks(t *testing.T) {
	dir := t.TempDir()
	two, whole := settings.Shard{Index: 0, Count: 2}, settings.Shard{}
	fill(t, dir, "shard-1-of-4/progress.json", "shard-1-of-4/staged/raw-000", "shard-1-of-4/rejected.csv", "staged/raw-000")
	for _, s := range []settings.Shard{two, whole} {
		if err := CheckNeighbours(dir, s); err != nil {
			t.Errorf("%v: %v", s, err)
		}
	}
	for busy, refused := range map[string][]settings.Shard{filepath.Join(dir, "shard-1-of-4"): {two, whole}, dir: {two}} {
		lock, err := checkpoint.TryLock(busy)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range refused {
			if err := CheckNeighbours(dir, s); !errors.Is(err, checkpoint.ErrLocked) || errors.Is(err, ErrOther) {
				t.Errorf("%v beside %q at work: %v", s, busy, err)
			}
		}
		if err := lock.Release(); err != nil {
			t.Fatal(err)
		}
	}
	fill(t, dir, "shard-1-of-2/checkpoint.journal")
	places, err := Find(dir)
	if err != nil || len(places) != 1 || places[0].Shard != (settings.Shard{Index: 1, Count: 2}) {
		t.Errorf("%v %v", places, err)
	}
	if missing := NotBegun(places); len(missing) != 1 || missing[0] != two {
		t.Errorf("not begun: %v", missing)
	}
}

// begin makes the journal of a job in each folder.
func begin(t *testing.T, rehearsal bool, dirs ...string) {
	t.Helper()
	for _, dir := range dirs {
		if err := checkpoint.Create(disk.OS{}, dir, checkpoint.Identity{Rehearsal: rehearsal}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestARehearsalRemovesThoseOfOtherDivisions(t *testing.T) {
	dir := t.TempDir()
	mine := filepath.Join(dir, "shard-1-of-3")
	begin(t, true, dir, filepath.Join(dir, "shard-0-of-2"), mine)
	fill(t, dir, "shard-0-of-2/staged/manifest.json", "report.json")
	if err := ForgetOthers(dir, settings.Shard{Index: 0, Count: 3}); err != nil {
		t.Fatal(err)
	}
	places, err := Find(dir)
	if err != nil || len(places) != 1 || places[0].Shard.Count != 3 {
		t.Errorf("%v %v", places, err)
	}
	if left := names(t, dir); slices.Contains(left, "report.json") {
		t.Errorf("left: %v", left)
	}
	lock, err := checkpoint.TryLock(mine)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Release()
	if err := ForgetOthers(dir, settings.Shard{}); !errors.Is(err, checkpoint.ErrLocked) {
		t.Errorf("one at work: %v", err)
	}
}

// Only what says of itself that it is a rehearsal is removed; beside anything else nothing is
// touched.
func TestARealJobIsNoRehearsal(t *testing.T) {
	one := settings.Shard{Index: 0, Count: 2}
	for name, there := range map[string]func(dir string){
		"a real job":               func(dir string) { begin(t, false, dir) },
		"a shard of one":           func(dir string) { begin(t, false, filepath.Join(dir, "shard-1-of-2")) },
		"a journal that is broken": func(dir string) { fill(t, dir, "checkpoint.journal") },
		"a stage without one":      func(dir string) { fill(t, dir, "staged/manifest.json") },
	} {
		dir := t.TempDir()
		there(dir)
		begin(t, true, filepath.Join(dir, "shard-0-of-3"))
		for _, shard := range []settings.Shard{{}, one} {
			if err := ForgetOthers(dir, shard); !errors.Is(err, ErrOther) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := os.Stat(filepath.Join(dir, "shard-0-of-3", checkpoint.FileName)); err != nil {
			t.Errorf("%s: the rehearsal beside it was removed: %v", name, err)
		}
	}
	dir := t.TempDir()
	begin(t, true, dir)
	if err := ForgetOthers(dir, settings.Shard{}); err != nil {
		t.Error(err)
	}
	if err := ForgetOthers(filepath.Join(dir, "none"), one); err != nil {
		t.Error(err)
	}
}

func TestAnOldStateIsMovedAndNotDeleted(t *testing.T) {
	dir := t.TempDir()
	all := []string{"checkpoint.journal", "staged/manifest.json", "failed.csv", "failed.csv.spool", "rejected.csv", "progress.json", "report.json", "report.html"}
	fill(t, dir, append(all, "lock", "notes.txt", "pace.json", "probe.json", "old-20200101-000000/checkpoint.journal")...)
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	old, err := SetAside(disk.OS{}, dir, now)
	if err != nil || old != filepath.Join(dir, "old-20260102-030405") {
		t.Fatal(old, err)
	}
	if got, want := names(t, dir), []string{"lock", "notes.txt", "old-20200101-000000", "old-20260102-030405", "pace.json", "probe.json"}; !slices.Equal(got, want) {
		t.Errorf("left: %v", got)
	}
	for _, name := range all {
		if _, err := os.Stat(filepath.Join(old, name)); err != nil {
			t.Error(err)
		}
	}
	if again, err := SetAside(disk.OS{}, dir, now); again != "" || err != nil {
		t.Errorf("with nothing there: %q, %v", again, err)
	}
	fill(t, dir, "checkpoint.journal")
	if again, err := SetAside(disk.OS{}, dir, now); again != old+"-2" || err != nil {
		t.Errorf("within the same second: %q, %v", again, err)
	}
}

// failingRenames refuses the rename number n.
type failingRenames struct {
	disk.FS
	left int
}

var errRename = errors.New("no")

func (f *failingRenames) Rename(from, to string) error {
	if f.left == 0 {
		return errRename
	}
	f.left--
	return f.FS.Rename(from, to)
}

// Wherever it ends: the old job is there, or no stage without a journal, which would be damage.
func TestDyingWhileANewStateTakesOver(t *testing.T) {
	for n := range 8 {
		dir := t.TempDir()
		fill(t, dir, "checkpoint.journal", "staged/manifest.json", "failed.csv", "report.json")
		for _, name := range []string{"checkpoint.journal", "staged/manifest.json", "rejected.csv"} {
			fill(t, dir, "starting-over/"+name)
		}
		old, err := TakeOver(&failingRenames{disk.OS{}, n}, dir, time.Now())
		if (err == nil) != (n == 7) || err != nil && !errors.Is(err, errRename) || old == "" {
			t.Fatal(n, old, err)
		}
		journal, err := os.ReadFile(filepath.Join(dir, "checkpoint.journal"))
		was := map[bool]string{true: "checkpoint.journal", false: "starting-over"}[n < 4]
		if n != 4 && (err != nil || !strings.Contains(string(journal), was)) {
			t.Errorf("after %d renames: %q %v", n, journal, err)
		}
		if err != nil && stage.Sealed(filepath.Join(dir, Staged)) {
			t.Errorf("after %d renames there is a stage without a journal", n)
		}
	}
}

func TestWhatAKilledFreshLeftIsDropped(t *testing.T) {
	dir := t.TempDir()
	fill(t, dir, "checkpoint.journal", "starting-over/staged/raw-000", "starting-over/rejected.csv", "starting-over/checkpoint.journal")
	if err := errors.Join(DropKilled(dir), DropKilled(dir)); err != nil {
		t.Fatal(err)
	}
	if left := names(t, dir); !slices.Equal(left, []string{"checkpoint.journal"}) {
		t.Errorf("left: %v", left)
	}
	fill(t, dir, "starting-over/rejected.csv")
	if err := DropKilled(dir); err != nil || len(names(t, Next(dir))) != 1 {
		t.Errorf("the list of a refused input: %v", err)
	}
	fill(t, dir, "starting-over/notes.txt")
	if err := Drop(dir); err != nil || len(names(t, Next(dir))) != 1 {
		t.Errorf("somebody's own file: %v", err)
	}
}

func TestForgettingARehearsalLeavesWhatIsNotOurs(t *testing.T) {
	dir := t.TempDir()
	fill(t, dir, "checkpoint.journal", "staged/manifest.json", "failed.csv", "failed.csv.tmp", "report.json.tmp18446744073709551615", "report.json.tmp-1", "failed.csv.bak", "lock", "notes.txt")
	if err := Forget(dir); err != nil {
		t.Fatal(err)
	}
	if got, want := names(t, dir), []string{"failed.csv.bak", "lock", "notes.txt", "report.json.tmp-1"}; !slices.Equal(got, want) {
		t.Errorf("left: %v", got)
	}
}

// A shard is compared with those beside it in everything that makes it another job, also before its
// input is read. A journal that is damaged or not there says nothing.
func TestShardsOfDifferentJobs(t *testing.T) {
	base := t.TempDir()
	same := checkpoint.Identity{SDKAppID: 1, Target: "tokyo", Inputs: []string{"abc"}, Shards: 5}
	var places []Place
	for i, change := range []func(*checkpoint.Identity){
		func(*checkpoint.Identity) {},
		func(id *checkpoint.Identity) { id.Edges, id.Chunks, id.PlanDigest = 7, 1, "its own share" },
		func(id *checkpoint.Identity) { id.Inputs = []string{"xyz"} },
		func(id *checkpoint.Identity) { id.Options = map[string]string{"--mutual": "true"} },
	} {
		id := same
		id.Shard = i
		change(&id)
		places = append(places, Place{Of(base, settings.Shard{Index: i, Count: 5}), settings.Shard{Index: i, Count: 5}})
		if err := checkpoint.Create(disk.OS{}, places[i].Dir, id); err != nil {
			t.Fatal(err)
		}
	}
	fill(t, base, "shard-4-of-5/checkpoint.journal")
	places = append(places, Place{Of(base, settings.Shard{Index: 4, Count: 5}), settings.Shard{Index: 4, Count: 5}})
	const want = `shard 0/5 is not a share of the job of shard 2/5: the content of input 1 of 1 was "xyz", is "abc"`
	if got := Mixed(places); got != want+"; nor of that of 3/5" {
		t.Error(got)
	}
	if got := Mixed(places[:2]) + Mixed(places[4:]) + Mixed(nil); got != "" {
		t.Error(got)
	}
	seen := func(others []checkpoint.Identity, _ string) (list string) {
		for _, one := range others {
			list += fmt.Sprint(one.Shard)
		}
		return list
	}
	if got := seen(OtherJobs(places, same)); got != "23" {
		t.Error(got)
	}
	same.Shard, same.Inputs = 4, nil // not read yet
	if got := seen(OtherJobs(places, same)); got != "3" {
		t.Error(got)
	}
}
