package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/cmd/friendmigrate/progress"
	"friendmigrate/sink/simulator"
)

// running is a run in this process whose standard error is read as it comes.
type running struct {
	url  string
	end  context.CancelCauseFunc
	code chan int
	mu   sync.Mutex
	said bytes.Buffer
}

var servingOn = regexp.MustCompile(`"address":"([^"]+)"`)

// listening starts a run with --listen and waits until it serves.
func listening(t *testing.T, env map[string]string, args ...string) *running {
	t.Helper()
	ctx, cancel := context.WithCancelCause(t.Context())
	r := &running{end: cancel, code: make(chan int, 1)}
	out, in := io.Pipe()
	env["FRIENDMIGRATE_LOG_LEVEL"], env["FRIENDMIGRATE_LISTEN"] = "info", "127.0.0.1:0"
	go func() {
		code := run(ctx, append([]string{"friendmigrate"}, args...), job.Streams{In: strings.NewReader(""), Out: io.Discard, Err: in}, env)
		_ = in.Close()
		r.code <- code
	}()
	address := make(chan string, 1)
	go func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			r.mu.Lock()
			fmt.Fprintln(&r.said, lines.Text())
			r.mu.Unlock()
			if found := servingOn.FindStringSubmatch(lines.Text()); found != nil {
				address <- found[1]
			}
		}
	}()
	select {
	case a := <-address:
		r.url = "http://" + a
	case <-time.After(20 * time.Second):
		t.Fatal("nothing is served")
	}
	return r
}

// fetch asks; code 0 means that nobody is there.
func (r *running) fetch(t *testing.T, path string) (code int, body string) {
	t.Helper()
	answer, err := http.Get(r.url + path)
	if err != nil {
		return 0, ""
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(b)
}

// until waits for an answer that has a part.
func (r *running) until(t *testing.T, path, part string) string {
	t.Helper()
	for range 2000 {
		if _, body := r.fetch(t, path); strings.Contains(body, part) {
			return body
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%s never says %q", path, part)
	return ""
}

// The last scrape of a run that lingers is that of metrics.prom; a signal ends the lingering and
// not the exit code.
func TestARunThatLingersIsScrapedOnceMore(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, url := serveApp(t, simulator.Config{})
	env := settingsOf(t, url)
	input, state := watchedInput(t, dir), filepath.Join(dir, "state")
	r := listening(t, env, "import", input, "--state", state, "--linger", "1h")
	scraped := r.until(t, "/metrics", "\nfriendmigrate_exit_code 3\n")
	agree(t, parseMetrics(t, scraped), readReport(t, state))
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); { // the file is written after the code can be scraped
		if _, err := os.Stat(filepath.Join(state, "metrics.prom")); err == nil {
			break
		}
	}
	for name, value := range parseMetrics(t, content(t, state, "metrics.prom")) {
		if got, ok := parseMetrics(t, scraped)[name]; !ok || got != value {
			t.Errorf("%s is %v in the last scrape and %v in metrics.prom", name, got, value)
		}
	}
	kept := regexp.MustCompile(`,"hint":"[^"]*","dir":"[^"]*"`).ReplaceAllString(content(t, state, "progress.json"), "")
	if _, status := r.fetch(t, "/status"); strings.TrimSpace(status) != strings.TrimSpace(kept) {
		t.Errorf("status is %s", status)
	}
	if code, _ := r.fetch(t, "/readyz"); code != 200 {
		t.Errorf("ready: %d", code)
	}
	// The state is free already: a job that has ended and lingers is in nobody's way.
	call(t, 3, settingsOf(t, url), "import", input, "--state", state)
	r.end(job.Signal{Signal: os.Interrupt})
	if code := <-r.code; code != 3 {
		t.Errorf("exit code %d", code)
	}
	if code, _ := r.fetch(t, "/metrics"); code != 0 {
		t.Error("it still serves")
	}
	if s.Stats().GraphEdges == 0 {
		t.Error("nothing was imported")
	}
}

func TestVerifyAndExportAreWatchedToo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, url := serveApp(t, simulator.Config{})
	env := settingsOf(t, url)
	input, state := watchedInput(t, dir), filepath.Join(dir, "state")
	call(t, 3, env, "import", input, "--state", state)
	s.Remove("u7", "f7")
	env[progress.Variable] = filepath.Join(dir, "message")
	ids := filepath.Join(dir, "ids")
	if err := os.WriteFile(ids, []byte("u1\nu2\nu3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		code int
		api  string
		args []string
	}{
		{5, "friend_check", []string{"verify", "--state", state}},
		{0, "friend_get", []string{"export", "--accounts", ids, "--output", filepath.Join(dir, "out.jsonl")}},
	} {
		r := listening(t, env, append(c.args, "--linger", "1h")...)
		got := parseMetrics(t, r.until(t, "/metrics", fmt.Sprintf("\nfriendmigrate_exit_code %d\n", c.code)))
		if got["friendmigrate_progress_ratio"] != 1 || got.sum(fmt.Sprintf(`friendmigrate_calls_total{api="%s",code="0"}`, c.api)) == 0 ||
			got[fmt.Sprintf(`friendmigrate_job_info{command="%s",shard=""}`, c.args[0])] != 1 {
			t.Errorf("%s: %v", c.args[0], got)
		}
		r.end(job.Signal{Signal: os.Interrupt})
		if code := <-r.code; code != c.code {
			t.Errorf("%s: exit code %d", c.args[0], code)
		}
		if m := readMessage(t, env[progress.Variable]); m.Command != c.args[0] || m.Code != c.code || m.Counts == nil || *m.Counts.Calls == 0 {
			t.Errorf("%+v", m)
		}
	}
}

// Nothing is sent, nothing is moved aside, where the port is taken; and whoever ends before the job
// could begin leaves a message too.
func TestEndingsBeforeTheJobBegins(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, url := serveApp(t, simulator.Config{})
	env := settingsOf(t, url)
	input, state := watchedInput(t, dir), filepath.Join(dir, "state")
	env[progress.Variable] = filepath.Join(dir, "message")
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	expect := func(code int, why, what string, args ...string) {
		t.Helper()
		_ = os.Remove(env[progress.Variable])
		call(t, code, env, append([]string{"import", input, "--state", state}, args...)...)
		if m := readMessage(t, env[progress.Variable]); m.Code != code || m.Why != why || !strings.Contains(m.What, what) {
			t.Errorf("%+v", m)
		}
	}
	expect(2, "unusable", "fast", "--rate", "fast")
	expect(2, "unusable", "known", "--no-such-flag")
	expect(2, "unusable", "--listen", "--listen", taken.Addr().String())
	if n := s.Stats().Calls; n != 0 {
		t.Errorf("%d calls", n)
	}
	expect(3, "exceptions", "rejected")
	before := content(t, state, "metrics.prom")
	expect(2, "unusable", "--listen", "--fresh", "--listen", taken.Addr().String())
	if _, err := os.Stat(filepath.Join(state, "checkpoint.journal")); err != nil {
		t.Error("the state was set aside for a run that could not begin")
	}
	expect(10, "other-job", "belongs to another job", "--mutual")
	if content(t, state, "metrics.prom") != before && readReport(t, state).Ending.Code == 3 {
		after := parseMetrics(t, content(t, state, "metrics.prom"))
		if after["friendmigrate_exit_code"] == 10 {
			t.Error("metrics of another job were overwritten")
		}
	}
}

// What the service says may name accounts, and so may the command line.
func TestTheMessageNamesNoAccount(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	service := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, `{"ActionStatus":"FAIL","ErrorCode":70009,"ErrorInfo":"the account alice of boss is refused"}`)
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: service}
	go func() { _ = server.Serve(l) }()
	defer server.Close()
	env := settingsOf(t, "http://"+l.Addr().String())
	env[progress.Variable] = filepath.Join(dir, "message")
	_, last := call(t, 12, env, "import", watchedInput(t, dir), "--state", filepath.Join(dir, "state"), "--identifier", "boss")
	text := content(t, dir, "message")
	if !strings.Contains(last, "alice") { // else this test finds nothing
		t.Errorf("the last line: %s", last)
	}
	if m := readMessage(t, env[progress.Variable]); strings.Contains(text, "alice") || strings.Contains(text, "boss") || m.Why != "refused" || !strings.Contains(m.What, "70009") {
		t.Errorf("%s", text)
	}
}
