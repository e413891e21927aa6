package progress

import (
	"sync"
	"time"

	"friendmigrate/cmd/friendmigrate/exit"
)

// View is where a command stands at present, for all who watch it. It is safe for concurrent use.
// NewView makes one.
type View struct {
	metrics *metrics
	stop    chan struct{} // closed when a signal has come
	once    sync.Once

	reading sync.Mutex // guards work while it is read; the disk may be waited for under it
	work    *watched   // nil: nothing to read, and the last snapshot stays

	mu       sync.Mutex // guards what follows; nothing is waited for under it
	labels   Labels
	last     Snapshot
	stopping string // Snapshot.Stop
	ready    string // why it is not ready; "": it is
	watchdog watchdog
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

// Begin says what it is that runs.
func (v *View) Begin(l Labels) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.labels = l
}

// Watch takes in what the command does from here on, and looks at it.
func (v *View) Watch(w Work) {
	v.reading.Lock()
	v.work = &watched{Work: w, calls: Speed{Window: ShortWindow}}
	v.reading.Unlock()
	v.Look(time.Now())
}

// Look reads where the command stands. The bar, the lines and progress.json show what it returns.
// It is called once a second while the command works, and then returns the last snapshot. ok is
// false while the command is only starting.
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
	s.Stop = v.stopping
	v.last = *s
	v.watchdog.look(*s)
	switch s.Phase {
	case Reading:
		v.ready = "reading the input"
	case Sending:
		v.ready = ""
	}
}

// Rest looks for the last time at what the command does: no more calls leave, and its lists are
// written.
func (v *View) Rest() {
	v.Look(time.Now())
	v.reading.Lock()
	defer v.reading.Unlock()
	v.work = nil
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.last.Phase == Ended {
		return
	}
	v.last.Resting, v.last.Left, v.last.Slow = true, nil, ""
	if c := v.last.Calls; c != nil {
		still := *c
		still.PerSecond, v.last.Calls = 0, &still
	}
	v.watchdog.resting = time.Now()
}

// Stopping says that a signal has come. now says how to stop at once.
func (v *View) Stopping(now string) {
	v.mu.Lock()
	v.stopping, v.last.Stop = now, now
	v.mu.Unlock()
	v.once.Do(func() { close(v.stop) })
}

// Stopped is closed when a signal has come.
func (v *View) Stopped() <-chan struct{} { return v.stop }

// Ending is the last snapshot of a command that ends so. Others see it once End is called. After an
// end only the code and its words change, because something could not be closed.
func (v *View) Ending(e exit.Ending) Snapshot {
	v.Rest()
	s := v.Snapshot()
	if s.Phase != Ended {
		s.Phase, s.At, s.Stop, s.Resting = Ended, time.Now().UTC(), "", false
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

// End makes what Ending returned public. From here on everything stays as it is.
func (v *View) End(s Snapshot) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.last = s; v.ready != "" {
		v.ready = "ended before anything was sent"
	}
}

// Snapshot is the last one.
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

// Health returns what looks as if the command were stuck; "" means that nothing does.
func (v *View) Health(now time.Time) string {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.last.Phase == Ended {
		return ""
	}
	return v.watchdog.health(now)
}

// Labels returns what Begin was given.
func (v *View) Labels() Labels {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.labels
}
