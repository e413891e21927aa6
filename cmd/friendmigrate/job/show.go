package job

import (
	"sync"
	"time"

	"go.uber.org/zap"

	"friendmigrate/cmd/friendmigrate/events"
	"friendmigrate/cmd/friendmigrate/progress"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/cmd/friendmigrate/terminal"
	"friendmigrate/migrate"
	"friendmigrate/sink"
)

// How often things are shown.
const (
	Tick        = time.Second
	lineEvery   = 10 * time.Second
	firstLineAt = 2 * time.Second // a job that is done before says nothing in between
)

// Moment is where a command stands, for all who look.
type Moment struct {
	progress.Snapshot

	asks         bool // it counts no settled edges
	beside, line string
}

// MomentOf is the moment of a snapshot of an import or a plan.
func MomentOf(s progress.Snapshot) *Moment {
	return &Moment{Snapshot: s, beside: s.Beside(), line: s.Line()}
}

// Show is the goroutine that shows where a command stands: once a second to programs and in a bar,
// now and then in a line.
type Show struct {
	p    *Program
	out  settings.Output
	log  *zap.Logger // nil: lines are for people
	how  string      // bar, lines, none
	at   func(now time.Time) *Moment
	quit chan struct{}
	done <-chan struct{}
	once sync.Once

	// To the goroutine.
	still    progress.Standstill
	nextLine time.Time
	slow     bool
}

// StartShow begins to show. at is asked each second, by another goroutine; nil: nothing can be told
// yet.
func (p *Program) StartShow(out settings.Output, log *zap.Logger, at func(now time.Time) *Moment) *Show {
	s := &Show{p: p, out: out, log: log, how: out.Progress, at: at, quit: make(chan struct{})}
	s.nextLine = time.Now().Add(firstLineAt)
	if s.how == "auto" {
		s.how = "lines"
		if p.Screen.Terminal() {
			s.how = "bar"
		}
	}
	s.done = p.Background(s.loop)
	return s
}

func (s *Show) loop() {
	tick := time.NewTicker(Tick)
	defer tick.Stop()
	for {
		select {
		case <-s.quit:
			return
		case now := <-tick.C:
			if m := s.at(now); m != nil {
				s.show(m, now)
			}
		}
	}
}

func (s *Show) show(m *Moment, now time.Time) {
	s.p.View.Show(m.Snapshot)
	if message := s.still.Look(m.Snapshot); message != "" {
		s.log.Warn(message, events.Waits)
	}
	switch {
	case s.how == "bar":
		if m.Short != "" && !s.slow && !m.Calls.Holding { // a hold is in the log already
			s.log.Info(m.Slow, events.Slow)
		}
		s.slow = m.Short != ""
		s.bar(m)
	case s.how == "lines" && !now.Before(s.nextLine):
		s.nextLine = now.Add(lineEvery)
		s.write(m)
	}
}

func (s *Show) bar(m *Moment) {
	done, total := m.Settled, m.Total
	if m.Phase == progress.Reading && m.Input != nil {
		done, total = m.Input.Bytes, m.Input.Total
	}
	s.p.Screen.Bar(done, total, m.beside)
}

func (s *Show) write(m *Moment) {
	if s.log == nil || events.Plain(s.out, s.p.Screen) {
		s.p.Screen.Line(m.line)
		return
	}
	if m.asks {
		s.log.Info(m.line, events.Progress, zap.Float64("percent", m.Percent),
			zap.Int64("done", m.Settled), zap.Int64("total", m.Total))
		return
	}
	s.log.Info(m.line, events.Progress, zap.Float64("percent", m.Percent),
		zap.Int64("settled", m.Settled), zap.Int64("total", m.Total))
}

// Stop ends the goroutine and waits for it. It may be called again.
func (s *Show) Stop() {
	s.once.Do(func() { close(s.quit) })
	<-s.done
}

// Last shows the end. The goroutine has ended.
func (s *Show) Last(m *Moment) {
	switch s.how {
	case "bar":
		s.bar(m)
		s.p.Screen.EndBar()
	case "lines":
		s.write(m)
	}
}

// Reading is how far the input is read. It is safe for concurrent use.
type Reading struct {
	mu    sync.Mutex // guards what follows
	input progress.Input
	speed progress.Speed
}

// Take takes in how far it is read.
func (r *Reading) Take(bytes, total, rows int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.input = progress.Input{Bytes: bytes, Total: total, Rows: rows}
}

// At is where it stands.
func (r *Reading) At(now time.Time) progress.Snapshot {
	r.mu.Lock()
	defer r.mu.Unlock()
	in := r.input
	r.speed.Observe(now, in.Bytes)
	s := progress.New(now, progress.Reading)
	s.Input = &in
	if in.Total > in.Bytes {
		s.Left = r.speed.Seconds(in.Total - in.Bytes)
	}
	return s
}

// Standing is where a command stands that asks.
type Standing struct {
	Done, Total int64
	Noun        string // of what Done counts
	More        string // what else there is to say, "" if nothing
	Steps       int64  // that take the time, done in this run
	ToGo        int64  // the same, still to be done
}

// Follow shows where a command stands that asks, until stop is called, and then where it all ended.
// stop may be called again. What at reads is safe to be read while the command runs.
func (p *Program) Follow(
	out settings.Output, log *zap.Logger, c *sink.Client, meter *migrate.Meter, at func() Standing,
) (stop func()) {
	var calls, steps progress.Speed
	moment := func(s Standing, now time.Time) *Moment {
		shown := progress.New(now, progress.Sending)
		shown.Settled, shown.Total, shown.Percent = s.Done, s.Total, progress.Percent(s.Done, s.Total)
		sent := CallsOf(c, meter)
		perSecond, known := calls.PerSecond()
		sent.PerSecond, shown.Calls = perSecond, &sent
		_, shown.Slow = Slow(meter.Snapshot(), c.Pace(), now)
		left := steps.Seconds(s.ToGo)
		if !sent.Holding {
			shown.Left = left
		}
		text := terminal.Count(s.Done) + " of " + terminal.Some(s.Total, s.Noun) + s.More
		if known && s.Done < s.Total {
			text += ", " + terminal.Count(int64(perSecond+0.5)) + " calls/s"
			if left != nil && shown.Slow == "" {
				text += ", " + terminal.Span(time.Duration(*left*float64(time.Second))) + " left"
			}
		}
		if shown.Slow != "" && s.Done < s.Total {
			text += " (" + shown.Slow + ")"
		}
		return &Moment{Snapshot: shown, asks: true, beside: text, line: terminal.Percent(shown.Percent) + ": " + text}
	}
	show := p.StartShow(out, log, func(now time.Time) *Moment {
		s := at()
		calls.Observe(now, c.Stats().Attempts)
		steps.Observe(now, s.Steps)
		return moment(s, now)
	})
	return sync.OnceFunc(func() {
		show.Stop()
		last := moment(at(), time.Now())
		p.View.Show(last.Snapshot)
		show.Last(last)
	})
}

// CallsOf is what a run has sent, but for how fast.
func CallsOf(c *sink.Client, meter *migrate.Meter) progress.Calls {
	m, s := meter.Snapshot(), c.Stats()
	return progress.Calls{
		Sent: s.Attempts, Retried: m.Retried, Throttled: s.Throttled, Uncertain: s.Uncertain,
		InFlight: m.InFlight, Waiting: m.Parked, Pace: c.Pace().Current, Holding: m.Holding,
	}
}

// Slow says why the run is slower than it was asked to be, in full and in a few words; "" if it is
// not.
func Slow(m migrate.Snapshot, pace sink.Pace, now time.Time) (full, short string) {
	switch {
	case pace.Cause == sink.PacePaused:
		return "paused by friendmigrate pace", "paused"
	case m.Holding:
		since := terminal.Span(now.Sub(m.HoldSince))
		full = "holding for " + since + ": nothing gets through, and it is tried again by itself; the last answer: "
		return full + m.HoldReason, "holding for " + since
	case AllWait(m): // whatever the pace is, it holds nobody back
		text := terminal.Some(int64(m.Parked), "account") + " waiting to be tried again"
		return text, text
	case pace.Cause == sink.PaceSet:
		return pace.Reason, pace.Reason
	case pace.Reason != "":
		return pace.Reason, "slowed by the service"
	}
	return "", ""
}

// AllWait reports whether all that is left waits out a backoff.
func AllWait(m migrate.Snapshot) bool { return m.InFlight == 0 && m.Parked > 0 }
