package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"sync"
	"time"

	"go.uber.org/zap"

	"friendmigrate/checkpoint"
	"friendmigrate/cmd/friendmigrate/events"
	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/progress"
	"friendmigrate/migrate"
	"friendmigrate/migrate/disk"
)

// How often things are shown and written.
const (
	watchTick   = time.Second
	lineEvery   = 10 * time.Second
	listsEvery  = 5 * time.Minute
	firstLineAt = 2 * time.Second // a job that is done before says nothing in between
)

// watch is the goroutine that shows and records where the job stands, from the lock to the end of the run. It reads the job's journal and client, which are safe
// for that, and writes progress.json and, now and then, the failed list.
type watch struct {
	job  *importJob
	how  string // bar, lines, none
	quit chan struct{}
	done <-chan struct{}
	once sync.Once

	mu    sync.Mutex // guards what follows
	facts func(now time.Time) progress.Snapshot
	input progress.Input

	// To the goroutine.
	bytes               progress.Speed
	still               progress.Standstill
	nextLine, nextLists time.Time
	listed              int64 // failures in the list that was last written
	slow                string
	broken              bool // progress.json could not be written, and that was said
}

// startWatch begins to watch. The job reads its input, until sending is called.
func startWatch(j *importJob) *watch {
	now := time.Now()
	w := &watch{job: j, how: j.Set.Output.Progress, quit: make(chan struct{}), nextLine: now.Add(firstLineAt), nextLists: now.Add(listsEvery)}
	if w.how == "auto" {
		w.how = "lines"
		if j.Screen.Terminal() {
			w.how = "bar"
		}
	}
	w.done = j.Background(w.loop)
	return w
}

// stop ends the goroutine and waits for it. It may be called again.
func (w *watch) stop() {
	w.once.Do(func() { close(w.quit) })
	<-w.done
}

func (w *watch) loop() {
	tick := time.NewTicker(watchTick)
	defer tick.Stop()
	for {
		select {
		case <-w.quit:
			return
		case now := <-tick.C:
			w.look(now)
		}
	}
}

// look shows and writes where the job stands.
func (w *watch) look(now time.Time) {
	w.mu.Lock()
	facts := w.facts
	w.mu.Unlock()
	if facts == nil {
		return
	}
	s := facts(now)
	w.job.View.Show(s)
	if message := w.still.Look(s); message != "" {
		w.job.Log.Warn(message, events.Waits)
	}
	w.show(s, now)
	w.write(s)
	if s.Phase == progress.Sending && now.After(w.nextLists) {
		w.nextLists = now.Add(listsEvery)
		if failed := s.Account.Failed(); failed != w.listed {
			w.listed = failed
			if _, err := w.job.writeFailed(nil); err != nil {
				w.job.Log.Warn("the failed list could not be written", events.List, zap.Error(err))
			}
		}
	}
}

func (w *watch) show(s progress.Snapshot, now time.Time) {
	switch {
	case w.how == "bar":
		if s.Slow != "" && w.slow == "" && !s.Calls.Holding { // a hold is in the log already
			w.job.Log.Info(s.Slow, events.Slow)
		}
		w.slow = s.Slow
		done, total := s.Settled, s.Total
		if s.Phase == progress.Reading && s.Input != nil {
			done, total = s.Input.Bytes, s.Input.Total
		}
		w.job.Screen.Bar(done, total, s.Beside())
	case w.how == "lines" && !now.Before(w.nextLine):
		w.nextLine = now.Add(lineEvery)
		w.line(s)
	}
}

func (w *watch) line(s progress.Snapshot) {
	if events.Plain(w.job.Set.Output, w.job.Screen) {
		w.job.Screen.Line(s.Line())
		return
	}
	w.job.Log.Info(s.Line(), events.Progress, zap.Float64("percent", s.Percent), zap.Int64("settled", s.Settled), zap.Int64("total", s.Total))
}

// end shows and writes the last snapshot. The goroutine has ended.
func (w *watch) end(s progress.Snapshot) error {
	switch w.how {
	case "bar":
		w.job.Screen.Bar(s.Settled, s.Total, s.Beside())
		w.job.Screen.EndBar()
	case "lines":
		w.line(s)
	}
	return disk.WriteWhole(w.job.FS, filepath.Join(w.job.Dir, folder.Progress), s.WriteJSON)
}

// write replaces progress.json. It is whole at any moment, but not synced: after a power cut a snapshot of the second before is of no use.
func (w *watch) write(s progress.Snapshot) {
	name := filepath.Join(w.job.Dir, folder.Progress)
	err := replaceFile(name, s)
	if err != nil && !w.broken {
		w.job.Log.Warn("progress.json could not be written; the job goes on", events.ProgressFile, zap.Error(err))
	}
	w.broken = err != nil
}

func replaceFile(name string, s progress.Snapshot) error {
	content, err := json.Marshal(s)
	if err != nil {
		return err
	}
	if err := os.WriteFile(name+".tmp", append(content, '\n'), disk.FileMode); err != nil {
		return err
	}
	return os.Rename(name+".tmp", name)
}

// reading takes in how far the input is read. Any goroutine may call it.
func (w *watch) reading(bytes, total, rows int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.input = progress.Input{Bytes: bytes, Total: total, Rows: rows}
	w.facts = w.readingFacts
}

// readingFacts is where the reading of the input stands.
func (w *watch) readingFacts(now time.Time) progress.Snapshot {
	w.mu.Lock()
	in := w.input
	w.mu.Unlock()
	w.bytes.Observe(now, in.Bytes)
	s := progress.Snapshot{Version: progress.Version, At: now.UTC(), PID: os.Getpid(), Phase: progress.Reading, Input: &in}
	if left, ok := w.bytes.Left(in.Total - in.Bytes); ok && in.Total > in.Bytes {
		seconds := left.Seconds()
		s.Left = &seconds
	}
	return s
}

// sending begins to watch a run of the engine.
func (w *watch) sending(meter *migrate.Meter, start checkpoint.Totals) {
	f := &sendingFacts{
		job: w.job, meter: meter, start: start, total: start.Pending + start.Settled(), settled: start.Settled(),
		chunks: w.job.Journal.Identity().Chunks - start.Chunks, calls: progress.Speed{Window: progress.ShortWindow},
	}
	if p := w.job.pilot; p != nil {
		f.total, f.settled, f.chunks = p.edges, p.settled, p.chunks
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.facts = f.at
}
