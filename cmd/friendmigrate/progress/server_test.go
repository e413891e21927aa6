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
	expect("/", 404, "")
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

func TestARunOfWhichNothingIsHeardIsNotHealthy(t *testing.T) {
	v := NewView()
	expect := func(when string, after time.Duration, want string) {
		t.Helper()
		if why := v.Health(v.Snapshot().Clock.Add(after)); why != want {
			t.Errorf("%s: %q, want %q", when, why, want)
		}
	}
	expect("starting", time.Hour, "")
	for _, phase := range []string{Reading, Sending} {
		v.Watch(Work{Fill: func(s *Snapshot) { s.Phase = phase }})
		expect(phase, silentAfter, "")
		expect(phase, 3*time.Minute, "nothing was heard of the run for 3m 00s")
	}
	v.Finish()
	expect("while lists are written", time.Hour, "")
	v.End(v.Ending(exit.Ending{Code: exit.Unfinished}))
	expect("ended", time.Hour, "")
}
