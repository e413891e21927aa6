package verify

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"time"

	"friendmigrate/checkpoint"
	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/cmd/friendmigrate/report"
	"friendmigrate/migrate"
	"friendmigrate/sink"
	"friendmigrate/sink/friendlist"
)

// Part is the verify of one state folder: of a job, or of one of its shards. It may be interrupted
// and continued any number of times. Only Progress is safe for concurrent use.
type Part struct {
	job.Job            // the state folder; its Journal is nil if no job has run
	Pilot   *job.Pilot // only the edges of these accounts are verified; nil: all
	Resumed bool       // an earlier run has asked about some edges
	Found   report.Verified
	Calls   int64 // of this run
	Lists   Lists

	own      bool                // the verify staged the input itself
	verdicts *checkpoint.Journal // the service's answers, see verdict.go
	edges    int64               // edges to verify
	undone   *report.Undone      // what an undo has done since; nil: none has begun
	undo     *checkpoint.Journal // of that undo; its chunks are those of the job
	settled  int64               // those of edges that the job has settled; all of them if there is no job
	sample   *sample             // nil: ask about all settled edges
	window   int                 // edges that are looked up at once
	recorded time.Time           // its progress.json was last written
}

// Service is what a verify asks. Check and Pages are those of sink.Client.
type Service struct {
	Check func(ctx context.Context, from string, to []string) ([]sink.Presence, error)
	Pages func(from string) friendlist.Pages
}

// Begin begins a verify, or continues the one in the folder if it is the same and has not finished.
// It removes everything of another earlier one.
func (p *Part) Begin(ctx context.Context) error {
	p.window = usualWindow
	if err := p.measure(ctx); err != nil {
		return err
	}
	if err := p.resume(ctx); err != nil {
		return err
	}
	if p.verdicts == nil {
		if err := p.create(ctx); err != nil {
			return err
		}
	}
	return p.WriteLists()
}

// updates reports whether the job is one of update.
func (p *Part) updates() bool { return p.Journal != nil && p.Journal.Identity().Command() == "update" }

// dir returns the folder of the files that the verify keeps until it has finished.
func (p *Part) dir() string { return filepath.Join(p.Dir, folder.Verify) }

// identity returns what a verify must have in common with an earlier one to continue it. It
// includes how much the job has settled and an undo has deleted: after a change the old verdicts
// would be wrong.
func (p *Part) identity() checkpoint.Identity {
	id, plan := p.Identity(), p.Stage.Totals()
	id.Edges, id.Chunks, id.PlanDigest = plan.Edges, plan.Chunks, plan.PlanDigest
	id.Options["--fields"] = strconv.FormatBool(p.Set.Fields)
	id.Options["--sample"] = strconv.FormatInt(p.Set.Sample, 10)
	if p.sample != nil {
		id.Options[optionSeed] = strconv.FormatUint(p.sample.seed, 10)
	}
	if p.Journal != nil {
		t := p.Journal.Totals()
		id.Options["job"] = fmt.Sprintf("%s %d %d %d", p.Journal.Identity().Created.Format(time.RFC3339Nano),
			t.Imported, t.Already, t.Failed)
	}
	if p.undone != nil {
		id.Options["undone"] = fmt.Sprint(p.undone.Deleted)
	}
	if p.Pilot != nil {
		id.Options["--only-accounts"] = p.Pilot.Digest()
	}
	return id
}

const optionSeed = "seed"

// resume continues the verify of an earlier process, with the sample that was drawn then.
func (p *Part) resume(ctx context.Context) error {
	journal, err := checkpoint.Open(p.FS, p.dir())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case errors.Is(err, checkpoint.ErrDamaged), errors.Is(err, checkpoint.ErrNewer):
		return p.remove() // everything in it can be asked again
	case err != nil:
		return err
	}
	_ = p.FS.Remove(filepath.Join(p.dir(), folder.Progress)) // of the earlier process
	recorded := journal.Identity()
	if seed, err := strconv.ParseUint(recorded.Options[optionSeed], 10, 64); err == nil {
		if err := p.draw(ctx, seed); err != nil {
			return errors.Join(err, journal.Close())
		}
	}
	if want := p.identity(); len(recorded.Differs(want)) > 0 || recorded.PlanDigest != want.PlanDigest {
		p.sample = nil
		return errors.Join(journal.Close(), p.remove())
	}
	p.verdicts, p.Resumed = journal, len(journal.Runs()) > 0
	// The last run may not have come to asking about refusals again.
	_, err = p.reopen(ctx, func(code int) bool { return !hasVerdict(code) || p.Resumed && isRefusal(code) })
	return err
}

// reopen reopens the edges whose code again accepts, so that they are asked about again.
func (p *Part) reopen(ctx context.Context, again func(code int) bool) (reopened bool, err error) {
	var codes []int
	for code, n := range p.verdicts.Totals().FailedByCode {
		if n > 0 && again(code) {
			codes = append(codes, code)
		}
	}
	if len(codes) == 0 {
		return false, nil
	}
	_, err = p.verdicts.Reopen(ctx, codes)
	return true, err
}

// create makes the journal of a new verify.
func (p *Part) create(ctx context.Context) error {
	if err := p.draw(ctx, rand.Uint64()); err != nil {
		return err
	}
	if err := p.removeLists(); err != nil {
		return err
	}
	var err error
	p.verdicts, err = checkpoint.Begin(p.FS, p.dir(), p.identity())
	return err
}

// remove forgets the verify in the folder.
func (p *Part) remove() error {
	err := p.FS.Remove(filepath.Join(p.dir(), checkpoint.FileName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the journal of a verify: %w", err)
	}
	return p.FS.SyncDir(p.dir())
}

// Progress is the progress of a verify.
type Progress struct {
	Asked, Edges int64 // edges that were answered, and edges to ask about
	Other        int64 // edges that are missing or different; some may have failed in the job
}

// Progress returns the progress. It is safe for concurrent use.
func (p *Part) Progress() Progress {
	t := p.verdicts.Totals()
	now := Progress{Asked: t.Settled(), Edges: p.asked()}
	for code, n := range t.FailedByCode {
		if hasVerdict(code) {
			now.Other += n
		}
	}
	return now
}

// asked returns how many edges there are to ask about.
func (p *Part) asked() int64 {
	if p.sample != nil {
		return int64(len(p.sample.drawn))
	}
	return p.settled
}

// Ask asks about the edges without a verdict. It uses the pace, patience, probe and meter of engine
// and ignores its settings for failures, bytes and rows. It returns how many friend lists were
// doubtful.
func (p *Part) Ask(
	ctx context.Context, s Service, engine migrate.Options, calls func() int64,
) (doubtful int64, err error) {
	if p.verdicts.Totals().Settled() == p.asked() {
		return 0, nil
	}
	if err := p.verdicts.BeginRun(checkpoint.RunStart{At: time.Now().UTC(), Workers: engine.Workers}); err != nil {
		return 0, err
	}
	to := (&asker{check: s.Check}).Call
	if p.Set.Fields {
		engine.Memory /= 2
		lists := newReader(s, engine.Memory)
		if p.updates() {
			lists.sets = updatable
		}
		to = lists.Call
		defer func() { doubtful = lists.doubtful.Load() }()
	}
	before := calls()
	ask := func() error {
		plan := p.Pilot.Rosters(context.WithoutCancel(ctx), p.Stage, p.verdicts.Done)
		_, err := migrate.Run(ctx, migrate.Only(plan, p.asks), to, p.verdicts, engine)
		return err
	}
	if err = ask(); err == nil { // ask about refusals again, so that an edge is not missing because of one odd answer
		var again bool
		if again, err = p.reopen(ctx, isRefusal); again && err == nil {
			err = ask()
		}
	}
	p.Calls = calls() - before
	// AllAnswered, because asking twice does no harm
	end := p.verdicts.EndRun(checkpoint.RunEnd{At: time.Now().UTC(), Calls: p.Calls, AllAnswered: true})
	if err == nil {
		err = end
	}
	return doubtful, err
}

// Finish removes a verify that is complete and whose lists were written, so that the next one
// starts from the beginning.
func (p *Part) Finish() error {
	return errors.Join(p.CloseVerdicts(), p.remove())
}

// CloseVerdicts closes the journal of the verify, so that it can be continued.
func (p *Part) CloseVerdicts() error {
	if p.verdicts == nil {
		return nil
	}
	_ = p.FS.Remove(filepath.Join(p.dir(), folder.Progress)) // none if it had nothing to ask
	err := p.verdicts.Close()
	p.verdicts = nil
	return err
}
