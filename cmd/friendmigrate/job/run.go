package job

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"time"

	"go.uber.org/zap"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/report"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/cmd/friendmigrate/terminal"
	"friendmigrate/migrate/disk"
)

// Run is one run of an operation. Its methods belong to one goroutine, except where watch.go says
// otherwise.
type Run struct {
	Job
	Op    Operation
	Reads *folder.Reads // what the command was told to read
	Pilot *Pilot        // nil: all accounts

	home   string // the state folder, while --fresh prepares the new state in Dir
	old    string // where --fresh has moved the old state
	listed bool   // the last line names lists in Dir

	abort   context.CancelCauseFunc // ends the run
	named   *Pilot                  // the accounts of --only-accounts; Pilot once the plan has been asked for them
	gone    []string                // lists that cannot be made again
	over    bool                    // the job was done before, and its stage and inputs are gone
	resumed bool                    // there was a journal before
	watch   *watch
	result  runResult
}

// NewRun returns a run that has opened nothing yet.
func (p *Program) NewRun(op Operation, set settings.Settings, v settings.Values, inputs []string) *Run {
	p.StartingOver.Store(set.Job.Fresh)
	return &Run{
		Job: Job{Program: p, Set: set, Inputs: inputs, SentWord: op.SentWord, Suffix: op.Suffix, FS: p.Volume.FS},
		Op:  op, Reads: p.Reads(v, inputs, set.Rows.Format),
	}
}

// Do runs the operation, from reading the key to writing the report. It returns the ending of a run
// that could begin, or the error of one that could not.
func (j *Run) Do(ctx context.Context) (exit.Ending, error) {
	j.Begin(j.Op.Command, j.Set.Stop.MaxDuration)
	check := j.CheckInputs
	if j.Op.Prepare != nil {
		check = j.CheckBase
	}
	if err := check(); err != nil {
		return exit.Ending{}, err
	}
	if err := j.Ready(ctx); err != nil {
		return exit.Ending{}, err
	}
	return j.withOld(j.run(ctx))
}

func (j *Run) run(ctx context.Context) (ending exit.Ending, err error) {
	began := time.Now()
	ctx, j.abort = context.WithCancelCause(ctx)
	defer j.abort(nil)
	if j.named == nil { // undo has looked them up already
		if j.named, err = j.OpenPilot(ctx); err != nil {
			return exit.Ending{}, err
		}
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	if err := j.openFolder(ctx); err != nil {
		return exit.Ending{}, err
	}
	defer func() {
		if err != nil {
			j.endEarly(err)
			err = errors.Join(err, j.giveUp())
		}
	}()
	j.watch = startWatch(j)
	defer func() { j.watch.Stop() }()
	if err := j.open(ctx); err != nil {
		return exit.Ending{}, err
	}
	j.result = j.send(ctx)
	j.result.began = began
	return j.finish()
}

// open prepares everything for the first call.
func (j *Run) open(ctx context.Context) error {
	prepare := j.Prepare
	if own := j.Op.Prepare; own != nil {
		prepare = func(ctx context.Context) error { return own(ctx, j) }
	}
	if err := prepare(ctx); err != nil {
		return err
	}
	if err := j.loadPilot(ctx, j.named); err != nil {
		return err
	}
	if err := j.reopenFailed(ctx); err != nil {
		return err
	}
	if err := j.checkRoom(); err != nil {
		return err
	}
	return j.swapInFresh()
}

// openFolder creates and locks the folder of the run. A rehearsal is always fresh, so it removes
// another division of its job, but never a real job.
func (j *Run) openFolder(ctx context.Context) error {
	base, neighbours := j.Base(), folder.CheckNeighbours
	if err := WouldOverwrite(j.Reads.CheckState(base), j.Apart()); err != nil {
		return err
	}
	if j.Set.Service.Rehearse {
		neighbours = folder.ForgetOthers
	}
	if err := j.LockFolder(ctx, base, neighbours); err != nil {
		return err
	}
	if j.Op.Folder != "" {
		j.Dir = filepath.Join(j.Dir, j.Op.Folder)
		if err := j.FS.MkdirAll(j.Dir, disk.FolderMode); err != nil {
			return err
		}
	}
	if j.Set.Service.Rehearse {
		return folder.Forget(j.Dir)
	}
	return j.startOver()
}

// OpenClient opens the client of the run.
func (j *Run) OpenClient(ctx context.Context) (err error) {
	after := time.Time{}
	if j.resumed {
		after = j.AfterLastRun(time.Now())
	}
	if j.Client, err = j.NewClient(ctx, after); err != nil {
		return err
	}
	j.ObeyPace(math.Inf(1))
	return nil
}

// reopenFailed reopens failed edges if --retry-failed is set.
func (j *Run) reopenFailed(ctx context.Context) error {
	if !j.Set.Job.RetryFailed {
		return nil
	}
	n, err := j.Journal.Reopen(ctx, j.Set.Job.RetryCodes)
	if err != nil {
		return err
	}
	if open := j.Journal.Totals().Reopened; n == 0 && open > 0 {
		j.Log.Info(fmt.Sprintf("%s of an earlier --retry-failed %s still open: no other failed edge is sent again",
			terminal.Some(open, "edge"), terminal.Verb(open, "is", "are")), Event("reopen"), zap.Int64("open", open))
		return nil
	}
	if n == 0 {
		text := "--retry-failed has nothing to send again: no edge failed"
		if failed := report.Codes(j.Journal.Totals().FailedByCode); failed != "" {
			text += " with these codes, others did" + failed
		}
		j.Log.Warn(text, Event("reopen"), zap.Int64("edges", 0))
		return nil
	}
	j.Log.Info(terminal.Some(n, "failed edge")+" to be sent again", Event("reopen"), zap.Int64("edges", n))
	if j.Pilot != nil { // its failed edges were counted as settled
		_, err = j.countPilot(ctx, j.Pilot)
	}
	return err
}
