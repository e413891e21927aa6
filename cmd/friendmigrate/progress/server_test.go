package progress

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/migrate"
)

func listen(t *testing.T, s *View) (*Server, string) {
	t.Helper()
	server, err := Listen("127.0.0.1:0", s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	return server, "http://" + server.Addr().String()
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	r, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(body)
}

func TestEndpoints(t *testing.T) {
	s := NewView()
	_, url := listen(t, s)
	expect := func(path string, code int, part string) {
		t.Helper()
		if got, body := get(t, url+path); got != code || !strings.Contains(body, part) {
			t.Errorf("%s: %d %s", path, got, body)
		}
	}
	expect("/readyz", 503, "starting")
	expect("/healthz", 200, "ok")
	expect("/status", 200, `"phase":"starting"`)
	expect("/metrics", 200, "\nfriendmigrate_progress_ratio 0\n")
	expect("/metrics", 200, "\ngo_goroutines ")
	expect("/metrics", 200, "\nprocess_open_fds ")
	expect("/dashboard.json", 200, `"panels"`)
	expect("/", 200, "/metrics")
	expect("/debug/pprof/", 404, "")
	expect("/other", 404, "")
	s.Watch(Work{Fill: func(s *Snapshot) { s.Phase = Reading }})
	expect("/readyz", 503, "reading the input")
	s.Watch(Work{Fill: func(s *Snapshot) { s.Phase, s.Settled, s.Total = Sending, 3, 7 }})
	expect("/readyz", 200, "ok")
	shown, _ := s.Look(time.Now())
	_, body := get(t, url+"/status")
	want, err := json.Marshal(shown)
	if err != nil || strings.TrimSpace(body) != string(want) {
		t.Errorf("status is\n%s, progress.json\n%s", body, want)
	}
	s.End(s.Ending(exit.Ending{Code: exit.Exceptions, What: "finished"}))
	s.Look(time.Now()) // too late
	expect("/status", 200, `"phase":"ended"`)
	expect("/metrics", 200, "\nfriendmigrate_exit_code 3\n")
	expect("/readyz", 200, "ok")
	if r, err := http.Post(url+"/metrics", "text/plain", strings.NewReader("x")); err != nil || r.StatusCode != 405 {
		t.Errorf("POST: %v %v", r, err)
	}
}

func TestARunThatEndsBeforeItSendsWasNeverReady(t *testing.T) {
	s := NewView()
	s.End(s.Ending(exit.Ending{Code: exit.OtherJob}))
	if got := s.Ready(); got != "ended before anything was sent" {
		t.Errorf("%q", got)
	}
}

func TestAPortThatIsTaken(t *testing.T) {
	server, _ := listen(t, NewView())
	if second, err := Listen(server.Addr().String(), NewView()); err == nil {
		second.Close()
		t.Error("two listen on one port")
	}
}

// Whoever opens connections and says nothing takes neither all file descriptors nor the time of the
// end.
func TestSilentConnectionsAreFewAndHoldUpNothing(t *testing.T) {
	server, _ := listen(t, NewView())
	for range mostConnections + 20 {
		c, err := net.Dial("tcp", server.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := fmt.Fprint(c, "GET /metr"); err != nil {
			t.Fatal(err)
		}
	}
	began := time.Now()
	server.Close()
	if took := time.Since(began); took > closeTimeout+2*time.Second {
		t.Errorf("closing took %v", took)
	}
	server.Close()
}

func TestHealthTellsStuckFromWaiting(t *testing.T) {
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	sending := func(working int, c Calls) Snapshot {
		return Snapshot{Phase: Sending, Calls: &c, Engine: migrate.Snapshot{Working: working}}
	}
	reading := func(in Input) Snapshot {
		return Snapshot{Phase: Reading, Input: &in}
	}
	for _, c := range []struct {
		name  string
		shown Snapshot
		stuck bool
	}{
		{"calls in flight that never end", sending(3, Calls{Pace: 198}), true},
		{"held", sending(1, Calls{Reason: ReasonHold, Pace: 198}), false},
		{"the service asked for a pause", sending(3, Calls{}), false},
		{"nothing under way", sending(0, Calls{Pace: 198}), false},
		{"all done", Snapshot{Phase: Sending, Settled: 7, Total: 7, Calls: &Calls{Pace: 198}, Engine: migrate.Snapshot{Working: 1}}, false},
		{"accounts wait to be tried again", sending(0, Calls{Waiting: 3, Pace: 198}), false},
		{"a file that gives nothing", reading(Input{Bytes: 5, Total: 9}), true},
		{"standard input that gives nothing", reading(Input{Bytes: 5}), false},
		{"grouping", reading(Input{Bytes: 9, Total: 9}), false},
	} {
		s := NewView()
		for i := range 10 * 60 {
			c.shown.Clock = start.Add(time.Duration(i) * time.Second)
			s.show(&c.shown)
		}
		if why := s.Health(c.shown.Clock); (why != "") != c.stuck {
			t.Errorf("%s: %q", c.name, why)
		}
		if why := s.Health(c.shown.Clock.Add(silentAfter + time.Minute)); why == "" {
			t.Errorf("%s, and silent since: healthy", c.name)
		}
		s.End(s.Ending(exit.Ending{Code: exit.Unfinished}))
		if why := s.Health(c.shown.Clock.Add(time.Hour)); why != "" {
			t.Errorf("%s, ended: %q", c.name, why)
		}
	}
	if why := NewView().Health(start); why != "" {
		t.Errorf("a run of which nothing is known: %q", why)
	}
}

func TestHealthOfARunThatGetsOn(t *testing.T) {
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	s := NewView()
	for i := range 10 * 60 {
		at := start.Add(time.Duration(i) * time.Second)
		s.show(&Snapshot{Clock: at, Phase: Sending, Calls: &Calls{Sent: int64(i / 100), Pace: 198}, Engine: migrate.Snapshot{Working: 3}})
		if why := s.Health(at); why != "" {
			t.Fatalf("after %d s: %s", i, why)
		}
	}
	s.Finish()
	if why := s.Health(time.Now().Add(20 * time.Minute)); why != "" {
		t.Errorf("while lists are written: %s", why)
	}
	if why := s.Health(time.Now().Add(40 * time.Minute)); why == "" {
		t.Error("lists that are never done are healthy")
	}
}
