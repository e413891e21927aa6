package verify

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"go.uber.org/zap"

	"friendmigrate/checkpoint"
	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/inspect"
	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/source/stage"
)

// open opens the journal of the job, and its staged input or one that the verify stages.
func (p *Part) open(ctx context.Context) error {
	journal, err := checkpoint.OpenReadOnly(p.FS, p.Dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err == nil {
		p.Journal = journal
		if err := p.checkJob(nil); err != nil {
			return err
		}
	}
	if p.undone, err = inspect.Undoing(p.Dir); err != nil {
		return err
	}
	if p.undo, err = inspect.OpenUndo(p.Dir); err != nil {
		return err
	}
	if p.own, err = p.OpenStaged(ctx, p.dir()); err != nil {
		return err
	}
	if p.own && p.Journal != nil {
		if err := p.checkJob(p.Counts.Digests()); err != nil {
			return err
		}
	}
	return p.CheckPlan(p.Journal)
}

// checkJob fails unless the folder belongs to the job that the settings ask for. digests are those
// of its inputs; nil: they are compared later.
func (p *Part) checkJob(digests []string) error {
	p.Set.Rows.NoSource = p.updates()
	recorded, want := p.Journal.Identity(), p.Identity()
	if want.Inputs = digests; digests == nil {
		want.Inputs = recorded.Inputs
	}
	if len(p.Inputs) == 0 {
		want.Options = recorded.Options // the job's options say what its rows mean
	} else {
		want.Options[checkpoint.CommandOption] = recorded.Options[checkpoint.CommandOption]
	}
	return p.SameJob(recorded, want)
}

// forgetOwn removes the input that the verify staged, since it is personal data and no longer
// needed.
func (p *Part) forgetOwn() error {
	if !p.own {
		_ = p.FS.Remove(p.dir()) // fails if another verify has left lists there
		return nil
	}
	err := p.Stage.Close()
	p.Stage = nil
	return errors.Join(err, stage.Remove(filepath.Join(p.dir(), folder.Staged), p.FS))
}

// rejectedPath returns the path of the list of rows that were rejected when the input was staged.
func (p *Part) rejectedPath() string {
	if p.own {
		return filepath.Join(p.dir(), folder.Rejected)
	}
	return filepath.Join(p.Dir, folder.Rejected)
}

// findPilot finds out which accounts of --only-accounts have edges.
func (p *Part) findPilot(ctx context.Context) error {
	if p.Pilot == nil || p.Counts.NoRows() {
		return nil
	}
	warning, err := p.Pilot.Find(ctx, p.Stage, nil)
	if warning != "" {
		p.Log.Warn(warning, job.Event("pilot"), zap.Int("unknown", p.Pilot.Unknown()))
	}
	return job.StageError(p.Stage, err)
}

// Seen returns the lists that are not empty, once the results are known.
func (p *Part) Seen() (lists []string) {
	for _, one := range []struct {
		n    int64
		path string
	}{
		{p.Found.Lost(), p.Lists.Missing}, {p.Found.Different, p.Lists.Different},
		{p.Found.Failed, p.ListPath(folder.Failed)}, {p.Found.Rejected, p.rejectedPath()},
	} {
		if _, err := os.Stat(one.path); one.n > 0 && err == nil {
			lists = append(lists, one.path)
		}
	}
	return lists
}
