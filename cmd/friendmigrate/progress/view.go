package progress

import (
	"cmp"
	"sync"
	"time"

	"friendmigrate/cmd/friendmigrate/exit"
)

// View holds the current progress of a command. It is safe for concurrent use. NewView makes one.
type View struct {
	metrics *metrics
	stop    chan struct{} // closed when a signal has arrived
	once    sync.Once

	reading sync.Mutex // guards work while it is read; its holder may wait for the disk
	work    *watched   // nil: nothing to read; the last snapshot remains

	mu       sync.Mutex // guards what follows; its holder waits for nothing
	labels   Labels
	last     Snapshot
	stopping string // Snapshot.Stop
	ready    string // why it is not ready; "": it is ready
	still    standstill
}

// Labels name the running command in metrics and messages.
type Labels struct {
	Command string
	Shard   string // i/n; "": none
	Version string
}

// NewView makes a view of a command that is about to begin.
func NewView() *View {
	v := &View{ready: "starting", last: New(time.Now(), Starting), stop: make(chan struct{})}
	v.metrics = newMetrics(v)
	return v
}

// Begin sets the labels of the command.
func (v *View) Begin(l Labels) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.labels = l
}

// Watch sets what the command does after this, and takes a snapshot.
func (v *View) Watch(w Work) {
	v.reading.Lock()
	v.work = &watched{Work: w, calls: Speed{Window: ShortWindow}}
	v.reading.Unlock()
	v.Look(time.Now())
}

// Look takes a snapshot of the command. The bar, the lines and progress.json show it. It is called
// once a second while the command works; after that it returns the last snapshot. ok is false while
// the command is only starting.
func (v *View) Look(now time.Time) (s Snapshot, ok bool) {
	v.reading.Lock()
	defer v.reading.Unlock()
	if v.work == nil {
		s = v.Snapshot()
	} else {
		s = v.work.snapshot(now)
		v.show(&s)
	}
	return s, s.Phase != Starting
}

func (v *View) show(s *Snapshot) {
	v.mu.Lock()
	defer v.mu.Unlock()
	s.Stop = cmp.Or(v.stopping, s.Stop)
	v.last = *s
	v.still.look(*s)
	switch s.Phase {
	case Reading:
		v.ready = "reading the input"
	case Sending:
		v.ready = ""
	}
}

// Finish takes the last snapshot of the work: no more calls are sent, and the lists are written.
func (v *View) Finish() {
	v.Look(time.Now())
	v.reading.Lock()
	defer v.reading.Unlock()
	v.work = nil
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.last.Phase == Ended {
		return
	}
	v.last.Finishing, v.last.Left, v.last.Slow = true, nil, ""
	if c := v.last.Calls; c != nil {
		still := *c
		still.PerSecond, v.last.Calls = 0, &still
	}
}

// Stopping records that a signal has arrived. how says how to stop at once.
func (v *View) Stopping(how string) {
	v.mu.Lock()
	v.stopping, v.last.Stop = how, how
	v.mu.Unlock()
	v.once.Do(func() { close(v.stop) })
}

// Stopped returns a channel that is closed when a signal has arrived.
func (v *View) Stopped() <-chan struct{} { return v.stop }

// Ending returns the last snapshot of a command that ends with e. It becomes public when End is
// called. After an end only the code and its message change, because something could not be closed.
func (v *View) Ending(e exit.Ending) Snapshot {
	v.Finish()
	s := v.Snapshot()
	if s.Phase != Ended {
		s.Clock = time.Now()
		s.Phase, s.At, s.Stop, s.Finishing = Ended, s.Clock.UTC(), "", false
		if a := s.Sums; a != nil && s.Total == 0 { // it ended before it came to its edges
			s.Settled, s.Total = a.Edges()-a.Pending(), a.Edges()
		}
		if s.Sums != nil || s.Total > 0 {
			s.Percent = Percent(s.Settled, s.Total)
		}
	}
	code := int(e.Code)
	if s.Code == nil || *s.Code != code {
		s.Code, s.What = &code, e.OneLine()
	}
	return s
}

// End makes the snapshot that Ending returned public. After this nothing changes.
func (v *View) End(s Snapshot) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.last = s; v.ready != "" {
		v.ready = "ended before anything was sent"
	}
}

// Snapshot returns the last snapshot.
func (v *View) Snapshot() Snapshot {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.last
}

// Ready returns why the command is not ready yet; "" means that it is.
func (v *View) Ready() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.ready
}

// Labels returns what Begin was given.
func (v *View) Labels() Labels {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.labels
}
