package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"go.uber.org/zap"

	"friendmigrate/checkpoint"
	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/source"
	"friendmigrate/source/stage"
)

// openStage opens what the job has staged, or stages INPUT in the verify's own folder where there is no such job.
func (j *verifyJob) openStage(ctx context.Context) error {
	s, err := stage.Open(filepath.Join(j.dir, folder.Staged), j.fsys)
	switch {
	case err == nil:
		return j.useStage(ctx, s)
	case len(j.inputs) == 0 && errors.Is(err, fs.ErrNotExist):
		return j.nothingStaged()
	case len(j.inputs) == 0 || !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, stage.ErrDamaged):
		return err
	}
	return j.stageOwn(ctx)
}

// useStage takes the job's stage, if INPUT is what it was made from.
func (j *verifyJob) useStage(ctx context.Context, s *stage.Stage) error {
	meta, err := source.ReadMeta(s)
	if err != nil {
		return errors.Join(err, s.Close())
	}
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

// stageOwn stages INPUT, or takes what an interrupted verify of the same has staged.
func (j *verifyJob) stageOwn(ctx context.Context) error {
	j.own = true
	dir := filepath.Join(j.dir, verifyFolder)
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
	if j.stage, err = p.Finish(); err != nil {
		return err
	}
	if j.journal == nil {
		return nil
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
