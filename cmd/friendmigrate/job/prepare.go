package job

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"friendmigrate/checkpoint"
	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/inspect"
	"friendmigrate/cmd/friendmigrate/terminal"
	"friendmigrate/source"
	"friendmigrate/source/stage"
)

// Prepare opens the job's journal and its sealed stage, and makes both if they do not exist.
// Nothing has been sent when it returns.
//
// A new job takes these durable steps. A crash after one of them leaves:
//
//	1  rows staged, not sealed    no journal: the next run begins again
//	2  journal created            nothing settled: the next run stages again, and the result has
//	                              to be the plan that the journal records
//	3  manifest written           the complete job; after this, a stage without a journal is damage
//
// So a sealed stage implies that its journal existed, and a journal without a stage is never taken
// for a new job.
func (j *Run) Prepare(ctx context.Context) error {
	if err := j.OpenJournal(); err != nil {
		return err
	}
	if err := j.openStage(); err != nil {
		return err
	}
	want := j.Identity()
	if j.Op.Command != "import" { // a journal of import records no command
		want.Options[checkpoint.CommandOption] = j.Op.Command
	}
	if j.Journal != nil {
		recorded := j.Journal.Identity()
		want.Inputs = recorded.Inputs // compared below, with a better message
		if err := j.SameJob(recorded, want); err != nil {
			return err
		}
	}
	undo, err := j.refuseUndone()
	if err != nil {
		return err
	}
	if j.Stage != nil && j.Journal == nil {
		return j.lostJournal()
	}
	if err := j.checkShards(want); err != nil {
		return err
	}
	// Before the input is read, so that an unusable CA file, proxy or endpoint is reported at once.
	if err := j.OpenClient(ctx); err != nil {
		return err
	}
	j.watchReading()
	if j.Stage != nil {
		err = j.compareSealed(ctx)
	} else if err = j.compareWithJournal(ctx); err == nil && !j.over {
		err = j.stageInput(ctx, want)
	}
	if err == nil && undo != nil {
		err = j.sendToUndo(undo)
	}
	if err != nil {
		return err
	}
	return j.refuseRejected() // the stage may be of a run without --strict
}

// OpenJournal opens the journal in the run's folder, if there is one.
func (j *Run) OpenJournal() error {
	journal, err := checkpoint.Open(j.FS, j.Dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case errors.Is(err, checkpoint.ErrDamaged):
		return exit.Errorf(exit.Unexpected, j.freshLine(),
			"%w: nothing was sent; restore it from a copy, or start over "+
				"with --fresh, which may import edges twice", err)
	case err != nil:
		return err
	}
	j.Journal, j.resumed = journal, true
	if n := journal.TornBytes(); n > 0 {
		j.Log.Info(fmt.Sprintf("the last write of the journal was torn; its %d bytes were never acknowledged and are "+
			"cut off", n), Event("journal-cut"), zap.Int64("bytes", n))
	}
	return nil
}

// openStage opens the sealed stage, if there is one that is sound and belongs to the journal.
func (j *Run) openStage() error {
	s, meta, err := source.OpenStaged(filepath.Join(j.Dir, folder.Staged), j.FS)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case errors.Is(err, stage.ErrDamaged):
		if j.Journal == nil {
			return j.lostJournal()
		}
		j.Log.Warn("the staged input is damaged or of another version and is built again from the input",
			Event("stage-damaged"), zap.Error(err))
		return nil
	case err != nil:
		return err
	}
	j.Stage, j.Counts = s, meta.Counts
	return j.CheckPlan(j.Journal)
}

// CheckPlan returns an error if there is a journal and the stage is not the one it was made with.
func (j *Job) CheckPlan(journal *checkpoint.Journal) error {
	if journal == nil || journal.Identity().PlanDigest == j.Stage.Totals().PlanDigest {
		return nil
	}
	return fmt.Errorf("open the state: the staged input in %q is not the one that the journal beside it belongs to; "+
		"nothing was %s; put the right one back, or start over with --fresh", j.Dir, j.SentWord)
}

// lostJournal returns the error of a stage without its journal, with the ways out.
func (j *Run) lostJournal() error {
	return exit.Errorf(exit.Unexpected, j.freshLine(), "%w; restore it, or start over with --fresh, "+
		"which may import edges twice", inspect.LostJournal(j.Dir))
}

func (j *Run) freshLine() string { return j.Line().With("fresh", "").String() }

// Input returns standard input, or nil if that is a terminal, which is no input for a job that is
// staged.
func (j *Job) Input() io.Reader {
	if terminal.IsTerminal(j.Std.In) {
		return nil
	}
	return j.Std.In
}

// compare returns an error if the inputs are not those that were recorded. Some may be gone.
func (j *Job) compare(ctx context.Context, recorded []source.Input, stdin io.Reader) (source.Comparison, error) {
	now := j.SourceRequest("")
	now.Stdin = stdin
	c, err := source.Compare(ctx, recorded, now)
	switch {
	case err != nil:
		return c, j.ReadError(ctx, err)
	case c.Match == source.Different:
		return c, j.otherJob(j.Apart(), c.Reasons)
	}
	return c, nil
}

// CompareInputs is like compare, for the inputs that were staged. It warns of inputs that are gone,
// and of files in folders that are not read.
func (j *Job) CompareInputs(ctx context.Context, staged []source.Input) (source.Comparison, error) {
	c, err := j.compare(ctx, staged, j.Input())
	switch {
	case err != nil:
		return c, err
	case c.Match == source.Gone:
		j.Log.Warn("an input is gone or cannot be read; what was staged of it is used",
			Event("input-gone"), zap.Strings("why", c.Reasons))
	}
	if text := c.LeftOut.Warning(); text != "" {
		j.Log.Warn(text, Event("input"))
	}
	return c, j.ReadError(ctx, j.Counts.CheckEmpty(j.Set.Rows))
}

// tryEndAsBefore ends a finished job again without its stage, if all of its inputs are gone. It
// reports whether it did. The inputs are read from the report.
func (j *Run) tryEndAsBefore() bool {
	there := func(name string) bool {
		_, err := os.Lstat(name)
		return !errors.Is(err, fs.ErrNotExist)
	}
	inputs, err := inspect.ReportedInputs(j.Dir)
	done := j.Journal.Totals().Pending == 0 && !j.Set.Job.RetryFailed && j.Set.Job.OnlyAccounts == ""
	if !done || err != nil || len(j.Inputs) > len(inputs) || slices.ContainsFunc(j.Inputs, there) {
		return false
	}
	j.Log.Warn("all inputs are gone, and what was staged of them is gone or damaged; the job was done before",
		Event("input-gone"), zap.Strings("why", j.Inputs))
	j.Counts.Inputs, j.Counts.Rejected, j.over = inputs, j.Journal.Identity().Rejected, true
	return true
}

// compareSealed checks that the inputs are still those that were staged.
func (j *Run) compareSealed(ctx context.Context) error {
	meta, err := source.ReadMeta(j.Stage)
	if err != nil {
		return err
	}
	c, err := j.CompareInputs(ctx, meta.Counts.Inputs)
	if err != nil {
		return err
	}
	j.Counts.LeftOut = c.LeftOut
	if c.Updated {
		if err := source.UpdateInputs(j.Stage, c.Inputs); err != nil {
			return err
		}
	}
	if err := j.restoreLists(ctx); err != nil {
		return err
	}
	t := j.Journal.Totals()
	if t.Pending == 0 {
		return nil
	}
	j.Log.Info(fmt.Sprintf("resuming: %s of %s settled", terminal.Count(t.Settled()),
		terminal.Some(t.Settled()+t.Pending, "edge")),
		Event("resume"), zap.Int64("settled", t.Settled()), zap.Int64("pending", t.Pending))
	return nil
}

// compareWithJournal checks, before a lost stage is built again and lists are written, that the
// inputs are those of the journal, if there is one. Standard input and pipes can be read only once,
// so stageInput checks them.
func (j *Run) compareWithJournal(ctx context.Context) error {
	if j.Journal == nil {
		return nil
	}
	var recorded []source.Input
	for _, digest := range j.Journal.Identity().Inputs {
		recorded = append(recorded, source.Input{Digest: digest})
	}
	found, _, err := j.SourceRequest("").Resolve(ctx)
	switch {
	case errors.Is(err, source.ErrUnreachable):
		return j.InputError(ctx, err)
	case err != nil && j.tryEndAsBefore():
		return nil
	case err != nil:
		return j.cannotStageAgain(err.Error())
	}
	if slices.ContainsFunc(found, func(f source.Found) bool { return f.Once() }) {
		return nil
	}
	for i := range min(len(found), len(recorded)) {
		recorded[i].Name = found[i].Name
	}
	c, err := j.compare(ctx, recorded, nil)
	if err == nil && c.Match == source.Gone {
		err = j.cannotStageAgain(strings.Join(c.Reasons, "; "))
	}
	return err
}

// cannotStageAgain returns the error for a stage and an input of it that can both not be used. Both
// are left as they are.
func (j *Run) cannotStageAgain(why string) error {
	return exit.Errorf(exit.Unexpected, j.Line().Without("fresh").String()+" # after putting the input back",
		"the staged input in %q is gone, damaged or of another version, and cannot be built again: %s; "+
			"nothing was sent",
		j.Dir, why)
}

// stageInput reads the inputs and seals the stage.
func (j *Run) stageInput(ctx context.Context, id checkpoint.Identity) error {
	began := time.Now()
	j.warnOfStage(ctx)
	j.Log.Info("reading the input", Event("read"), zap.Int("inputs", len(j.Inputs)))
	if err := stage.Remove(filepath.Join(j.Dir, folder.Staged), j.FS); err != nil { // one of another version is sealed
		return err
	}
	request := j.stageRequest()
	request.Accept = func(c source.Counts) error {
		id.Inputs = c.Digests()
		if j.Journal == nil {
			return j.checkShards(id)
		}
		return j.SameJob(j.Journal.Identity(), id)
	}
	unsealed, err := source.ReadInputs(ctx, request)
	if err != nil {
		return j.InputError(ctx, err)
	}
	j.Counts = unsealed.Counts
	if err := j.beginJournal(id, unsealed); err != nil {
		return errors.Join(err, unsealed.Abort())
	}
	s, err := unsealed.Seal()
	if err != nil {
		return fmt.Errorf("seal the staged input: %w", err)
	}
	j.Stage = s
	j.describeInput(unsealed, time.Since(began))
	return nil
}

// stageRequest returns the SourceRequest of the run, which also reports progress.
func (j *Run) stageRequest() source.Request {
	r := j.SourceRequest(j.Dir)
	r.Progress = j.watch.reading.Take
	return r
}

// restoreLists writes lists of the reading again that are gone.
func (j *Run) restoreLists(ctx context.Context) error {
	job := j.stageRequest()
	job.Warn = nil // these warnings were given when the input was staged
	gone, err := source.RestoreLists(ctx, job, j.Counts, j.Stage.Totals())
	if err != nil && (context.Cause(ctx) != nil || !errors.Is(err, source.ErrUnusable) &&
		!errors.Is(err, source.ErrUnreachable)) {
		return j.InputError(ctx, err)
	}
	if j.gone = gone; err != nil {
		j.Log.Warn(fmt.Sprintf("gone from %q, and cannot be made again: %s: %v", j.Dir, strings.Join(gone, ", "), err),
			Event("input"))
	}
	return nil
}

// beginJournal creates the journal for what was staged. If there is a journal, it checks that what
// was staged is what the journal records.
func (j *Run) beginJournal(id checkpoint.Identity, unsealed *source.Unsealed) error {
	c, t := unsealed.Counts, unsealed.Totals
	id.Rows, id.Rejected, id.Duplicates = c.Rows, c.Rejected, t.Duplicates
	id.Edges, id.Chunks, id.Added, id.PlanDigest = t.Edges, t.Chunks, t.Added, t.PlanDigest
	if err := j.refuseRejected(); err != nil { // before there is a journal, so that no job has begun
		return err
	}
	if j.Journal != nil {
		if differs := j.Journal.Identity().PlanDiffers(id); differs != "" {
			return fmt.Errorf("build the staged input again: %s", differs)
		}
		return nil
	}
	journal, err := checkpoint.Begin(j.FS, j.Dir, id)
	if err != nil {
		return err
	}
	j.Journal = journal
	// Of two shards that begin at once, none has seen the journal of the other before.
	if err := j.checkShards(id); err != nil {
		j.Journal = nil
		return errors.Join(err, journal.Close(), j.FS.Remove(filepath.Join(j.Dir, checkpoint.FileName)))
	}
	j.watchReading()
	return nil
}

// InputError is like ReadError, and keeps the lists of an input that --duplicates error refuses.
func (j *Run) InputError(ctx context.Context, err error) error {
	j.listed = j.listed || context.Cause(ctx) == nil && errors.As(err, new(*stage.DuplicatesError))
	return j.ReadError(ctx, err)
}
