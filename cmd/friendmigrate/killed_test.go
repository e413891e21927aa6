package main

import (
	"bytes"
	"compress/gzip"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"friendmigrate/sink/simulator"
)

var (
	killCount = flag.Int("kills", 2, "how often each command is killed")
	killSeed  = flag.Uint64("kill-seed", 0, "draws the moments; 0: a random one")
)

// moments draws when to kill.
func moments(t *testing.T) *rand.Rand {
	seed := *killSeed
	if seed == 0 {
		seed = rand.Uint64N(1_000_000)
	}
	t.Logf("the moments are those of -kill-seed=%d", seed)
	return rand.New(rand.NewPCG(seed, 9))
}

// slowly makes a run last long enough to be killed in the middle.
func slowly(env map[string]string) map[string]string {
	env = maps.Clone(env)
	env["FRIENDMIGRATE_RATE"] = "50000" // a limit: only then does a run wait for what the killed one has sent
	env["FRIENDMIGRATE_WORKERS"] = fmt.Sprint(killedWorkers)
	return env
}

// span is when kills fall: a run that goes on sends its first call after a second, since the one
// before may have sent calls until just now.
const span = 2500 * time.Millisecond

// killed runs the program again and again, each time killing it at a random moment of its first
// span, until a run ends by itself. It returns how often it was killed.
func killed(t *testing.T, random *rand.Rand, dir string, env map[string]string, code int, args ...string) int {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for count := 0; ; count++ {
		c := exec.Command(program, args...)
		c.Args[0], c.Dir = "friendmigrate", dir
		for name, value := range env {
			c.Env = append(c.Env, name+"="+value)
		}
		var stderr bytes.Buffer
		c.Stderr = &stderr
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		timer := time.AfterFunc(time.Duration(random.Int64N(int64(span))), func() { _ = c.Process.Kill() })
		_ = c.Wait()
		timer.Stop()
		switch got := c.ProcessState.ExitCode(); got {
		case -1:
			continue
		case code:
			return count
		default:
			t.Fatalf("%v: exit code %d, want %d\n%s", args, got, code, stderr.String())
		}
	}
}

// untilKilled repeats rounds of a command until it was killed often enough; each round starts from
// fresh and ends with its result held against the unbroken one.
func untilKilled(t *testing.T, round func(random *rand.Rand, n int) int) {
	t.Helper()
	if testing.Short() {
		t.Skip("the other runs do it: what is killed is another process")
	}
	random := moments(t)
	count, rounds := 0, 0
	for ; count < *killCount && rounds < 10**killCount; rounds++ {
		count += round(random, rounds)
	}
	t.Logf("killed in %d rounds, each of which came to what an unbroken run comes to: %d cases", rounds, count)
	if count < *killCount {
		t.Errorf("killed %d times only", count)
	}
}

// killedLatency makes the few calls of these tests take most of the second in which kills fall.
const killedLatency = 30 * time.Millisecond

// killedApp is an app with an input for it: 170 accounts with 3 friends each.
type killedApp struct {
	sim        *simulator.Server
	env        map[string]string
	dir, state string
	input      string
}

const (
	killedAccounts = 170
	killedFriends  = 3
	killedWorkers  = 6
)

// newKilledApp makes an app without edges, and the input in.csv.
func newKilledApp(t *testing.T) *killedApp {
	t.Helper()
	a := &killedApp{dir: t.TempDir()}
	sim, url := serveApp(t, simulator.Config{Latency: killedLatency})
	a.sim, a.env = sim, settingsOf(t, url)
	a.state, a.input = filepath.Join(a.dir, "state"), a.write(t, "in.csv", "r")
	return a
}

// load imports the input.
func (a *killedApp) load(t *testing.T, state string, flags ...string) {
	t.Helper()
	call(t, 0, a.env, append([]string{"import", a.input, "--state", state}, flags...)...)
}

// write writes the edges with these remarks, and numbers after them.
func (a *killedApp) write(t *testing.T, name, remark string) string {
	t.Helper()
	var input strings.Builder
	input.WriteString("From_Account,To_Account,AddSource,Remark\n")
	for i := range killedFriends * killedAccounts {
		from := i % killedAccounts
		fmt.Fprintf(&input, "u%d,u%d,AddSource_Type_Test,%s%d\n", from, (from+1+i/killedAccounts)%killedAccounts, remark, i)
	}
	name = filepath.Join(a.dir, name)
	if err := os.WriteFile(name, []byte(input.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// remarks are those of the graph, by the pair.
func (a *killedApp) remarks() map[string]string {
	all := map[string]string{}
	a.sim.Graph(func(from string, f simulator.Friend) bool {
		all[from+" "+f.To] = f.Remark
		return true
	})
	return all
}

// repeats holds what was sent since against what it takes: at most one chunk for each worker and
// kill is sent again, and never two calls of one account at once.
func (a *killedApp) repeats(t *testing.T, api string, before simulator.Stats, kills int) {
	t.Helper()
	now := a.sim.Stats()
	if calls, most := now.ByAPI[api]-before.ByAPI[api], int64(killedAccounts+kills*killedWorkers); calls < killedAccounts || calls > most {
		t.Errorf("%d calls of %s with %d kills, want %d to %d", calls, api, kills, killedAccounts, most)
	}
	if now.Overlaps > 0 {
		t.Errorf("%d calls overlapped", now.Overlaps)
	}
}

func TestAnUpdateThatIsKilledSetsEveryField(t *testing.T) {
	t.Parallel()
	a := newKilledApp(t)
	a.load(t, a.state)
	untilKilled(t, func(random *rand.Rand, n int) int {
		remark := fmt.Sprintf("round %d ", n)
		input, state, before := a.write(t, "new.csv", remark), filepath.Join(a.dir, fmt.Sprint("update", n)), a.sim.Stats()
		kills := killed(t, random, a.dir, slowly(a.env), 0, "update", input, "--state", state)
		a.repeats(t, "friend_update", before, kills)
		got := a.remarks()
		for i := range killedFriends * killedAccounts {
			from := i % killedAccounts
			pair := fmt.Sprintf("u%d u%d", from, (from+1+i/killedAccounts)%killedAccounts)
			if want := fmt.Sprint(remark, i); got[pair] != want {
				t.Fatalf("%s has the remark %q after %d kills, want %q", pair, got[pair], kills, want)
			}
		}
		if len(got) != killedFriends*killedAccounts {
			t.Errorf("%d edges in the app", len(got))
		}
		if r := readReport(t, state); r.Ending.Code != 0 || r.Rows.Imported != int64(len(got)) {
			t.Errorf("the report says %+v", r.Rows)
		}
		return kills
	})
}

func TestAnUndoThatIsKilledLeavesTheAppAsItWas(t *testing.T) {
	t.Parallel()
	a := newKilledApp(t)
	for i := 0; i < killedAccounts; i += 7 { // friends already, with another remark
		a.sim.Put(fmt.Sprintf("u%d", i), simulator.Friend{To: fmt.Sprintf("u%d", (i+2)%killedAccounts), AddSource: "AddSource_Type_Test", Remark: "before"})
	}
	was := a.remarks()
	untilKilled(t, func(random *rand.Rand, n int) int {
		state := filepath.Join(a.dir, fmt.Sprint("undone", n))
		a.load(t, state, "--only-missing")
		if n := len(a.remarks()); n != killedFriends*killedAccounts {
			t.Fatalf("%d edges were imported", n)
		}
		before := a.sim.Stats()
		kills := killed(t, random, a.dir, slowly(a.env), 0, "undo", "--yes", "--state", state)
		a.repeats(t, "friend_delete", before, kills)
		if now := a.remarks(); !maps.Equal(now, was) {
			t.Fatalf("%d edges after %d kills, %d before the job", len(now), kills, len(was))
		}
		return kills
	})
}

func TestAccountsThatAreKilledAskAboutAllAndImportThoseMissing(t *testing.T) {
	t.Parallel()
	dir, missing := t.TempDir(), simulator.Set{}
	var input strings.Builder
	input.WriteString("From_Account,To_Account,AddSource\n")
	const accounts = 10_000
	for i := range accounts {
		fmt.Fprintf(&input, "u%d,u%d,AddSource_Type_Test\n", i, (i+1)%accounts)
		if i%7 == 0 {
			missing[fmt.Sprintf("u%d", i)] = struct{}{}
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "in.csv"), []byte(input.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	untilKilled(t, func(random *rand.Rand, n int) int {
		sim, url := serveApp(t, simulator.Config{Latency: 20 * time.Millisecond, App: simulator.App{Missing: maps.Clone(missing)}})
		env := slowly(settingsOf(t, url))
		args := []string{"accounts", "--import", filepath.Join(dir, "in.csv"), "--state", filepath.Join(dir, fmt.Sprint("accounts", n))}
		kills := killed(t, random, dir, env, 0, args...)
		calls := sim.Stats().ByAPI
		if most := int64((accounts/100 + 1) * (1 + kills)); calls["account_check"] < accounts/100 || calls["account_check"] > most {
			t.Errorf("%d calls of account_check with %d kills", calls["account_check"], kills)
		}
		least := int64(len(missing)) // and those of the calls that were open at a kill
		if n := sim.Stats().AccountsImported; n < least || n > least+int64(100*killedWorkers*kills) {
			t.Errorf("%d accounts were imported with %d kills, %d were missing", n, kills, least)
		}
		// Asked again by another job, all are there.
		call(t, 0, env, "accounts", filepath.Join(dir, "in.csv"), "--state", filepath.Join(dir, fmt.Sprint("again", n)))
		return kills
	})
}

func TestAVerifyThatIsKilledGivesTheSameLists(t *testing.T) {
	t.Parallel()
	a := newKilledApp(t)
	a.load(t, a.state)
	const accounts = killedAccounts
	for i := 0; i < accounts; i += 7 {
		a.sim.Remove(fmt.Sprintf("u%d", i), fmt.Sprintf("u%d", (i+1)%accounts))
		a.sim.Put(fmt.Sprintf("u%d", i), simulator.Friend{To: fmt.Sprintf("u%d", (i+2)%accounts), AddSource: "AddSource_Type_Test", Remark: "changed"})
	}
	args := []string{"verify", "--fields", "--state", a.state}
	call(t, 5, a.env, args...)
	lists := func() string { return content(t, a.state, "missing.csv") + content(t, a.state, "different.csv") }
	unbroken := lists()
	if n := strings.Count(unbroken, "\n"); n != 2+2*((accounts+6)/7) {
		t.Fatalf("%d lines", n)
	}
	untilKilled(t, func(random *rand.Rand, _ int) int {
		for _, name := range []string{"missing.csv", "different.csv"} {
			if err := os.Remove(filepath.Join(a.state, name)); err != nil {
				t.Fatal(err)
			}
		}
		n := killed(t, random, a.dir, slowly(a.env), 5, args...)
		if lists() != unbroken {
			t.Fatalf("the lists are others after %d kills", n)
		}
		return n
	})
}

func content(t *testing.T, path ...string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// blocks sorts a list by account. All rows of an account have to stand together.
func blocks(t *testing.T, list string) string {
	t.Helper()
	var sorted []string
	seen, before := map[string]bool{}, ""
	for line := range strings.Lines(list) {
		from, _, _ := strings.Cut(line, ",")
		if from != before && seen[from] {
			t.Fatalf("%s has rows between those of %s", before, from)
		}
		if from != before {
			sorted = append(sorted, "")
		}
		sorted[len(sorted)-1] += line
		seen[from], before = true, from
	}
	slices.Sort(sorted)
	return strings.Join(sorted, "")
}

func TestAnExportThatIsKilledGivesTheSameFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, url := serveApp(t, simulator.Config{Latency: killedLatency, App: simulator.App{Missing: simulator.NewSet("u13", "u97")}})
	env := settingsOf(t, url)
	var ids strings.Builder
	for i := range 130 { // the last of them have more than a page
		id := fmt.Sprintf("u%d", i)
		fmt.Fprintln(&ids, id)
		for k := range i {
			s.Put(id, simulator.Friend{To: fmt.Sprintf("f%d", k), AddSource: "AddSource_Type_Test", Remark: strings.Repeat("é", k%9)})
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "ids"), []byte(ids.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	unpacked := func(name string) string {
		text := content(t, dir, name)
		if strings.HasSuffix(name, ".gz") {
			z, err := gzip.NewReader(strings.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			all, err := io.ReadAll(z)
			if err != nil {
				t.Fatal(err)
			}
			text = string(all)
		}
		return blocks(t, text) + blocks(t, content(t, dir, "out-failed.csv"))
	}
	names := []string{"out.jsonl", "out.jsonl.gz", "out.csv"}
	unbroken := map[string]string{}
	for _, name := range names {
		call(t, 3, env, "export", "--accounts", filepath.Join(dir, "ids"), "--output", filepath.Join(dir, name))
		unbroken[name] = unpacked(name)
	}
	untilKilled(t, func(random *rand.Rand, round int) int {
		name := names[round%len(names)]
		if err := errors.Join(os.Remove(filepath.Join(dir, name)), os.RemoveAll(filepath.Join(dir, name+".export"))); err != nil {
			t.Fatal(err)
		}
		n := killed(t, random, dir, slowly(env), 3, "export", "--accounts", "ids", "--output", name)
		if unpacked(name) != unbroken[name] {
			t.Fatalf("%s is another after %d kills", name, n)
		}
		return n
	})
}
