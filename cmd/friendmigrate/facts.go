package main

import (
	"fmt"
	"os"
	"time"

	"friendmigrate/checkpoint"
	"friendmigrate/cmd/friendmigrate/progress"
	"friendmigrate/cmd/friendmigrate/report"
	"friendmigrate/cmd/friendmigrate/screen"
	"friendmigrate/migrate"
)

// sendingFacts tells where a run of the engine stands. It belongs to one goroutine at a time.
type sendingFacts struct {
	job   *importJob
	meter *migrate.Meter
	start checkpoint.Totals // when the run began

	// What the run is about: the job, or its pilot.
	total, settled int64 // edges, and how many of them were settled when the run began
	chunks         int64 // not settled when the run began

	calls, done progress.Speed
}

// at is the snapshot of a moment.
func (f *sendingFacts) at(now time.Time) progress.Snapshot {
	id, totals := f.job.Journal.Identity(), f.job.Journal.Totals()
	account := report.Make(id, totals)
	m, pace, stats := f.meter.Snapshot(), f.job.Client.Pace(), f.job.Client.Stats()
	f.calls.Observe(now, stats.Attempts)
	if m.Holding {
		f.done = progress.Speed{} // the time to go is told from what is done after the hold
	}
	f.done.Observe(now, totals.Chunks-f.start.Chunks)

	s := progress.Snapshot{Version: progress.Version, At: now.UTC(), PID: os.Getpid(), Phase: progress.Sending, Account: &account, Total: f.total}
	s.Settled = f.settled + totals.Settled() - f.start.Settled()
	s.Percent = progress.Percent(s.Settled, s.Total)
	perSecond, _ := f.calls.PerSecond()
	s.Calls = &progress.Calls{
		Sent: stats.Attempts, Retried: m.Retried, Throttled: stats.Throttled, Uncertain: stats.Uncertain,
		InFlight: m.InFlight, Waiting: m.Parked, PerSecond: perSecond, Pace: pace.Current, Holding: m.Holding,
	}
	s.Slow, s.Short = slow(m, pace.Reason, now)
	togo := f.chunks - (totals.Chunks - f.start.Chunks)
	if left, ok := f.done.Left(togo); ok && !m.Holding && !waiting(m) { // how long a backoff takes, no speed tells
		seconds := left.Seconds()
		s.Left = &seconds
	}
	return s
}

// slow says why the run is slower than it was asked to be, in full and in a few words; "" if it is not.
func slow(m migrate.Snapshot, pace string, now time.Time) (full, short string) {
	switch {
	case m.Holding:
		since := screen.Span(now.Sub(m.HoldSince))
		return fmt.Sprintf("holding for %s: nothing gets through, and it is tried again by itself; the last answer: %s", since, m.HoldReason), "holding for " + since
	case waiting(m): // whatever the pace is, it holds nobody back
		text := screen.Some(int64(m.Parked), "account") + " waiting to be tried again"
		return text, text
	case pace != "":
		return pace, "slowed by the service"
	}
	return "", ""
}

// waiting reports whether all that is left waits out a backoff.
func waiting(m migrate.Snapshot) bool { return m.InFlight == 0 && m.Parked > 0 }

// endedFacts is the last snapshot of a job.
func (j *importJob) endedFacts(account report.Account, code int, what string, now time.Time) progress.Snapshot {
	s := progress.Snapshot{Version: progress.Version, At: now.UTC(), PID: os.Getpid(), Phase: progress.Ended, Account: &account, Code: &code, What: what}
	s.Total, s.Settled = account.Edges(), account.Edges()-account.Pending()
	if j.pilot != nil {
		s.Total, s.Settled = j.pilot.edges, j.pilot.settled+j.result.summary.Settled()
	}
	s.Percent = progress.Percent(s.Settled, s.Total)
	return s
}
