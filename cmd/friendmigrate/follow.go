package main

import (
	"os"
	"sync"
	"time"

	"go.uber.org/zap"

	"friendmigrate/cmd/friendmigrate/events"
	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/cmd/friendmigrate/progress"
	"friendmigrate/cmd/friendmigrate/screen"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/migrate"
	"friendmigrate/sink"
)

// follow is the goroutine that shows where a command stands that asks: verify, export, doctor. What it reads is safe to be read while the command runs.
type follow struct {
	p    *job.Program
	out  settings.Output
	log  *zap.Logger
	how  string // bar, lines, none
	at   func() standing
	quit chan struct{}
	done <-chan struct{}
	once sync.Once

	// To the goroutine, and after it to stop.
	calls, steps progress.Speed
	still        progress.Standstill
	nextLine     time.Time
}

// standing is where a command stands.
type standing struct {
	done, total int64
	noun        string // of what done counts
	more        string // what else there is to say, "" if nothing
	calls       progress.Calls
	steps       int64 // that take the time, done in this run
	togo        int64 // the same, still to be done
	slow        string
}

// startFollow begins to show. at is asked each second.
func startFollow(p *job.Program, out settings.Output, log *zap.Logger, at func() standing) *follow {
	f := &follow{p: p, out: out, log: log, how: out.Progress, at: at, quit: make(chan struct{}), nextLine: time.Now().Add(firstLineAt)}
	if f.how == "auto" {
		f.how = "lines"
		if p.Screen.Terminal() {
			f.how = "bar"
		}
	}
	f.done = p.Background(f.loop)
	return f
}

func (f *follow) loop() {
	tick := time.NewTicker(watchTick)
	defer tick.Stop()
	for {
		select {
		case <-f.quit:
			return
		case now := <-tick.C:
			f.show(now)
		}
	}
}

// stop ends the goroutine, waits for it and shows where it all ended. It may be called again.
func (f *follow) stop() {
	f.once.Do(func() {
		close(f.quit)
		<-f.done
		s := f.at()
		f.p.View.Show(f.snapshot(s, time.Now()))
		switch f.how {
		case "bar":
			f.p.Screen.Bar(s.done, s.total, f.text(s))
			f.p.Screen.EndBar()
		case "lines":
			f.line(s)
		}
	})
}

func (f *follow) show(now time.Time) {
	s := f.at()
	f.calls.Observe(now, s.calls.Sent)
	f.steps.Observe(now, s.steps)
	snapshot := f.snapshot(s, now)
	f.p.View.Show(snapshot)
	if message := f.still.Look(snapshot); message != "" {
		f.log.Warn(message, events.Waits)
	}
	switch {
	case f.how == "bar":
		f.p.Screen.Bar(s.done, s.total, f.text(s))
	case f.how == "lines" && !now.Before(f.nextLine):
		f.nextLine = now.Add(lineEvery)
		f.line(s)
	}
}

// snapshot is what others see of it.
func (f *follow) snapshot(s standing, now time.Time) progress.Snapshot {
	calls := s.calls
	calls.PerSecond, _ = f.calls.PerSecond()
	shown := progress.Snapshot{
		Version: progress.Version, At: now.UTC(), PID: os.Getpid(), Phase: progress.Sending, Settled: s.done, Total: s.total, Percent: progress.Percent(s.done, s.total),
		Calls: &calls, Slow: s.slow,
	}
	if left, ok := f.steps.Left(s.togo); ok && !calls.Holding {
		seconds := left.Seconds()
		shown.Left = &seconds
	}
	return shown
}

// callsOf is what a run has sent.
func callsOf(c *sink.Client, meter *migrate.Meter) progress.Calls {
	m, s := meter.Snapshot(), c.Stats()
	return progress.Calls{
		Sent: s.Attempts, Retried: m.Retried, Throttled: s.Throttled, Uncertain: s.Uncertain, InFlight: m.InFlight, Waiting: m.Parked, Pace: c.Pace().Current, Holding: m.Holding,
	}
}

func (f *follow) line(s standing) {
	percent := progress.Percent(s.done, s.total)
	text := f.text(s)
	if events.Plain(f.out, f.p.Screen) {
		f.p.Screen.Line(screen.Percent(percent) + ": " + text)
		return
	}
	f.log.Info(screen.Percent(percent)+": "+text, events.Progress, zap.Float64("percent", percent), zap.Int64("done", s.done), zap.Int64("total", s.total))
}

func (f *follow) text(s standing) string {
	text := screen.Count(s.done) + " of " + screen.Some(s.total, s.noun) + s.more
	if perSecond, ok := f.calls.PerSecond(); ok && s.done < s.total {
		text += ", " + screen.Count(int64(perSecond+0.5)) + " calls/s"
		if left, ok := f.steps.Left(s.togo); ok && s.slow == "" {
			text += ", " + screen.Span(left) + " left"
		}
	}
	if s.slow != "" && s.done < s.total {
		text += " (" + s.slow + ")"
	}
	return text
}

// slowness says why a run of the engine is slower than it was asked to be; "" if it is not.
func slowness(m *migrate.Meter, c *sink.Client) string {
	_, short := slow(m.Snapshot(), c.Pace().Reason, time.Now())
	return short
}
