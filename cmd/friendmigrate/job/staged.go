package job

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
	"friendmigrate/cmd/friendmigrate/inspect"
	"friendmigrate/cmd/friendmigrate/progress"
	"friendmigrate/cmd/friendmigrate/terminal"
	"friendmigrate/source"
	"friendmigrate/source/stage"
)

// OpenStaged opens the stage of the job, for a command that only asks about it. If there is none,
// or it cannot be used, INPUT is staged in the folder own.
func (j *Job) OpenStaged(ctx context.Context, own string) (isOwn bool, err error) {
	s, meta, err := source.OpenStaged(filepath.Join(j.Dir, folder.Staged), j.FS)
	switch damaged := errors.Is(err, stage.ErrDamaged); {
	case err == nil:
		j.Stage, j.Counts = s, meta.Counts
		if there, err := checkpoint.Exists(j.FS, j.Dir); err != nil || !there {
			return false, errors.Join(err, inspect.LostJournal(j.Dir))
		}
		if len(j.Inputs) == 0 {
			return false, nil
		}
		recorded := j.Identity()
		recorded.Options, recorded.Shard, recorded.Shards = meta.Options, meta.Shard, meta.Shards
		if err := j.SameJob(recorded, j.Identity()); err != nil {
			return false, err
		}
		_, err = j.CompareInputs(ctx, j.Counts.Inputs)
		return false, err
	case !damaged && !errors.Is(err, fs.ErrNotExist):
		return false, err
	case len(j.Inputs) > 0:
		return true, j.stageOwn(ctx, own)
	case damaged:
		return false, exit.Errorf(exit.Unexpected, j.Again().On(j.Line()).String(),
			"%w; name the INPUT that it was made from; nothing was %s", err, j.SentWord)
	}
	return false, j.nothingStaged()
}

// StageError marks a stage as damaged if err says that it is, so that the next run builds it again.
func StageError(s *stage.Stage, err error) error {
	if !errors.Is(err, stage.ErrDamaged) {
		return err
	}
	return errors.Join(fmt.Errorf("%w; the next run builds it again from the input", err), s.MarkDamaged())
}

func (j *Job) nothingStaged() error {
	return exit.Errorf(exit.Unusable, j.Again().On(j.Line()).String(),
		"there is no staged job in %q: name the INPUT that is meant, or the job's --state", j.Dir)
}

// Again returns how the job in the state folder was called, for hints.
func (j *Job) Again() inspect.Again {
	jobs, err := inspect.Open(j.Dir)
	if err != nil {
		return inspect.AgainOf(nil, source.Counts{})
	}
	defer jobs.Close() // read only
	return jobs.Again()
}

// stageOwn stages INPUT. A command that was interrupted reads it again and continues, because the
// same input gives the same plan.
func (j *Job) stageOwn(ctx context.Context, own string) error {
	if err := stage.Remove(filepath.Join(own, folder.Staged), j.FS); err != nil {
		return err
	}
	j.Log.Info("reading the input", Event("read"), zap.Int("inputs", len(j.Inputs)))
	var reading Reading
	j.View.Watch(progress.Work{Fill: reading.Fill})
	show := j.StartShow(nil)
	defer show.Stop()
	input := j.SourceRequest(own)
	input.Progress = reading.Take
	unsealed, err := source.ReadInputs(ctx, input)
	if err != nil {
		return j.ReadError(ctx, err)
	}
	if j.Counts = unsealed.Counts; j.Counts.Rejected > 0 {
		j.Log.Warn(fmt.Sprintf("%s rejected and will not be asked about: see %s",
			terminal.WasWere(j.Counts.Rejected, "row"), filepath.Join(own, folder.Rejected)), Event("rejected"))
	}
	j.Stage, err = unsealed.Seal()
	return err
}
