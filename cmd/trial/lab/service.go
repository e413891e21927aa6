package lab

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"friendmigrate/sink/simulator"
)

const friendImport = "friend_import"

// Service is a simulated service over loopback. It outlives the program. In addition to the
// simulator's records it keeps which run sent what again, since only the bench knows when the
// program died.
type Service struct {
	*Door // the door of every client without its own; it records what passes through any door
	Sim   *simulator.Server
	job   *Job

	mu         sync.Mutex
	doors      []*Door
	signatures map[string]struct{}
	runs       []*run               // the last one is the current run
	opened     map[string]int       // run in which a connection was opened, by the client's address
	appliedBy  map[Pair]application // which call put an edge into the graph
	refused    map[refusal]bool
	needless   int // edges that a run sent again although it had their answer
}

// run is one run of the program from the service's view.
type run struct {
	arrived, ended []time.Time // friend_import calls
	waiting        []waiter
	again          map[Pair]struct{} // edges that it imported in an answered call and that a later run sent again
}

// waiter waits for a friend_import call of a run to come, or to end.
type waiter struct {
	call    int
	end     bool
	reached chan struct{}
}

// refusal is a code with which an edge was refused as the only one of its call.
type refusal struct {
	pair Pair
	code int
}

// application is the call that put an edge into the graph, or the last one that carried it since.
type application struct {
	run int
	// the run that imported it; after its death later runs send the edge again until one gets the
	// answer
	placed int
	fault  bool // a fault of the service lost the answer, so sending again is right
	gaveUp bool // the client left before the answer, so sending again within the run is right
}

// Serve starts the service of a job.
func Serve(j *Job) *Service {
	s := &Service{
		job: j, signatures: map[string]struct{}{}, appliedBy: map[Pair]application{},
		refused: map[refusal]bool{}, opened: map[string]int{},
	}
	config := j.Service
	config.Script, config.Observe = s.arrival, s.end
	s.Sim = simulator.New(config)
	for _, pair := range j.Before {
		s.Sim.Put(pair.From, simulator.Friend{To: pair.To, AddSource: addSources[0]})
		s.appliedBy[pair] = application{fault: true}
	}
	s.Door = s.door()
	return s
}

// Enter begins an act of the job at the service.
func (s *Service) Enter(act int) {
	if change := s.job.Acts[act].Change; change != nil {
		s.Sim.Reconfigure(change)
	}
}

// Close ends the service.
func (s *Service) Close() {
	s.Door.Close()
	for _, d := range s.doors {
		d.Close()
	}
}

// noting notes in which run a connection was opened, because a call belongs to that run. A busy
// machine may read a request of a process that is dead after the next run has begun.
type noting struct {
	net.Listener
	service *Service
}

func (n noting) Accept() (net.Conn, error) {
	conn, err := n.Listener.Accept()
	if err == nil {
		n.service.mu.Lock()
		defer n.service.mu.Unlock()
		n.service.opened[conn.RemoteAddr().String()] = len(n.service.runs) - 1
	}
	return conn, err
}

// Listener is one address of a simulated service, on loopback.
type Listener struct {
	URL  string
	stop func(context.Context) error
}

// Listen opens an address of a service.
func Listen(sim *simulator.Server) *Listener {
	return serve(sim, Must(net.Listen("tcp", "127.0.0.1:0")))
}

func serve(sim *simulator.Server, listener net.Listener) *Listener {
	return &Listener{URL: "http://" + listener.Addr().String(), stop: sim.Serve(listener)}
}

// Close closes the listener and ends the waits of the service.
func (l *Listener) Close() {
	now, cancel := context.WithTimeout(context.Background(), 0)
	defer cancel()
	Check(l.stop(now))
}

// Secrets returns what must not be in any file or output: the key and every signature so far.
func (s *Service) Secrets() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := []string{Key}
	return slices.AppendSeq(list, maps.Keys(s.signatures))
}

// NextRun says that later calls belong to the next run of the program, or to the first.
func (s *Service) NextRun() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runs = append(s.runs, &run{again: map[Pair]struct{}{}})
}

// current returns what the current run has done.
func (s *Service) current() *run { return s.runs[len(s.runs)-1] }

// Reached returns a channel that is closed when a number of friend_import calls of this run have
// arrived or, if end is set, ended.
func (s *Service) Reached(call int, end bool) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.current()
	w := waiter{call, end, make(chan struct{})}
	r.waiting = append(r.waiting, w)
	r.wake()
	return w.reached
}

// wake closes the channels of the waiters whose event has happened.
func (r *run) wake() {
	r.waiting = slices.DeleteFunc(r.waiting, func(w waiter) bool {
		came := len(r.arrived) >= w.call
		if w.end {
			came = len(r.ended) >= w.call
		}
		if came {
			close(w.reached)
		}
		return came
	})
}

// arrival is the simulator's Script: it changes nothing.
func (s *Service) arrival(c simulator.Call) *simulator.Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	if sig := c.Request.URL.Query().Get("usersig"); sig != "" {
		s.signatures[sig] = struct{}{}
	}
	s.note(c)
	for _, d := range s.doors {
		if d.URL == fmt.Sprintf("http://%s", c.Request.Context().Value(http.LocalAddrContextKey)) {
			d.note(c)
		}
	}
	if c.API != friendImport {
		return nil
	}
	number := s.opened[c.Request.RemoteAddr]
	r := s.runs[number]
	for _, to := range c.To {
		pair := Pair{c.From, to}
		if !s.Sim.Has(c.From, to) {
			continue
		}
		by, known := s.appliedBy[pair]
		switch {
		case known && by.fault:
		case known && by.run == number:
			if !by.gaveUp {
				s.needless++
			}
		default:
			if !known { // its call is still open, but its client is dead
				by.placed = number - 1
			}
			s.runs[by.placed].again[pair] = struct{}{}
			// nothing follows from it for this run
			s.appliedBy[pair] = application{run: number, placed: by.placed, gaveUp: true}
		}
	}
	r.arrived = append(r.arrived, time.Now())
	r.wake()
	return nil
}

// end implements the simulator's Observe.
func (s *Service) end(c simulator.Call) {
	if c.API != friendImport {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	number := s.opened[c.Request.RemoteAddr] // the client may be dead and another run be current
	if len(c.To) == 1 && c.Code > 0 && c.Fault == "" {
		s.refused[refusal{Pair{c.From, c.To[0]}, c.Code}] = true
	}
	for _, to := range c.To {
		pair := Pair{c.From, to}
		if _, known := s.appliedBy[pair]; !known && s.Sim.Has(c.From, to) {
			s.appliedBy[pair] = application{run: number, placed: number, fault: c.Fault != "", gaveUp: c.GaveUp}
		}
	}
	r := s.runs[number]
	r.ended = append(r.ended, time.Now())
	r.wake()
}

// Arrived returns the number of friend_import calls of this run so far.
func (s *Service) Arrived() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.current().arrived)
}

// Repeats counts, over all runs, the accounts of which later runs sent edges again that it had
// placed in a call that was, or would have been, answered; and the most such edges of one account.
func (s *Service) Repeats() (accounts, most int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.runs {
		edges := map[string]int{}
		for pair := range r.again {
			edges[pair.From]++
			most = max(most, edges[pair.From])
		}
		accounts += len(edges)
	}
	return accounts, most
}

// Needless returns the number of edges that a run sent again although an answer had told it that
// they are in place.
func (s *Service) Needless() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.needless
}

// RefusedAlone reports whether the service has ever refused a call that carried this edge alone,
// with this code.
func (s *Service) RefusedAlone(pair Pair, code int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refused[refusal{pair, code}]
}

// Graph returns everything in the service, an entry for each edge with all its fields.
func (s *Service) Graph() map[Pair]string {
	graph := map[Pair]string{}
	s.Sim.Graph(func(from string, f simulator.Friend) bool {
		sort.Strings(f.Groups)
		graph[Pair{from, f.To}] = strings.ReplaceAll(fmt.Sprintf("%+v", f), "\n", " ")
		return true
	})
	return graph
}

// Door is one of several addresses of a service, with records of its calls. A process with its own
// door is identified by it, whatever its calls say.
type Door struct {
	*Listener

	lock     *sync.Mutex     // the service's; guards what follows
	arrivals []time.Duration // since the start, of calls of any kind
	carried  map[Pair]int    // how often a friend_import carried an edge
	imports  int             // friend_import calls
}

func (s *Service) door() *Door {
	listener := noting{Must(net.Listen("tcp", "127.0.0.1:0")), s}
	return &Door{Listener: serve(s.Sim, listener), lock: &s.mu, carried: map[Pair]int{}}
}

// Doors opens n doors to the service. They are closed with it. A process passes through the one that
// is its proxy, since the shards of a job have one endpoint.
func (s *Service) Doors(n int) []*Door {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range n {
		s.doors = append(s.doors, s.door())
	}
	return s.doors
}

// note records a call. The caller holds the lock.
func (d *Door) note(c simulator.Call) {
	d.arrivals = append(d.arrivals, c.Since)
	if c.API != friendImport {
		return
	}
	d.imports++
	for _, to := range c.To {
		d.carried[Pair{c.From, to}]++
	}
}

// Imports returns how many friend_import calls passed, and how often each edge did.
func (d *Door) Imports() (calls int, carried map[Pair]int) {
	d.lock.Lock()
	defer d.lock.Unlock()
	return d.imports, maps.Clone(d.carried)
}

// Closest returns the shortest time in which a number of calls of any kind passed; known is false
// if there were fewer calls.
func (d *Door) Closest(calls int) (took time.Duration, known bool) {
	d.lock.Lock()
	at := slices.Sorted(slices.Values(d.arrivals))
	d.lock.Unlock()
	for i := calls - 1; i < len(at); i++ {
		if d := at[i] - at[i-calls+1]; !known || d < took {
			took, known = d, true
		}
	}
	return took, known
}
