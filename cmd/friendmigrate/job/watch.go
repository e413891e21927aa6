package job

import (
	"context"
	"path/filepath"
	"time"

	"go.uber.org/zap"

	"friendmigrate/checkpoint"
	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/progress"
	"friendmigrate/cmd/friendmigrate/report"
	"friendmigrate/migrate"
	"friendmigrate/migrate/disk"
	"friendmigrate/sink"
)

// listsEvery is how often the failed list is written while the job sends.
const listsEvery = 5 * time.Minute

// watch shows and records the progress of a run, from the lock to its end.
type watch struct {
	*Show
	run     *Run
	reading Reading

	listing context.Context // of writing the failed list meanwhile
	giveUp  context.CancelFunc

	// Used only by the goroutine of Show, and after it by Stop.
	recorded  bool // a snapshot of this run was written; read after Stop
	nextLists time.Time
	written   <-chan struct{} // closed when the list that was last begun is written
	listed    int64           // failures in the list that was last begun
	broken    bool            // progress.json could not be written, and a warning was given
	series    report.Series
	nextSave  time.Time // of series
}

func startWatch(j *Run) *watch {
	w := &watch{run: j, nextLists: time.Now().Add(listsEvery), written: j.Background(func() {})}
	w.listing, w.giveUp = context.WithCancel(context.Background())
	w.Show = j.StartShow(w.record)
	return w
}

// Stop is Show.Stop. A list that is being written is given up: at its end the run writes it again.
func (w *watch) Stop() {
	w.giveUp()
	w.Show.Stop()
	<-w.written
}

// record writes progress.json, with the command that goes on if the run is killed, and, from time to
// time, begins to write the failed list.
func (w *watch) record(s progress.Snapshot) {
	resume := w.run.HintOutsidePod(exit.Ending{Code: exit.Unfinished, Hint: w.run.ResumeLine().String()})
	err := report.WriteUnsynced(filepath.Join(w.run.Dir, folder.Progress), s.WithHint(resume.Hint))
	if err != nil && !w.broken {
		w.run.Log.Warn("progress.json could not be written; the job goes on", Event("progress-file"), zap.Error(err))
	}
	w.broken, w.recorded = err != nil, true
	if s.Phase == progress.Sending {
		w.observe(s)
		w.checkJournal()
	}
	if s.Phase == progress.Sending && !s.Clock.Before(w.nextLists) {
		w.list(s)
	}
}

// list begins to write the failed list if the last one is written. A list of millions takes
// minutes, in which more snapshots have to be taken.
func (w *watch) list(s progress.Snapshot) {
	select {
	case <-w.written:
	default:
		return
	}
	w.nextLists = s.Clock.Add(listsEvery)
	if failed := s.Sums.Failed(); failed != w.listed {
		w.listed = failed
		w.written = w.run.Background(func() {
			if _, err := w.run.writeFailed(w.listing, nil); err != nil && w.listing.Err() == nil {
				w.run.Log.Warn("the failed list could not be written", Event("list"), zap.Error(err))
			}
		})
	}
}

// observe adds a point to the time series. A short series is written every second, a long one at
// least every 20 seconds, so that a kill loses no more than that.
func (w *watch) observe(s progress.Snapshot) {
	m := report.Moment{At: s.Clock, Bounds: s.Stats.Latency.Bounds, Buckets: s.Stats.Latency.Counts,
		Counts: report.Counts{Calls: s.Stats.Attempts, Throttled: s.Stats.Throttled}}
	if a := s.Sums; a != nil {
		m.Imported, m.Already, m.Failed = a.Rows.Imported+a.Added.Imported, a.Rows.Already+a.Added.Already, a.Failed()
	}
	if c := s.Calls; c != nil {
		m.Limit, m.Holding, m.Paused = c.Asked, c.Holding, c.Reason == string(sink.PacePaused)
		m.Waiting = c.Reason == string(sink.PaceAsked)
	}
	w.series.Observe(m)
	if s.Clock.Before(w.nextSave) {
		return
	}
	w.nextSave = s.Clock.Add(time.Second * time.Duration(1+len(w.series.Points)/100))
	w.save()
}

// checkJournal ends the run if its journal is no longer in its place: it would record for hours
// what nobody can read afterwards.
func (w *watch) checkJournal() {
	if err := w.run.Journal.Moved(); err != nil {
		w.run.abort(exit.Errorf(exit.Unexpected, w.run.ResumeLine().String()+" # after putting it back", "%w", err))
	}
}

// save writes the time series. A report works without it, so an error is ignored.
func (w *watch) save() {
	if len(w.series.Points) > 0 {
		_ = report.WriteUnsynced(filepath.Join(w.run.Dir, folder.Series), &w.series)
	}
}

// watchReading lets others watch the job while it reads its input.
func (j *Run) watchReading() {
	journal := j.Journal
	j.View.Watch(j.work(nil, func(s *progress.Snapshot) {
		j.watch.reading.Fill(s)
		addEdges(s, journal)
	}))
}

// watchSending lets others watch the job while it sends. meter counts what the run does.
func (j *Run) watchSending(meter *migrate.Meter) {
	fill := j.sending()
	j.watch.series, _ = report.ReadSeries(filepath.Join(j.Dir, folder.Series)) // a damaged one begins again
	j.View.Watch(j.work(meter, fill))
}

// sending returns a function that fills a snapshot of the run of the engine that begins now, which
// is about the job or its pilot.
func (j *Run) sending() func(*progress.Snapshot) {
	journal, start := j.Journal, j.Journal.Totals()
	total, settled, chunks := start.Pending+start.Settled(), start.Settled(), journal.Identity().Chunks-start.Chunks
	if p := j.Pilot; p != nil {
		total, settled, chunks = p.edges, p.settled, p.chunks
	}
	return func(s *progress.Snapshot) {
		now := addEdges(s, journal)
		s.Doing, s.Did = j.Op.Doing, j.Op.Did
		s.Total, s.Settled = total, settled+now.Settled()-start.Settled()
		s.Done, s.ToGo = now.Chunks, chunks-(now.Chunks-start.Chunks)
	}
}

// addEdges adds what became of the edges of the job, if it has a journal yet.
func addEdges(s *progress.Snapshot, journal *checkpoint.Journal) (totals checkpoint.Totals) {
	if journal != nil {
		totals = journal.Totals()
		sums := report.Make(journal.Identity(), totals)
		s.Sums, s.Failures = &sums, totals.FailedByCode
	}
	return totals
}

// writeMetrics writes the last metrics into the state folder. They are only for looking at, so an
// error does not fail a job that is done.
func (j *Run) writeMetrics() {
	err := disk.WriteWhole(j.FS, filepath.Join(j.Dir, folder.Metrics), j.View.WriteMetrics)
	if err != nil && !NoSpace(err) { // the last line reports a full disk
		j.Log.Warn(folder.Metrics+" could not be written", Event("metrics-file"), zap.Error(err))
	}
}

// endEarly records the end of a job that could not begin, or that ended before it sent anything.
// Where the folder is that of another job, nothing of this one is to go on there.
func (j *Run) endEarly(err error) {
	e := j.Failure(err)
	last := j.View.Ending(e)
	j.View.End(last)
	if j.watch.recorded || j.listed {
		if e.Code != exit.OtherJob {
			last = last.WithHint(e.Hint)
		}
		_ = report.WriteUnsynced(filepath.Join(j.Dir, folder.Progress), last) // the last line reports a full disk
	}
	if e.Code != exit.OtherJob && j.home == "" {
		j.writeMetrics()
	}
}
