package simulator

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestOverlappingCallsOfOneAccountConflict(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := startPiped(t, Config{Latency: time.Second})
		var both sync.WaitGroup
		both.Go(func() { a.imports("a", "b").want(t, 0) })
		both.Go(func() {
			time.Sleep(300 * time.Millisecond)
			a.imports("a", "c").want(t, 30008)
		})
		both.Go(func() { a.imports("other", "c").want(t, 0) })
		both.Wait()
		a.imports("a", "c").want(t, 0) // at the same instant as the answer: no overlap
		s := a.sim.Stats()
		if s.Overlaps != 1 || s.OverlapsGivenUp != 0 || s.OverlapsOpen != 0 || s.Conflicts != 1 || len(s.OverlapAccounts) != 1 || s.OverlapAccounts[0] != "a" {
			t.Errorf("stats: %+v", s)
		}
		if s.OpenMax != 3 || s.OpenNow != 0 {
			t.Errorf("open: %d at most, %d now", s.OpenMax, s.OpenNow)
		}
	})
}

func TestConflictsCanBeSaidOfItems(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := startPiped(t, Config{Latency: time.Second, Readings: Readings{ConflictItems: true}})
		var both sync.WaitGroup
		both.Go(func() { a.imports("a", "b").want(t, 0) })
		time.Sleep(time.Millisecond)
		if v := a.imports("a", "c", "d").want(t, 0); v.results["c"] != 30008 || v.results["d"] != 30008 || a.sim.friends("a") != 1 {
			t.Errorf("results %v", v.results)
		}
		both.Wait()
	})
}

// A client that has timed out does not know whether the service is still at work: no breach of
// seriality, but 30008 all the same.
func TestGivenUpCallsAreCountedApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := startPiped(t, Config{Latency: 10 * time.Second})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if v := a.postUntil(ctx, apiImport, importBody("a", "b")); v.err == nil {
			t.Error("the call was answered")
		}
		a.imports("a", "b").want(t, 30008) // in the middle of the first one's work
		if a.sim.friends("a") != 1 {
			t.Error("the service dropped a call because its client went")
		}
		a.imports("a", "b").want(t, 0)
		s := a.sim.Stats()
		if s.Overlaps != 0 || s.OverlapsOpen != 0 || s.GaveUp != 1 || s.Conflicts != 1 || s.Unanswered != 1 || s.EdgesAgain != 1 || s.EdgesApplied != 1 {
			t.Errorf("stats: %+v", s)
		}
	})
}

func TestAccountsCanStayBusyAfterACall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := startPiped(t, Config{Readings: Readings{BusyAfter: 5 * time.Second}})
		a.imports("a", "b").want(t, 0)
		time.Sleep(4 * time.Second)
		a.imports("a", "c").want(t, 30008)
		time.Sleep(time.Second)
		a.imports("a", "c").want(t, 0)
		if s := a.sim.Stats(); s.Overlaps != 0 {
			t.Errorf("%d overlaps", s.Overlaps)
		}
	})
}

// How the earlier of two calls ended decides what their overlap was, in whichever order the server
// learns of things.
func TestOverlapsAreDecidedByTheEarlierCall(t *testing.T) {
	at := func(ms int) time.Time { return time.Unix(1000, 0).Add(time.Duration(ms) * time.Millisecond) }
	tests := []struct {
		name              string
		run               func(w *watch)
		overlaps, givenUp int64
	}{
		{"one after the other", func(w *watch) {
			x := w.enter("a", at(0))
			w.leave(x, at(10), false)
			y := w.enter("a", at(10))
			w.leave(y, at(20), false)
		}, 0, 0},
		{"both answered", func(w *watch) {
			x := w.enter("a", at(0))
			y := w.enter("a", at(5))
			w.leave(y, at(6), false)
			w.leave(x, at(10), false)
		}, 1, 0},
		{"the earlier client went just before", func(w *watch) {
			x := w.enter("a", at(0))
			y := w.enter("a", at(5))
			w.leave(y, at(6), false)
			w.leave(x, at(1900), true)
		}, 0, 1},
		{"the earlier client went much later", func(w *watch) {
			x := w.enter("a", at(0))
			y := w.enter("a", at(5))
			w.leave(y, at(6), false)
			w.leave(x, at(2100), true)
		}, 1, 0},
		{"the later client went", func(w *watch) {
			x := w.enter("a", at(0))
			y := w.enter("a", at(5))
			w.leave(y, at(6), true)
			w.leave(x, at(10), false)
		}, 1, 0},
		{"the body of the earlier one came late, after the end of the later one", func(w *watch) {
			y := w.enter("a", at(5))
			w.leave(y, at(6), false)
			x := w.enter("a", at(0))
			w.leave(x, at(10), false)
		}, 1, 0},
		{"the body of the later one came late, after the end of the earlier one", func(w *watch) {
			x := w.enter("a", at(0))
			w.leave(x, at(10), false)
			y := w.enter("a", at(9))
			w.leave(y, at(20), false)
		}, 1, 0},
		{"the same, given up", func(w *watch) {
			x := w.enter("a", at(0))
			w.leave(x, at(10), true)
			y := w.enter("a", at(9))
			w.leave(y, at(20), false)
		}, 0, 1},
		{"three at once", func(w *watch) {
			x, y, z := w.enter("a", at(0)), w.enter("a", at(1)), w.enter("a", at(2))
			w.leave(x, at(10), false)
			w.leave(y, at(11), false)
			w.leave(z, at(12), false)
		}, 3, 0},
		{"two accounts", func(w *watch) {
			x, y := w.enter("a", at(0)), w.enter("b", at(1))
			w.leave(x, at(10), false)
			w.leave(y, at(11), false)
		}, 0, 0},
	}
	for _, test := range tests {
		w := newWatch()
		test.run(w)
		if w.Overlaps != test.overlaps || w.OverlapsGivenUp != test.givenUp || w.undecided() != 0 {
			t.Errorf("%s: %d overlaps, %d given up, want %d and %d; %d undecided", test.name, w.Overlaps, w.OverlapsGivenUp, test.overlaps, test.givenUp, w.undecided())
		}
	}
}

// Clients that keep to one call per account must never be accused, however quick they are with the
// next one.
func TestSerialClientsAreNeverAccused(t *testing.T) {
	a := start(t, Config{})
	var clients sync.WaitGroup
	for c := range 8 {
		clients.Go(func() {
			for i := range 60 {
				a.imports(fmt.Sprint("u", c), fmt.Sprint("b", i)).want(t, 0)
			}
		})
	}
	clients.Wait()
	s := a.sim.Stats()
	if s.Overlaps != 0 || s.OverlapsGivenUp != 0 || s.Conflicts != 0 || s.Calls != 480 || s.GraphEdges != 480 || s.OpenNow != 0 {
		t.Errorf("stats: %+v", s)
	}
}

func TestFourCallsAtOnceAreSixOverlaps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := startPiped(t, Config{Latency: time.Second})
		var clients sync.WaitGroup
		for range 4 {
			clients.Go(func() { a.imports("a", "b") })
		}
		clients.Wait()
		if s := a.sim.Stats(); s.Overlaps != 6 || s.Conflicts != 3 || s.GraphEdges != 1 {
			t.Errorf("stats: %+v", s)
		}
	})
}

// kill -9 closes all sockets at once, and the next process calls for the same accounts: calls that
// were given up, no breach.
func TestKilledClientsAreNoOverlaps(t *testing.T) {
	seen := make(chan struct{}, 100)
	a := start(t, Config{Latency: time.Minute, Script: func(Call) *Fault { seen <- struct{}{}; return nil }})
	defer a.sim.Close()
	host := strings.TrimPrefix(a.url, "http://")
	body := importBody("a", "b")
	request := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n%s", strings.TrimPrefix(a.address(apiImport), a.url), host, len(body), body)
	for range 30 {
		c, err := net.Dial("tcp", host)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(c, request)
		<-seen
		c.(*net.TCPConn).SetLinger(0)
		c.Close()
	}
	a.sim.Reconfigure(func(c *Config) { c.Latency = 0 })
	a.imports("a", "b").want(t, 30008)
	s := a.sim.Stats()
	if s.Overlaps != 0 || s.Connections < 30 {
		t.Errorf("stats: %+v", s)
	}
}

func TestPipelinedAndHalfSentRequests(t *testing.T) {
	ended := make(chan Call, 10)
	a := start(t, Config{Observe: func(c Call) { ended <- c }})
	host := strings.TrimPrefix(a.url, "http://")
	c, err := net.Dial("tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	body := importBody("a", "b")
	head := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n", strings.TrimPrefix(a.address(apiImport), a.url), host, len(body))
	io.WriteString(c, head+body+head+body)
	r := bufio.NewReader(c)
	for range 2 {
		w, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, w.Body)
		<-ended
	}
	io.WriteString(c, head+body[:10])
	c.Close()
	if call := <-ended; !call.GaveUp || call.Status != 0 || call.Code != -1 {
		t.Errorf("half a request is %+v", call)
	}
	if s := a.sim.Stats(); s.Calls != 3 || s.Overlaps != 0 || s.GraphEdges != 1 || s.Connections != 1 {
		t.Errorf("stats: %+v", s)
	}
}
