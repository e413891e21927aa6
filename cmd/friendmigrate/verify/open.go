package verify

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"go.uber.org/zap"

	"friendmigrate/checkpoint"
	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/cmd/friendmigrate/report"
	"friendmigrate/cmd/friendmigrate/terminal"
	"friendmigrate/source"
	"friendmigrate/source/stage"
)

// take takes the state folder: no import may run on it meanwhile, because both together would
// exceed the rate.
func (p *Part) take(ctx context.Context) error {
	err := p.CheckBase()
	if err == nil {
		err = p.Take(ctx, p.Set.Job.State, folder.CheckNeighbours)
	}
	if errors.Is(err, job.ErrNoFolder) {
		return p.nothingStaged()
	}
	return err
}

// open opens what the folder holds: the journal of the job, and its staged input or one of the
// verify's own.
func (p *Part) open(ctx context.Context) error {
	journal, err := checkpoint.Open(p.FS, p.Dir, checkpoint.Options{ReadOnly: true})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err == nil {
		p.Journal = journal
		if err := p.checkJob(nil); err != nil {
			return err
		}
	}
	if err := p.openStage(ctx); err != nil {
		return err
	}
	return p.CheckPlan(p.Journal)
}

// checkJob sees that the folder belongs to the job that the settings ask for. digests are of its
// inputs; nil: they are compared later.
func (p *Part) checkJob(digests []string) error {
	recorded, want := p.Journal.Identity(), p.Identity()
	if want.Inputs = digests; digests == nil {
		want.Inputs = recorded.Inputs
	}
	if len(p.Inputs) == 0 {
		want.Options = recorded.Options // the job says what its rows mean
	}
	if differences := recorded.Differs(want); len(differences) > 0 {
		return p.OtherJob(differences)
	}
	return nil
}

// openStage opens what the job has staged. It stages INPUT in the verify's own folder where no job
// has, or where that stage cannot be used.
func (p *Part) openStage(ctx context.Context) error {
	s, meta, err := source.OpenStaged(filepath.Join(p.Dir, folder.Staged), p.FS)
	switch damaged := errors.Is(err, stage.ErrDamaged); {
	case err == nil:
		if p.Stage, p.Counts = s, meta.Counts; len(p.Inputs) > 0 {
			_, err = p.CompareInputs(ctx, p.Counts.Inputs)
		}
		return err
	case !damaged && !errors.Is(err, fs.ErrNotExist):
		return err
	case len(p.Inputs) > 0:
		return p.stageOwn(ctx)
	case damaged:
		return exit.Errorf(exit.Unexpected, p.withInputs(),
			"%w; name the INPUT that it was made from; nothing was asked", err)
	}
	return p.nothingStaged()
}

func (p *Part) nothingStaged() error {
	return exit.Errorf(exit.Unusable, p.withInputs(),
		"there is no staged job in %q: name the INPUT to verify, or the job's --state", p.Dir)
}

// withInputs is the same command with the inputs of the job, as far as its report knows them.
func (p *Part) withInputs() string {
	names := []string{"INPUT"}
	if r, err := report.Read(filepath.Join(p.Dir, folder.Report)); err == nil && len(r.Job.Inputs) > 0 {
		names = nil
		for _, in := range r.Job.Inputs {
			names = append(names, in.Name)
		}
	}
	return p.Line().Of(names...).String()
}

// stageOwn stages INPUT. A verify that was interrupted reads it again and continues, because the
// same input gives the same plan.
func (p *Part) stageOwn(ctx context.Context) error {
	p.own = true
	if err := stage.Remove(filepath.Join(p.dir(), folder.Staged), p.FS); err != nil {
		return err
	}
	p.Log.Info("reading the input", job.EventRead, zap.Int("inputs", len(p.Inputs)))
	pending, err := source.Stage(ctx, p.Reading(p.dir()))
	if err != nil {
		return p.ReadError(ctx, err)
	}
	if p.Counts = pending.Counts; p.Counts.Rejected > 0 {
		p.Log.Warn(fmt.Sprintf("%s rejected and will not be asked about: see %s",
			terminal.WasWere(p.Counts.Rejected, "row"), p.rejectedPath()), job.EventRejected)
	}
	if p.Stage, err = pending.Finish(); err != nil || p.Journal == nil {
		return err
	}
	digests := []string{}
	for _, in := range p.Counts.Inputs {
		digests = append(digests, in.Digest)
	}
	return p.checkJob(digests)
}

// forgetOwn removes what the verify has staged for itself: it is personal data, and of no more use.
func (p *Part) forgetOwn() error {
	if !p.own {
		_ = p.FS.Remove(p.dir()) // it is empty, unless another verify has left lists there
		return nil
	}
	err := p.Stage.Close()
	p.Stage = nil
	return errors.Join(err, stage.Remove(filepath.Join(p.dir(), folder.Staged), p.FS))
}

// rejectedPath is the list of rows that were rejected when the input was staged.
func (p *Part) rejectedPath() string {
	if p.own {
		return filepath.Join(p.dir(), folder.Rejected)
	}
	return filepath.Join(p.Dir, folder.Rejected)
}

// findPilot sees which accounts of --only-accounts have edges.
func (p *Part) findPilot(ctx context.Context) error {
	if p.Pilot == nil || p.Counts.NoRows() {
		return nil
	}
	warning, err := p.Pilot.Find(ctx, p.Stage, nil)
	if warning != "" {
		p.Log.Warn(warning, job.EventPilot, zap.Int("unknown", p.Pilot.Unknown()))
	}
	return err
}

// Seen are the lists that hold something, once it is known what was found.
func (p *Part) Seen() (lists []string) {
	for _, one := range []struct {
		n    int64
		path string
	}{
		{p.Found.Missing, p.Lists.Missing}, {p.Found.Different, p.Lists.Different},
		{p.Found.Failed, p.path(folder.Failed)}, {p.Found.Rejected, p.rejectedPath()},
	} {
		if _, err := os.Stat(one.path); one.n > 0 && err == nil {
			lists = append(lists, one.path)
		}
	}
	return lists
}
