package job

import (
	"sync"
	"time"

	"go.uber.org/zap"

	"friendmigrate/cmd/friendmigrate/progress"
	"friendmigrate/migrate"
)

// Tick is the interval at which a command takes a snapshot of its progress.
const Tick = time.Second

// lineDue returns when line n is written, counted from the beginning: after 1, 5, 30, 60 seconds,
// and so on.
func lineDue(n int) time.Duration {
	switch n {
	case 0:
		return time.Second
	case 1:
		return 5 * time.Second
	}
	return time.Duration(n-1) * 30 * time.Second
}

// Show is the goroutine that takes a snapshot of a command every second and shows it to people: in
// a block that is redrawn on a terminal, or else from time to time in a line.
type Show struct {
	job  *Job
	how  string // bar, lines, none
	text bool   // lines are text for people, not log entries
	each func(progress.Snapshot)
	quit chan struct{}
	done <-chan struct{}
	once sync.Once

	// Used only by the goroutine.
	began time.Time
	lines int // written so far
}

// StartShow starts to show. If each is not nil, it is called with every snapshot, by another
// goroutine.
func (j *Job) StartShow(each func(progress.Snapshot)) *Show {
	s := &Show{job: j, how: j.Set.Output.Progress, each: each, quit: make(chan struct{}), began: time.Now()}
	s.text = j.Log == nil || plain(j.Set.Output, j.Screen)
	if s.how == "auto" {
		s.how = "lines"
		if j.Screen.Redraws() {
			s.how = "bar"
		}
	}
	s.done = j.Background(s.loop)
	return s
}

func (s *Show) loop() {
	tick := time.NewTicker(Tick)
	defer tick.Stop()
	stopped := s.job.View.Stopped()
	for {
		select {
		case <-s.quit:
			return
		case <-stopped:
			stopped = nil
			s.stopping()
		case <-tick.C: // its time is of long ago if the last snapshot took long
			now := time.Now()
			if snapshot, ok := s.job.View.Look(now); ok {
				s.show(snapshot, now)
			}
		}
	}
}

// stopping shows at once that a signal has come.
func (s *Show) stopping() {
	snapshot, _ := s.job.View.Look(time.Now())
	text := "stopping: " + snapshot.Stopping()
	switch {
	case s.how == "bar":
		s.draw(snapshot)
	case s.text:
		s.job.Screen.Line(text)
	default:
		s.job.Log.Info(text, Event("stop"))
	}
}

func (s *Show) show(snapshot progress.Snapshot, now time.Time) {
	if s.each != nil {
		s.each(snapshot)
	}
	if message := s.job.View.Still(); message != "" {
		s.job.Log.Warn(message, Event("waits"))
	}
	s.draw(snapshot)
	if s.how == "lines" && now.Sub(s.began) >= lineDue(s.lines) {
		s.lines++
		s.line(snapshot)
	}
}

func (s *Show) draw(snapshot progress.Snapshot) {
	if s.how == "bar" {
		s.job.Screen.Block(snapshot.Block(s.job.Screen.Columns() - 1))
	}
}

// line writes a snapshot as a line.
func (s *Show) line(snapshot progress.Snapshot) {
	text := snapshot.Line()
	switch {
	case s.text:
		s.job.Screen.Line(text)
	case snapshot.Sums != nil:
		s.job.Log.Info(text, Event("progress"), zap.Float64("percent", snapshot.Percent),
			zap.Int64("settled", snapshot.Settled), zap.Int64("total", snapshot.Total))
	default:
		s.job.Log.Info(text, Event("progress"), zap.Float64("percent", snapshot.Percent),
			zap.Int64("done", snapshot.Settled), zap.Int64("total", snapshot.Total))
	}
}

// Stop ends the goroutine, waits for it and shows the last snapshot of the work; see View.Finish.
// It may be called again.
func (s *Show) Stop() {
	s.once.Do(func() {
		close(s.quit)
		<-s.done
		s.job.View.Finish()
		s.draw(s.job.View.Snapshot())
	})
	<-s.done
}

// Last shows the end. Call Stop before.
func (s *Show) Last(snapshot progress.Snapshot) {
	s.job.Screen.Block(nil) // the next line says how it ended
	if s.how == "lines" {
		s.line(snapshot)
	}
}

// Follow shows the progress of a run of calls until stop is called, and then its end. stop may be
// called again. For each see StartShow.
func (j *Job) Follow(meter *migrate.Meter, fill func(*progress.Snapshot), each func(progress.Snapshot)) (stop func()) {
	j.View.Watch(j.work(meter, fill))
	show := j.StartShow(each)
	return sync.OnceFunc(func() {
		show.Stop()
		show.Last(j.View.Snapshot())
	})
}

// Reading is the progress of reading an input. It is safe for concurrent use.
type Reading struct {
	mu    sync.Mutex
	input *progress.Input // guarded by mu; nil: reading has not begun
}

// Take records the progress.
func (r *Reading) Take(bytes, total, rows int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.input = &progress.Input{Bytes: bytes, Total: total, Rows: rows}
}

// Fill adds the progress to a snapshot.
func (r *Reading) Fill(s *progress.Snapshot) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s.Phase, s.Input = progress.Starting, r.input; r.input != nil {
		s.Phase, s.Done, s.ToGo = progress.Reading, r.input.Bytes, r.input.Total-r.input.Bytes
	}
}
