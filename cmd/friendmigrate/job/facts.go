package job

import (
	"time"

	"friendmigrate/checkpoint"
	"friendmigrate/cmd/friendmigrate/progress"
	"friendmigrate/cmd/friendmigrate/report"
	"friendmigrate/migrate"
)

// sendingFacts tells where a run of the engine stands. It belongs to one goroutine at a time.
type sendingFacts struct {
	run   *Run
	meter *migrate.Meter
	start checkpoint.Totals // when the run began

	// What the run is about: the job, or its pilot.
	total, settled int64 // edges, and how many of them were settled when the run began
	chunks         int64 // not settled when the run began

	calls, done progress.Speed
}

// at is the snapshot of a moment.
func (f *sendingFacts) at(now time.Time) progress.Snapshot {
	id, totals := f.run.Journal.Identity(), f.run.Journal.Totals()
	account := report.Make(id, totals)
	m, pace, stats := f.meter.Snapshot(), f.run.Client.Pace(), f.run.Client.Stats()
	f.calls.Observe(now, stats.Attempts)
	if m.Holding {
		f.done = progress.Speed{} // the time to go is told from what is done after the hold
	}
	f.done.Observe(now, totals.Chunks-f.start.Chunks)

	s := progress.New(now, progress.Sending)
	s.Account, s.Total = &account, f.total
	s.Settled = f.settled + totals.Settled() - f.start.Settled()
	s.Percent = progress.Percent(s.Settled, s.Total)
	perSecond, _ := f.calls.PerSecond()
	calls := CallsOf(f.run.Client, f.meter)
	calls.PerSecond, s.Calls = perSecond, &calls
	s.Slow, s.Short = Slow(m, pace, now)
	togo := f.chunks - (totals.Chunks - f.start.Chunks)
	if !m.Holding && !AllWait(m) { // how long a backoff takes, no speed tells
		s.Left = f.done.Seconds(togo)
	}
	return s
}

// endedFacts is the last snapshot of a job.
func (j *Run) endedFacts(account report.Account, code int, what string, now time.Time) progress.Snapshot {
	s := progress.New(now, progress.Ended)
	s.Account, s.Code, s.What = &account, &code, what
	s.Total, s.Settled = account.Edges(), account.Edges()-account.Pending()
	if j.Pilot != nil {
		s.Total, s.Settled = j.Pilot.edges, j.Pilot.settled+j.result.summary.Settled()
	}
	s.Percent = progress.Percent(s.Settled, s.Total)
	return s
}
