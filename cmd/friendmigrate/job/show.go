package job

import (
	"sync"
	"time"

	"go.uber.org/zap"

	"friendmigrate/cmd/friendmigrate/progress"
	"friendmigrate/cmd/friendmigrate/settings"
)

// Tick is how often a command looks where it stands.
const Tick = time.Second

// lineDue is how long after the beginning line n is written: after 1, 5, 30, 60 seconds, and so on.
func lineDue(n int) time.Duration {
	switch n {
	case 0:
		return time.Second
	case 1:
		return 5 * time.Second
	}
	return time.Duration(n-1) * 30 * time.Second
}

// Show is the goroutine that looks once a second where a command stands, and shows it to people: in
// a block that is drawn again on a terminal, else now and then in a line.
type Show struct {
	p    *Program
	log  *zap.Logger // nil: lines are for people
	how  string      // bar, lines, none
	text bool        // lines are for people although there is a log
	each func(progress.Snapshot)
	quit chan struct{}
	done <-chan struct{}
	once sync.Once

	// To the goroutine.
	began time.Time
	lines int // written so far
}

// StartShow begins to show. each is called with every snapshot, by another goroutine, if it is not
// nil.
func (p *Program) StartShow(out settings.Output, log *zap.Logger, each func(progress.Snapshot)) *Show {
	s := &Show{p: p, log: log, how: out.Progress, each: each, quit: make(chan struct{}), began: time.Now()}
	s.text = log == nil || plain(out, p.Screen)
	if s.how == "auto" {
		s.how = "lines"
		if p.Screen.Redraws() {
			s.how = "bar"
		}
	}
	s.done = p.Background(s.loop)
	return s
}

func (s *Show) loop() {
	tick := time.NewTicker(Tick)
	defer tick.Stop()
	stopped := s.p.View.Stopped()
	for {
		select {
		case <-s.quit:
			return
		case <-stopped:
			stopped = nil
			s.stopping()
		case now := <-tick.C:
			if snapshot, ok := s.p.View.Look(now); ok {
				s.show(snapshot, now)
			}
		}
	}
}

// stopping answers a signal at once.
func (s *Show) stopping() {
	snapshot, _ := s.p.View.Look(time.Now())
	text := "stopping: " + snapshot.Stopping()
	switch {
	case s.how == "bar":
		s.draw(snapshot)
	case s.text:
		s.p.Screen.Line(text)
	default:
		s.log.Info(text, EventStop)
	}
}

func (s *Show) show(snapshot progress.Snapshot, now time.Time) {
	if s.each != nil {
		s.each(snapshot)
	}
	if message := s.p.View.Still(); message != "" {
		s.log.Warn(message, EventWaits)
	}
	s.draw(snapshot)
	if s.how == "lines" && now.Sub(s.began) >= lineDue(s.lines) {
		s.lines++
		s.line(snapshot)
	}
}

func (s *Show) draw(snapshot progress.Snapshot) {
	if s.how == "bar" {
		s.p.Screen.Block(snapshot.Block(s.p.Screen.Columns() - 1))
	}
}

// line writes a snapshot as a line.
func (s *Show) line(snapshot progress.Snapshot) {
	text := snapshot.Line()
	switch {
	case s.text:
		s.p.Screen.Line(text)
	case snapshot.Account != nil:
		s.log.Info(text, EventProgress, zap.Float64("percent", snapshot.Percent),
			zap.Int64("settled", snapshot.Settled), zap.Int64("total", snapshot.Total))
	default:
		s.log.Info(text, EventProgress, zap.Float64("percent", snapshot.Percent),
			zap.Int64("done", snapshot.Settled), zap.Int64("total", snapshot.Total))
	}
}

// Stop ends the goroutine and waits for it: no more calls leave, and lists are written. It may be
// called again.
func (s *Show) Stop() {
	s.once.Do(func() {
		close(s.quit)
		<-s.done
		s.p.View.Rest()
		s.draw(s.p.View.Snapshot())
	})
	<-s.done
}

// Last shows the end. Stop was called before.
func (s *Show) Last(snapshot progress.Snapshot) {
	s.p.Screen.Block(nil) // what comes next says how it ended
	if s.how == "lines" {
		s.line(snapshot)
	}
}

// Follow shows what a command does, until stop is called, and then where it all ended. stop may be
// called again.
func (p *Program) Follow(out settings.Output, log *zap.Logger, w progress.Work) (stop func()) {
	p.View.Watch(w)
	show := p.StartShow(out, log, nil)
	return sync.OnceFunc(func() {
		show.Stop()
		show.Last(p.View.Snapshot())
	})
}

// Reading is how far an input is read. It is safe for concurrent use.
type Reading struct {
	mu    sync.Mutex
	input *progress.Input // guarded by mu; nil: reading has not begun
}

// Take takes in how far it is read.
func (r *Reading) Take(bytes, total, rows int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.input = &progress.Input{Bytes: bytes, Total: total, Rows: rows}
}

// Fill writes it into a snapshot.
func (r *Reading) Fill(s *progress.Snapshot) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s.Phase, s.Input = progress.Starting, r.input; r.input != nil {
		s.Phase, s.Done, s.ToGo = progress.Reading, r.input.Bytes, r.input.Total-r.input.Bytes
	}
}
