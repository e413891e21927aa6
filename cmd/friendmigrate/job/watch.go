package job

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

// listsEvery is how often the failed list is written while the job sends.
const listsEvery = 5 * time.Minute

// watch shows and records where the job stands, from the lock to the end of the run. It reads the
// job's journal and client, which are safe for that, and writes progress.json and, now and then,
// the failed list.
type watch struct {
	*Show
	run     *Run
	reading Reading

	mu    sync.Mutex // guards facts
	facts func(now time.Time) progress.Snapshot

	// To the goroutine.
	nextLists time.Time
	listed    int64 // failures in the list that was last written
	broken    bool  // progress.json could not be written, and that was said
}

// startWatch begins to watch. The job reads its input, until sending is called.
func startWatch(j *Run) *watch {
	w := &watch{run: j, nextLists: time.Now().Add(listsEvery)}
	w.Show = j.StartShow(j.Set.Output, j.Log, w.look)
	return w
}

// look writes where the job stands.
func (w *watch) look(now time.Time) *Moment {
	w.mu.Lock()
	facts := w.facts
	w.mu.Unlock()
	if facts == nil {
		return nil
	}
	s := facts(now)
	w.write(s)
	if s.Phase == progress.Sending && now.After(w.nextLists) {
		w.nextLists = now.Add(listsEvery)
		if failed := s.Account.Failed(); failed != w.listed {
			w.listed = failed
			if _, err := w.run.writeFailed(nil); err != nil {
				w.run.Log.Warn("the failed list could not be written", events.List, zap.Error(err))
			}
		}
	}
	return MomentOf(s)
}

// end shows and writes the last snapshot. The goroutine has ended.
func (w *watch) end(s progress.Snapshot) error {
	w.Last(MomentOf(s))
	return disk.WriteWhole(w.run.FS, filepath.Join(w.run.Dir, folder.Progress), s.WriteJSON)
}

// write replaces progress.json. It is whole at any moment, but not synced: after a power cut a
// snapshot of the second before is of no use.
func (w *watch) write(s progress.Snapshot) {
	name := filepath.Join(w.run.Dir, folder.Progress)
	err := replaceFile(name, s)
	if err != nil && !w.broken {
		w.run.Log.Warn("progress.json could not be written; the job goes on", events.ProgressFile, zap.Error(err))
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

// read takes in how far the input is read. Any goroutine may call it.
func (w *watch) read(bytes, total, rows int64) {
	w.reading.Take(bytes, total, rows)
	w.follow(w.reading.At)
}

func (w *watch) follow(facts func(now time.Time) progress.Snapshot) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.facts = facts
}

// sending begins to watch a run of the engine.
func (w *watch) sending(meter *migrate.Meter, start checkpoint.Totals) {
	f := &sendingFacts{
		run: w.run, meter: meter, start: start, total: start.Pending + start.Settled(), settled: start.Settled(),
		chunks: w.run.Journal.Identity().Chunks - start.Chunks, calls: progress.Speed{Window: progress.ShortWindow},
	}
	if p := w.run.Pilot; p != nil {
		f.total, f.settled, f.chunks = p.edges, p.settled, p.chunks
	}
	w.follow(f.at)
}
