package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"go.uber.org/zap"

	"friendmigrate/checkpoint"
	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/report"
	"friendmigrate/cmd/friendmigrate/screen"
	"friendmigrate/source"
	"friendmigrate/source/stage"
)

// openStage opens what the job has staged, or stages INPUT in the verify's own folder where there is no such job or its stage cannot be used.
func (j *verifyJob) openStage(ctx context.Context) error {
	s, meta, err := source.OpenStaged(filepath.Join(j.dir, folder.Staged), j.fsys)
	switch damaged := errors.Is(err, stage.ErrDamaged); {
	case err == nil:
		err = j.useStage(ctx, s, meta)
	case !damaged && !errors.Is(err, fs.ErrNotExist):
	case len(j.inputs) > 0:
		err = j.stageOwn(ctx)
	case damaged:
		err = &exit.Error{Code: exit.Unexpected, Err: fmt.Errorf("%w; the INPUT that it was made from does as well; nothing was asked", err), Hint: j.withInputs()}
	default:
		err = j.nothingStaged()
	}
	if err != nil || j.journal == nil {
		return err
	}
	if recorded := j.journal.Identity().PlanDigest; recorded != j.stage.Totals().PlanDigest {
		return fmt.Errorf("the staged input in %q is not the one that the journal beside it speaks of; nothing was asked", j.dir)
	}
	return nil
}

// stagedIn is the folder in which the verify's rows were staged, with the list of those that were rejected.
func (j *verifyJob) stagedIn() string {
	if j.own {
		return filepath.Join(j.dir, folder.Verify)
	}
	return j.dir
}

// withInputs is the same command with the inputs of the job, as far as its report knows them.
func (j *verifyJob) withInputs() string {
	names := []string{"INPUT"}
	if r, err := report.Read(filepath.Join(j.dir, folder.Report)); err == nil && len(r.Job.Inputs) > 0 {
		names = nil
		for _, in := range r.Job.Inputs {
			names = append(names, in.Name)
		}
	}
	return j.line.Of(names...).String()
}

// useStage takes the job's stage, if INPUT is what it was made from.
func (j *verifyJob) useStage(ctx context.Context, s *stage.Stage, meta source.Meta) error {
	j.stage, j.counts = s, meta.Counts
	if len(j.inputs) == 0 {
		return nil
	}
	c, err := source.Compare(ctx, meta.Counts.Inputs, j.arguments(j.p.std.in))
	switch {
	case err != nil:
		return j.readError(ctx, err)
	case c.Verdict == source.Different:
		return j.otherJob(c.Reasons)
	}
	return j.leftOut(ctx, c.LeftOut)
}

// leftOut says of a stage that was made before what its folders hold beside it, and that it is empty.
func (j *verifyJob) leftOut(ctx context.Context, left source.LeftOut) error {
	if text := left.Warning(); text != "" {
		j.log.Warn(text, event(eventInput))
	}
	return j.readError(ctx, j.counts.CheckEmpty(j.set.Rows))
}

// loadPilot reads --only-accounts and sees which of them have edges.
func (j *verifyJob) loadPilot() error {
	if j.pilot == nil {
		return nil
	}
	for from := range j.pilot.accounts {
		if !j.pilot.mine(from) {
			continue
		}
		_, known, err := j.stage.Find(from)
		if err != nil {
			return err
		}
		j.pilot.accounts[from] = known
	}
	named, unknown := j.pilot.named(), j.pilot.unknown()
	switch {
	case unknown == named && j.pilot.shard.Count == 0:
		return j.pilotOfNobody()
	case unknown > 0:
		j.log.Warn(fmt.Sprintf("--only-accounts: %d of %s have no edge", unknown, screen.Some(int64(named), "account")), event(eventPilot), zap.Int("accounts", named), zap.Int("unknown", unknown))
	}
	return nil
}

func (j *verifyJob) pilotOfNobody() error {
	return exit.Because(exit.Unusable, fmt.Errorf("--only-accounts %q: none of its %s has an edge here; nothing was asked",
		j.set.Job.OnlyAccounts, screen.Some(int64(len(j.pilot.accounts)), "account")))
}

// stageOwn stages INPUT, or takes what an interrupted verify of the same has staged.
func (j *verifyJob) stageOwn(ctx context.Context) error {
	j.own = true
	dir := filepath.Join(j.dir, folder.Verify)
	if j.reuseOwn(ctx, dir) {
		return nil
	}
	if err := stage.Remove(filepath.Join(dir, folder.Staged), j.fsys); err != nil {
		return err
	}
	j.log.Info("reading the input", event(eventRead), zap.Int("inputs", len(j.inputs)))
	p, err := source.Stage(ctx, source.Job{
		Inputs: j.inputs, Stdin: j.p.std.in, Objects: j.store, StateDir: dir, Options: j.set.Rows, Shard: j.set.Job.Shard.Index, Shards: j.set.Job.Shard.Count,
		Memory: stagingShare(j.set.Job.Memory), FS: j.fsys, Warn: func(message string) { j.log.Warn(message, event(eventInput)) },
	})
	if err != nil {
		return j.readError(ctx, err)
	}
	if j.counts = p.Counts; j.counts.Rejected > 0 {
		j.log.Warn(fmt.Sprintf("%s rejected and will not be asked about: see %s", wasWere(j.counts.Rejected, "row"), filepath.Join(dir, folder.Rejected)), event(eventRejected))
	}
	if j.stage, err = p.Finish(); err != nil || j.journal == nil {
		return err
	}
	recorded, want := j.journal.Identity(), j.identity()
	for _, in := range j.counts.Inputs {
		want.Inputs = append(want.Inputs, in.Digest)
	}
	if differences := recorded.Differs(want); len(differences) > 0 {
		return j.otherJob(differences)
	}
	return nil
}

// reuseOwn reports whether the folder holds a stage of this very input.
func (j *verifyJob) reuseOwn(ctx context.Context, dir string) bool {
	s, meta, err := source.OpenStaged(filepath.Join(dir, folder.Staged), j.fsys)
	if err != nil {
		return false
	}
	was, is := checkpoint.Identity{Options: meta.Options, Shard: meta.Shard, Shards: meta.Shards}, j.identity()
	is.SDKAppID, is.Target = 0, ""
	c, err := source.Compare(ctx, meta.Counts.Inputs, j.arguments(nil))
	if err == nil && c.Verdict == source.Same && len(was.Differs(is)) == 0 && !contains(j.inputs, "-") {
		j.stage, j.counts = s, meta.Counts
		return true
	}
	_ = s.Close()
	return false
}
