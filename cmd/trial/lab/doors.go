package lab

import (
	"bytes"
	"cmp"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing/iotest"
	"time"
)

// Door is one of several ways to a service. A process that has a door of its own is known by it,
// whatever it says of itself.
type Door struct {
	*Listener

	mu       sync.Mutex
	arrivals []time.Time  // of calls of any kind
	carried  map[Pair]int // how often a friend_import carried an edge
	imports  int          // friend_import calls
}

// Doors opens so many ways to the service. They are closed with it.
func (s *Service) Doors(n int) []*Door {
	for range n {
		d := &Door{carried: map[Pair]int{}}
		d.Listener = Listen(s.Sim, func(next http.Handler) http.Handler { return d.passing(s.listening(next)) })
		s.doors = append(s.doors, d)
	}
	return s.doors
}

// passing notes what passes, and hands it on as it came.
func (d *Door) passing(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		at := time.Now()
		body, err := io.ReadAll(r.Body)
		d.note(at, r.URL.Path, body)
		r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body), iotest.ErrReader(cmp.Or(err, io.EOF))))
		next.ServeHTTP(w, r)
	})
}

func (d *Door) note(at time.Time, path string, body []byte) {
	var call struct {
		From  string `json:"From_Account"`
		Items []struct {
			To string `json:"To_Account"`
		} `json:"AddFriendItem"`
	}
	whole := json.Unmarshal(body, &call) == nil
	d.mu.Lock()
	defer d.mu.Unlock()
	d.arrivals = append(d.arrivals, at)
	if !whole || !strings.HasSuffix(path, "/friend_import") {
		return
	}
	d.imports++
	for _, item := range call.Items {
		d.carried[Pair{call.From, item.To}]++
	}
}

// Imports are how many friend_import calls passed, and how often each edge did.
func (d *Door) Imports() (calls int, carried map[Pair]int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.imports, maps.Clone(d.carried)
}

// Closest is the shortest time in which so many calls of any kind passed; known is false if there
// were not so many.
func (d *Door) Closest(calls int) (took time.Duration, known bool) {
	d.mu.Lock()
	var at []time.Duration
	for _, t := range d.arrivals {
		at = append(at, t.Sub(d.arrivals[0]))
	}
	d.mu.Unlock()
	return closest(at, calls)
}
