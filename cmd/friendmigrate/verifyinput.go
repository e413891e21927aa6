package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"go.uber.org/zap"

	"friendmigrate/checkpoint"
	"friendmigrate/cmd/friendmigrate/events"
	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/cmd/friendmigrate/report"
	"friendmigrate/cmd/friendmigrate/screen"
	"friendmigrate/source"
	"friendmigrate/source/stage"
)

// openFolder takes the state folder: no import may run on it meanwhile, since both together would
// exceed the rate.
func (j *verifyJob) openFolder(ctx context.Context) error {
	base := j.set.Job.State
	if info, err := os.Stat(base); err == nil && !info.IsDir() {
		return &exit.Error{Code: exit.Unusable, Err: fmt.Errorf("--state is %q, which is not a folder", base),
			Hint: j.p.Elsewhere()}
	}
	if err := folder.CheckNeighbours(base, j.set.Job.Shard); err != nil {
		if errors.Is(err, folder.ErrOther) {
			return &exit.Error{Code: exit.OtherJob, Err: err, Hint: j.elsewhere()}
		}
		return err
	}
	j.dir = folder.Of(base, j.set.Job.Shard)
	if _, err := os.Stat(j.dir); errors.Is(err, fs.ErrNotExist) {
		if len(j.inputs) == 0 {
			return j.nothingStaged()
		}
		if _, _, err := j.arguments(nil).Resolve(ctx); err != nil {
			return exit.Because(exit.Unusable, j.readError(ctx, err))
		}
	}
	if j.lock != nil {
		return nil
	}
	return j.takeLock()
}

func (j *verifyJob) takeLock() (err error) {
	j.lock, err = checkpoint.TryLock(j.dir)
	if err != nil {
		return err
	}
	return j.p.ServeMetrics(j.set.Eyes, j.log)
}

func (j *verifyJob) nothingStaged() error {
	return &exit.Error{
		Code: exit.Unusable, Hint: j.withInputs(),
		Err: fmt.Errorf("there is no staged job in %q: name the INPUT that is to be verified, or the job's --state", j.dir),
	}
}

// elsewhere is the same command with another state folder.
func (j *verifyJob) elsewhere() string {
	return j.line.With("state", job.Beside(j.set.Job.State, "-verify")).String()
}

// openJob reads what the job has on record, if there is one, and sees that it is this one.
func (j *verifyJob) openJob() error {
	journal, err := checkpoint.Open(j.fsys, j.dir, checkpoint.Options{ReadOnly: true})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	j.journal = journal
	want := j.identity()
	recorded := journal.Identity()
	want.Inputs = recorded.Inputs // compared when the stage is opened
	if len(j.inputs) == 0 {
		want.Options = recorded.Options // the job says what its rows mean
	}
	if differences := recorded.Differs(want); len(differences) > 0 {
		return j.otherJob(differences)
	}
	return nil
}

func (j *verifyJob) identity() checkpoint.Identity {
	return checkpoint.Identity{
		SDKAppID: j.set.Service.SDKAppID, Target: j.set.Service.Target(), Options: j.set.Rows.Canonical(),
		Shard: j.set.Job.Shard.Index, Shards: j.set.Job.Shard.Count,
	}
}

func (j *verifyJob) otherJob(differences []string) error {
	return &exit.Error{
		Code: exit.OtherJob, Hint: j.elsewhere(),
		Err: fmt.Errorf("the state folder %q belongs to another job: %s; nothing was asked", j.dir,
			strings.Join(differences, "; ")),
	}
}

func (j *verifyJob) readError(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return &exit.Error{Code: exit.Unfinished, Err: fmt.Errorf("stopped by %w before this run asked anything", cause),
			Hint: j.p.ResumeLine().String()}
	}
	if errors.Is(err, source.ErrUnusable) {
		return exit.Because(exit.Unusable, err)
	}
	if errors.Is(err, source.ErrUnreachable) {
		return &exit.Error{Code: exit.Unfinished, Err: fmt.Errorf("%w; nothing was asked by this run", err),
			Hint: j.p.ResumeLine().String()}
	}
	return err
}

// arguments are the inputs as package source wants them.
func (j *verifyJob) arguments(stdin io.Reader) source.Arguments {
	rows := j.set.Rows
	return source.Arguments{
		Inputs: j.inputs, Format: rows.Format, AllowEmpty: rows.AllowEmpty, Stdin: stdin, Objects: j.store, FS: j.fsys,
		Waits: events.Warner(j.log, events.Waits),
	}
}

// openStage opens what the job has staged, or stages INPUT in the verify's own folder where there
// is no such job or its stage cannot be used.
func (j *verifyJob) openStage(ctx context.Context) error {
	s, meta, err := source.OpenStaged(filepath.Join(j.dir, folder.Staged), j.fsys)
	switch damaged := errors.Is(err, stage.ErrDamaged); {
	case err == nil:
		err = j.useStage(ctx, s, meta)
	case !damaged && !errors.Is(err, fs.ErrNotExist):
	case len(j.inputs) > 0:
		err = j.stageOwn(ctx)
	case damaged:
		err = &exit.Error{Code: exit.Unexpected, Hint: j.withInputs(),
			Err: fmt.Errorf("%w; the INPUT that it was made from does as well; nothing was asked", err)}
	default:
		err = j.nothingStaged()
	}
	if err != nil || j.journal == nil {
		return err
	}
	if recorded := j.journal.Identity().PlanDigest; recorded != j.stage.Totals().PlanDigest {
		return fmt.Errorf("the staged input in %q is not the one that the journal beside it speaks of; nothing was asked",
			j.dir)
	}
	return nil
}

// stagedIn is the folder in which the verify's rows were staged, with the list of those that were
// rejected.
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
	c, err := source.Compare(ctx, meta.Counts.Inputs, j.arguments(j.p.Std.In))
	switch {
	case err != nil:
		return j.readError(ctx, err)
	case c.Verdict == source.Different:
		return j.otherJob(c.Reasons)
	case c.Verdict == source.Gone:
		j.log.Warn("an input is gone or cannot be reached; the edges are those that the job has staged",
			events.InputGone, zap.Strings("why", c.Reasons))
	}
	return j.leftOut(ctx, c.LeftOut)
}

// leftOut says of a stage that was made before what its folders hold beside it, and that it is
// empty.
func (j *verifyJob) leftOut(ctx context.Context, left source.LeftOut) error {
	if text := left.Warning(); text != "" {
		j.log.Warn(text, events.Input)
	}
	return j.readError(ctx, j.counts.CheckEmpty(j.set.Rows))
}

// loadPilot sees which accounts of --only-accounts have edges.
func (j *verifyJob) loadPilot(ctx context.Context) error {
	if j.pilot == nil || j.counts.NoRows() {
		return nil
	}
	warning, err := j.pilot.find(ctx, j.stage, nil)
	if warning != "" {
		j.log.Warn(warning, events.Pilot, zap.Int("unknown", j.pilot.unknown()))
	}
	return err
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
	j.log.Info("reading the input", events.Read, zap.Int("inputs", len(j.inputs)))
	p, err := source.Stage(ctx, source.Job{
		Inputs: j.inputs, Stdin: j.p.Std.In, Objects: j.store, StateDir: dir, Options: j.set.Rows,
		Shard: j.set.Job.Shard.Index, Shards: j.set.Job.Shard.Count,
		Memory: stagingShare(j.set.Job.Memory), FS: j.fsys, Waits: events.Warner(j.log, events.Waits),
		Warn: events.Warner(j.log, events.Input),
	})
	if err != nil {
		return j.readError(ctx, err)
	}
	if j.counts = p.Counts; j.counts.Rejected > 0 {
		j.log.Warn(fmt.Sprintf("%s rejected and will not be asked about: see %s", screen.WasWere(j.counts.Rejected, "row"),
			filepath.Join(dir, folder.Rejected)), events.Rejected)
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
