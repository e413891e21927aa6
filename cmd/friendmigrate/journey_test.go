package main

import (
	"compress/gzip"
	"encoding/csv"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"friendmigrate/sink/simulator"
)

var journeyAccounts = flag.Int("journey-accounts", 600, "how many accounts of the real network the journey takes; 0: all")

// friendships is the real network beside the repository, or the part of it that the flag asks for.
// Without that network it is one that is made up of 700 accounts. The order is random.
func friendships(t *testing.T) (pairs [][2]string) {
	t.Helper()
	f, err := os.Open("../../../shared/data/facebook-friends.csv.gz")
	if err != nil {
		random := rand.New(rand.NewPCG(3, 4))
		for from := range 700 {
			for _, to := range random.Perm(700)[:1+random.IntN(40)] {
				if to != from {
					pairs = append(pairs, [2]string{fmt.Sprint("u", from), fmt.Sprint("u", to)})
				}
			}
		}
		random.Shuffle(len(pairs), func(i, j int) { pairs[i], pairs[j] = pairs[j], pairs[i] })
		return pairs
	}
	defer f.Close()
	unpacked, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	rows := csv.NewReader(unpacked)
	for {
		row, err := rows.Read()
		if err == io.EOF {
			return pairs
		}
		if err != nil {
			t.Fatal(err)
		}
		from, _ := strconv.Atoi(strings.TrimPrefix(row[0], "fb"))
		to, _ := strconv.Atoi(strings.TrimPrefix(row[1], "fb"))
		taken := *journeyAccounts == 0 || from < *journeyAccounts && to < *journeyAccounts
		if taken && from != to && row[0] != "From_Account" {
			pairs = append(pairs, [2]string{row[0], row[1]})
		}
	}
}

const journeySource = "AddSource_Type_Import"

// journey is a migration in a folder, against an app that counts for itself.
type journey struct {
	t      *testing.T
	dir    string
	env    map[string]string
	app    *simulator.Server
	before simulator.Stats // of the step
}

// begin runs the program.
func (j *journey) begin(args ...string) (*exec.Cmd, *strings.Builder) {
	j.t.Helper()
	program, err := os.Executable()
	if err != nil {
		j.t.Fatal(err)
	}
	c, stderr := exec.Command(program, args...), new(strings.Builder)
	c.Args[0], c.Dir, c.Stderr = "friendmigrate", j.dir, stderr
	for name, value := range j.env {
		c.Env = append(c.Env, name+"="+value)
	}
	if err := c.Start(); err != nil {
		j.t.Fatal(err)
	}
	return c, stderr
}

// step runs the program to its end, which has to be with code. What it says last comes back. It
// begins a second after the step before, which had another state: neither knows of the other.
func (j *journey) step(code int, args ...string) (last string) {
	j.t.Helper()
	time.Sleep(time.Second)
	j.before = j.app.Stats()
	c, stderr := j.begin(args...)
	_ = c.Wait()
	if got := c.ProcessState.ExitCode(); got != code {
		j.t.Fatalf("%v: exit code %d, want %d\n%s", args, got, code, stderr)
	}
	lines := strings.Split(strings.TrimSpace(stderr.String()), "\n")
	return lines[len(lines)-1]
}

// killedAt kills the program once the app has had so many calls of an API since the step began.
func (j *journey) killedAt(api string, calls int64, args ...string) {
	j.t.Helper()
	c, stderr := j.begin(args...)
	j.await(func() bool { return j.made(api) >= calls })
	_ = c.Process.Kill()
	if _ = c.Wait(); c.ProcessState.ExitCode() != -1 {
		j.t.Fatalf("%v ended before it was killed: %s", args, stderr)
	}
}

func (j *journey) await(until func() bool) {
	j.t.Helper()
	for deadline := time.Now().Add(40 * time.Second); !until(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			j.t.Fatal("it takes too long")
		}
	}
}

// made is how many calls of an API the step has made.
func (j *journey) made(api string) int64 { return j.app.Stats().ByAPI[api] - j.before.ByAPI[api] }

// calls holds the calls of a step against the fewest that do, of which more may be sent twice.
func (j *journey) calls(api string, fewest, more int) {
	j.t.Helper()
	all := j.app.Stats().Calls - j.before.Calls
	if n := j.made(api); n < int64(fewest) || n > int64(fewest+more) || n != all {
		j.t.Errorf("%d calls of %s and %d in all, want %d and at most %d more", n, api, all, fewest, more)
	}
}

// listed is the pairs of a list.
func (j *journey) listed(name string) (pairs [][2]string) {
	j.t.Helper()
	f, err := os.Open(filepath.Join(j.dir, name))
	if err != nil {
		j.t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		j.t.Fatal(err)
	}
	for _, row := range rows[1:] {
		pairs = append(pairs, [2]string{row[0], row[1]})
	}
	return sorted(pairs)
}

func sorted(pairs [][2]string) [][2]string {
	slices.SortFunc(pairs, func(a, b [2]string) int { return strings.Compare(a[0]+" "+a[1], b[0]+" "+b[1]) })
	return pairs
}

// froms counts the accounts that have friends among the pairs, and the calls that these take with
// so many friends in each.
func froms(pairs [][2]string, each int) (calls int) {
	friends := map[string]int{}
	for _, p := range pairs {
		friends[p[0]]++
	}
	for _, n := range friends {
		calls += (n + each - 1) / each
	}
	return calls
}

// TestTheWholeJourney: accounts first, an import that is killed and paced, fields corrected, and
// the way back. Each step makes the fewest calls, and in the end the app is what it was before.
func TestTheWholeJourney(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes the time that the rate asks for")
	}
	t.Parallel()
	// The service takes 200 calls in any sliding second. The rate stays below, because on a busy
	// machine some calls are held up on their way and arrive among those that left after them.
	const limit, rate, workers = 200, 180, 20
	pairs := friendships(t)
	none := func(string) bool { return false }
	app, url := serveApp(t, simulator.Config{App: simulator.App{Accounts: none}, Latency: 10 * time.Millisecond})
	j := &journey{t: t, dir: t.TempDir(), env: settingsOf(t, url), app: app}
	j.env["FRIENDMIGRATE_RATE"], j.env["FRIENDMIGRATE_WORKERS"] = fmt.Sprint(rate), fmt.Sprint(workers)
	input := strings.Builder{}
	input.WriteString("From_Account,To_Account,AddSource,Remark\n")
	ids := map[string]bool{}
	for _, p := range pairs {
		fmt.Fprintf(&input, "%s,%s,%s,of %s\n", p[0], p[1], journeySource, p[1])
		ids[p[0]], ids[p[1]] = true, true
	}
	if err := os.WriteFile(filepath.Join(j.dir, "friends.csv"), []byte(input.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	accountCalls, importCalls := (len(ids)+99)/100, froms(pairs, 1000)

	j.step(3, "accounts", "friends.csv")
	j.calls("account_check", accountCalls, 0)
	j.step(0, "accounts", "--import", "friends.csv")
	j.calls("multiaccount_import", accountCalls, 0)
	j.step(0, "plan", "friends.csv")
	j.calls("", 0, 0)

	j.before = app.Stats()
	j.killedAt("friend_import", int64(importCalls/10), "import", "friends.csv")
	j.killedAt("friend_import", int64(importCalls/5), "import", "friends.csv")
	c, stderr := j.begin("import", "friends.csv")
	j.await(func() bool { return j.made("friend_import") >= int64(importCalls/4) }) // the rest lasts while the pace is looked at
	j.pace("20")
	time.Sleep(2 * time.Second) // within which it obeys
	slow, since := j.made("friend_import"), time.Now()
	time.Sleep(2 * time.Second)
	n, most := j.made("friend_import")-slow, int64(20*time.Since(since).Seconds())+workers // those under way
	if n > most || n < 20 {
		t.Errorf("%d calls in 2 s at a pace of 20, want 20 to %d", n, most)
	}
	j.pace(fmt.Sprint(rate))
	if err := c.Wait(); err != nil {
		t.Fatalf("import: %v\n%s", err, stderr)
	}
	j.calls("friend_import", importCalls, 2*workers)

	order := rand.New(rand.NewPCG(1, 2)).Perm(len(pairs))
	var changed, deleted [][2]string
	for _, i := range order[:50] {
		changed = append(changed, pairs[i])
		app.Put(pairs[i][0], simulator.Friend{To: pairs[i][1], Remark: "other", AddSource: journeySource})
	}
	for _, i := range order[50:57] {
		deleted = append(deleted, pairs[i])
		app.Remove(pairs[i][0], pairs[i][1])
	}
	there := slices.DeleteFunc(slices.Clone(pairs), func(p [2]string) bool { return slices.Contains(deleted, p) })
	j.step(5, "verify", "--fields")
	j.calls("friend_get", froms(there, 100), len(deleted)) // an account may have lost its only friend
	if got := j.listed("friendmigrate-state/missing.csv"); !slices.Equal(got, sorted(deleted)) {
		t.Errorf("missing are %v, want %v", got, deleted)
	}
	if got := j.listed("friendmigrate-state/different.csv"); !slices.Equal(got, sorted(changed)) {
		t.Errorf("different are %v, want %v", got, changed)
	}
	j.step(0, "import", "--state", "missing", "friendmigrate-state/missing.csv")
	j.calls("friend_import", froms(deleted, 1000), 0)
	j.step(0, "update", "--state", "update", "friendmigrate-state/different.csv")
	j.calls("friend_update", froms(changed, 1000), 0)
	j.step(0, "verify", "--fields")
	j.calls("friend_get", froms(pairs, 100), 0)

	j.step(2, "undo", "--yes") // the app answers 0 for friends that it has: no evidence that they were new
	last := j.step(2, "undo", "--assume-new")
	if want := fmt.Sprintf("undo would delete %s edges", thousands(len(pairs))); !strings.Contains(last, want) {
		t.Errorf("%q, want %q", last, want)
	}
	j.calls("", 0, 0)
	j.killedAt("friend_delete", int64(importCalls/2), "undo", "--assume-new", "--yes")
	c, stderr = j.begin("undo", "--assume-new", "--yes")
	if err := c.Wait(); err != nil {
		t.Fatalf("undo: %v\n%s", err, stderr)
	}
	j.calls("friend_delete", importCalls, workers)
	if s := app.Stats(); s.GraphEdges != 0 || s.Overlaps != 0 || s.LargestSecond > limit {
		t.Errorf("%d edges are left, %d calls overlapped, %d calls in one second", s.GraphEdges, s.Overlaps, s.LargestSecond)
	}
	j.step(10, "import", "friends.csv")
}

func (j *journey) pace(rate string) {
	j.t.Helper()
	c, stderr := j.begin("pace", rate)
	if err := c.Wait(); err != nil {
		j.t.Fatalf("pace: %v\n%s", err, stderr)
	}
}

func thousands(n int) string { return fmt.Sprintf("%d,%03d", n/1000, n%1000) }
