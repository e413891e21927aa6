package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/migrate/disk"
	"friendmigrate/sink/simulator"
)

// The sweeps go through samples unless they are asked for everything, as cmd/trial does.
var (
	sweepWhole = flag.Bool("sweep-whole", false, "sweep over every operation, byte and length, not over samples")
	sweepSeeds = flag.Int("sweep-seeds", 1, "small jobs that the sweep over file operations goes through; the first is always the same")
)

// smallJob is a whole job of some edges, in three lives: new, resumed after its first accounts were
// done, and with its failures sent again. Its service is made anew for each run of the sweep.
type smallJob struct {
	dir, input string
	missing    simulator.Set // accounts that don't exist
	lives      []life

	// The address is part of what a job is, so all services of a job have the same; which of them a
	// call means, its admin's name says.
	url      string
	mu       sync.Mutex
	services map[string]*smallService
}

// life is a state that a run begins with, and what an unbroken run makes of it.
type life struct {
	name   string
	folder string   // what the state folder holds before
	graph  []edge   // what the service has before
	flags  []string // of the run
	healed bool     // no account is missing any more

	code  int
	lists map[string]string
	after []edge
}

type edge struct{ from, to string }

const smallRows = 26

// newSmallJob draws a job and lives it through.
func newSmallJob(t testing.TB, seed int) *smallJob {
	t.Helper()
	j := &smallJob{dir: t.TempDir(), missing: simulator.NewSet("ghost", "nobody"), services: map[string]*smallService{}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		j.mu.Lock()
		s := j.services[r.URL.Query().Get("identifier")]
		j.mu.Unlock()
		s.sim.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	j.url = server.URL
	j.input = filepath.Join(j.dir, "edges.csv")
	var b strings.Builder
	b.WriteString("From_Account,To_Account,AddSource,Remark\n")
	for i := range smallRows {
		from := fmt.Sprintf("u%d", (i*7+seed)%8)
		fmt.Fprintf(&b, "%s,f%d,AddSource_Type_Import,%s\n", from, i, strings.Repeat("r", (i+seed)%5))
	}
	b.WriteString("u1,ghost,AddSource_Type_Import,\nnobody,f1,AddSource_Type_Import,\nu2,u2,AddSource_Type_Import,itself\nu3,f99,AddSource_Type_Import,\nu3,f99,AddSource_Type_Import,twice\n")
	if err := os.WriteFile(j.input, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(j.dir, "key"), []byte(scriptKey), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(j.dir, "pilot"), []byte("u1\nu2\nnobody\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	j.live(t, &life{name: "new", folder: filepath.Join(j.dir, "nothing")}, nil)
	j.live(t, &life{name: "resumed"}, []string{"--only-accounts", filepath.Join(j.dir, "pilot")})
	j.live(t, &life{name: "retried", flags: []string{"--retry-failed"}, healed: true}, []string{})
	return j
}

// live makes a life: what an earlier run with these flags leaves, and what an unbroken one makes of
// it.
func (j *smallJob) live(t testing.TB, l *life, before []string) {
	t.Helper()
	if before != nil {
		l.folder = filepath.Join(j.dir, "before-"+l.name)
		s := j.serve(&life{})
		if code, out := s.run(disk.OS{}, l.folder, before...); code != 3 {
			t.Fatalf("%s, before: %d\n%s", l.name, code, out)
		}
		l.graph = s.graph()
	}
	s := j.serve(l)
	state := filepath.Join(j.dir, "after-"+l.name)
	j.copy(t, l, state)
	code, out := s.run(disk.OS{}, state, l.flags...)
	if code != 3 {
		t.Fatalf("%s: %d\n%s", l.name, code, out)
	}
	l.code, l.lists, l.after = code, readLists(t, state), s.graph()
	j.lives = append(j.lives, *l)
}

// copy makes a state folder of what l begins with.
func (j *smallJob) copy(t testing.TB, l *life, state string) {
	t.Helper()
	if _, err := os.Stat(l.folder); errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err := os.CopyFS(state, os.DirFS(l.folder)); err != nil {
		t.Fatal(err)
	}
}

// smallService is a service for one case.
type smallService struct {
	job  *smallJob
	sim  *simulator.Server
	name string // of its admin
	free func(string) (int64, error)
}

// serve makes a service that has what l begins with.
func (j *smallJob) serve(l *life) *smallService {
	j.mu.Lock()
	defer j.mu.Unlock()
	s := &smallService{job: j, name: fmt.Sprintf("admin%d", len(j.services)), free: disk.Free}
	c := simulator.Config{App: simulator.App{SDKAppID: 1400000042, Key: scriptKey, Missing: j.missing, Identifier: s.name}}
	if l.healed {
		c.Missing = nil
	}
	s.sim = simulator.New(c)
	for _, e := range l.graph {
		s.sim.Put(e.from, simulator.Friend{To: e.to})
	}
	j.services[s.name] = s
	return s
}

func (s *smallService) graph() (edges []edge) {
	s.sim.Graph(func(from string, f simulator.Friend) bool {
		edges = append(edges, edge{from, f.To})
		return true
	})
	slices.SortFunc(edges, func(a, b edge) int { return strings.Compare(a.from+" "+a.to, b.from+" "+b.to) })
	return edges
}

// run does one run of the job.
func (s *smallService) run(fsys disk.FS, state string, flags ...string) (code int, out string) {
	return s.runOver(fsys, state, []string{s.job.input}, flags...)
}

// runOver does one run over other inputs.
func (s *smallService) runOver(fsys disk.FS, state string, inputs []string, flags ...string) (code int, out string) {
	var b lockedBuffer
	args := []string{
		"friendmigrate", "import", "--sdk-app-id", "1400000042", "--secret-key-file", filepath.Join(s.job.dir, "key"), "--identifier", s.name, "--state", state,
		"--rate", "100000", "--workers", "2", "--memory", "1GiB", "--progress", "none", "--log-level", "warn",
		"--timeout", "5m", // a busy machine must not make a call two
	}
	if !slices.Contains(flags, "--region") {
		args = append(args, "--endpoint", s.job.url)
	}
	args = append(args, flags...)
	code = runOn(context.Background(), job.Volume{FS: fsys, Free: s.free}, append(args, inputs...), job.Streams{In: strings.NewReader(""), Out: &b, Err: &b}, map[string]string{})
	return code, b.String()
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// readLists reads the lists of a state folder, without attempts.
func readLists(t testing.TB, state string) map[string]string {
	t.Helper()
	lists := map[string]string{}
	for _, name := range []string{"rejected.csv", "changed.csv", "duplicates.csv", "failed.csv"} {
		b, err := os.ReadFile(filepath.Join(state, name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		records, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if column := slices.Index(records[0], "Attempts"); column >= 0 {
			for _, r := range records {
				r[column] = ""
			}
		}
		lists[name] = fmt.Sprintf("%q", records)
	}
	return lists
}

// ended holds what a run left against what an unbroken one leaves.
func (l *life) ended(t testing.TB, s *smallService, state string, code int, out string) {
	t.Helper()
	if code != l.code {
		t.Errorf("exit code %d\n%s", code, out)
		return
	}
	if got := s.graph(); !slices.Equal(got, l.after) {
		t.Errorf("the service has %d edges, after an unbroken run it has %d", len(got), len(l.after))
	}
	if got := readLists(t, state); !maps.Equal(got, l.lists) {
		t.Errorf("the lists are %v, after an unbroken run %v", got, l.lists)
	}
	if stats := s.sim.Stats(); stats.Overlaps > 0 {
		t.Errorf("%d calls overlapped", stats.Overlaps)
	}
}

// A list of millions takes longer to write than a scheduler waits after a signal: the end of a run
// that was stopped is in the journal before.
func TestTheEndOfAStoppedRunIsRecordedBeforeItsLists(t *testing.T) {
	watched := &brokenDisk{at: -1}
	state := filepath.Join(t.TempDir(), "state")
	if code, out := newSmallJob(t, 0).serve(&life{}).run(watched, state, "--max-failures", "0"); code != 6 {
		t.Fatalf("%d\n%s", code, out)
	}
	journal, list := -1, -1
	for i, op := range watched.ops {
		switch {
		case strings.HasPrefix(op, "sync ") && strings.HasSuffix(op, "checkpoint.journal"):
			journal = i
		case list < 0 && strings.Contains(op, "failed.csv"):
			list = i
		}
	}
	if journal < 0 || list < journal {
		t.Errorf("the journal was synced last by operation %d, the list begun by operation %d", journal, list)
	}
}

// keepsOld is a disk on which no old state can be moved away.
type keepsOld struct{ disk.OS }

func (d keepsOld) Rename(from, to string) error {
	if strings.HasPrefix(filepath.Base(filepath.Dir(to)), "old-") {
		return syscall.EIO
	}
	return d.OS.Rename(from, to)
}

// The same command without --fresh would go on with the old job.
func TestAFreshThatCannotMoveTheOldStateIsRunAgainWithFresh(t *testing.T) {
	j := newSmallJob(t, 0)
	code, out := j.serve(&life{}).run(keepsOld{}, filepath.Join(j.dir, "after-new"), "--fresh")
	if _, hint, _ := strings.Cut(out, "; hint: "); code != 1 || !strings.Contains(hint, " --fresh ") {
		t.Errorf("%d\n%s", code, out)
	}
}

// noPage is a disk on which the page of the report cannot be written once.
type noPage struct {
	disk.OS
	failed bool
}

func (d *noPage) Rename(from, to string) error {
	if strings.HasSuffix(to, "report.html") && !d.failed {
		d.failed = true
		return syscall.EIO
	}
	return d.OS.Rename(from, to)
}

func TestWhatIsWrittenLastSaysHowTheRunEnded(t *testing.T) {
	state := filepath.Join(t.TempDir(), "state")
	if code, out := newSmallJob(t, 0).serve(&life{}).run(&noPage{}, state); code != 1 {
		t.Fatalf("%d\n%s", code, out)
	}
	for _, name := range []string{"report.json", "progress.json"} {
		text, err := os.ReadFile(filepath.Join(state, name))
		if err != nil || !regexp.MustCompile(`"code": ?1,`).Match(text) {
			t.Errorf("%s: %v\n%s", name, err, text)
		}
	}
}
