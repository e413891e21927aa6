package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"go.uber.org/zap"

	"friendmigrate/checkpoint"
	"friendmigrate/cmd/friendmigrate/events"
	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/cmd/friendmigrate/report"
	"friendmigrate/cmd/friendmigrate/terminal"
	"friendmigrate/source"
	"friendmigrate/source/stage"
)

// openFolder takes the state folder: no import may run on it meanwhile, since both together would
// exceed the rate.
func (j *verifyJob) openFolder(ctx context.Context) error {
	err := j.CheckBase()
	if err == nil {
		err = j.Take(ctx, j.Set.Job.State, folder.CheckNeighbours)
	}
	if errors.Is(err, job.ErrNoFolder) {
		return j.nothingStaged()
	}
	return err
}

func (j *verifyJob) nothingStaged() error {
	return &exit.Error{
		Code: exit.Unusable, Hint: j.withInputs(),
		Err: fmt.Errorf("there is no staged job in %q: name the INPUT that is to be verified, or the job's --state",
			j.Dir),
	}
}

// openJob reads what the job has on record, if there is one, and sees that it is this one.
func (j *verifyJob) openJob() error {
	journal, err := checkpoint.Open(j.FS, j.Dir, checkpoint.Options{ReadOnly: true})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	j.Journal = journal
	want := j.Identity()
	recorded := journal.Identity()
	want.Inputs = recorded.Inputs // compared when the stage is opened
	if len(j.Inputs) == 0 {
		want.Options = recorded.Options // the job says what its rows mean
	}
	if differences := recorded.Differs(want); len(differences) > 0 {
		return j.OtherJob(differences)
	}
	return nil
}

// openStage opens what the job has staged, or stages INPUT in the verify's own folder where there
// is no such job or its stage cannot be used.
func (j *verifyJob) openStage(ctx context.Context) error {
	s, meta, err := source.OpenStaged(filepath.Join(j.Dir, folder.Staged), j.FS)
	switch damaged := errors.Is(err, stage.ErrDamaged); {
	case err == nil:
		err = j.useStage(ctx, s, meta)
	case !damaged && !errors.Is(err, fs.ErrNotExist):
	case len(j.Inputs) > 0:
		err = j.stageOwn(ctx)
	case damaged:
		err = &exit.Error{Code: exit.Unexpected, Hint: j.withInputs(),
			Err: fmt.Errorf("%w; the INPUT that it was made from does as well; nothing was asked", err)}
	default:
		err = j.nothingStaged()
	}
	if err != nil || j.Journal == nil {
		return err
	}
	if recorded := j.Journal.Identity().PlanDigest; recorded != j.Stage.Totals().PlanDigest {
		return fmt.Errorf("the staged input in %q is not the one that the journal beside it speaks of; nothing was asked",
			j.Dir)
	}
	return nil
}

// stagedIn is the folder in which the verify's rows were staged, with the list of those that were
// rejected.
func (j *verifyJob) stagedIn() string {
	if j.own {
		return filepath.Join(j.Dir, folder.Verify)
	}
	return j.Dir
}

// withInputs is the same command with the inputs of the job, as far as its report knows them.
func (j *verifyJob) withInputs() string {
	names := []string{"INPUT"}
	if r, err := report.Read(filepath.Join(j.Dir, folder.Report)); err == nil && len(r.Job.Inputs) > 0 {
		names = nil
		for _, in := range r.Job.Inputs {
			names = append(names, in.Name)
		}
	}
	return j.Line().Of(names...).String()
}

// useStage takes the job's stage, if INPUT is what it was made from.
func (j *verifyJob) useStage(ctx context.Context, s *stage.Stage, meta source.Meta) error {
	j.Stage, j.Counts = s, meta.Counts
	if len(j.Inputs) == 0 {
		return nil
	}
	c, err := source.Compare(ctx, meta.Counts.Inputs, j.Arguments(j.Std.In))
	switch {
	case err != nil:
		return j.ReadError(ctx, err)
	case c.Verdict == source.Different:
		return j.OtherJob(c.Reasons)
	case c.Verdict == source.Gone:
		j.Log.Warn("an input is gone or cannot be reached; the edges are those that the job has staged",
			events.InputGone, zap.Strings("why", c.Reasons))
	}
	return j.leftOut(ctx, c.LeftOut)
}

// leftOut says of a stage that was made before what its folders hold beside it, and that it is
// empty.
func (j *verifyJob) leftOut(ctx context.Context, left source.LeftOut) error {
	if text := left.Warning(); text != "" {
		j.Log.Warn(text, events.Input)
	}
	return j.ReadError(ctx, j.Counts.CheckEmpty(j.Set.Rows))
}

// loadPilot sees which accounts of --only-accounts have edges.
func (j *verifyJob) loadPilot(ctx context.Context) error {
	if j.pilot == nil || j.Counts.NoRows() {
		return nil
	}
	warning, err := j.pilot.Find(ctx, j.Stage, nil)
	if warning != "" {
		j.Log.Warn(warning, events.Pilot, zap.Int("unknown", j.pilot.Unknown()))
	}
	return err
}

// stageOwn stages INPUT, or takes what an interrupted verify of the same has staged.
func (j *verifyJob) stageOwn(ctx context.Context) error {
	j.own = true
	dir := filepath.Join(j.Dir, folder.Verify)
	if j.reuseOwn(ctx, dir) {
		return nil
	}
	if err := stage.Remove(filepath.Join(dir, folder.Staged), j.FS); err != nil {
		return err
	}
	j.Log.Info("reading the input", events.Read, zap.Int("inputs", len(j.Inputs)))
	p, err := source.Stage(ctx, j.Reading(dir))
	if err != nil {
		return j.ReadError(ctx, err)
	}
	if j.Counts = p.Counts; j.Counts.Rejected > 0 {
		j.Log.Warn(fmt.Sprintf("%s rejected and will not be asked about: see %s", terminal.WasWere(j.Counts.Rejected,
			"row"),
			filepath.Join(dir, folder.Rejected)), events.Rejected)
	}
	if j.Stage, err = p.Finish(); err != nil || j.Journal == nil {
		return err
	}
	recorded, want := j.Journal.Identity(), j.Identity()
	for _, in := range j.Counts.Inputs {
		want.Inputs = append(want.Inputs, in.Digest)
	}
	if differences := recorded.Differs(want); len(differences) > 0 {
		return j.OtherJob(differences)
	}
	return nil
}

// reuseOwn reports whether the folder holds a stage of this very input.
func (j *verifyJob) reuseOwn(ctx context.Context, dir string) bool {
	s, meta, err := source.OpenStaged(filepath.Join(dir, folder.Staged), j.FS)
	if err != nil {
		return false
	}
	was, is := checkpoint.Identity{Options: meta.Options, Shard: meta.Shard, Shards: meta.Shards}, j.Identity()
	is.SDKAppID, is.Target = 0, ""
	c, err := source.Compare(ctx, meta.Counts.Inputs, j.Arguments(nil))
	if err == nil && c.Verdict == source.Same && len(was.Differs(is)) == 0 && !slices.Contains(j.Inputs, "-") {
		j.Stage, j.Counts = s, meta.Counts
		return true
	}
	_ = s.Close()
	return false
}
