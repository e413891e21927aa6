package job

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"friendmigrate/checkpoint"
	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/inspect"
	"friendmigrate/cmd/friendmigrate/report"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/cmd/friendmigrate/terminal"
	"friendmigrate/migrate"
	"friendmigrate/migrate/disk"
	"friendmigrate/sink"
	"friendmigrate/source"
)

// Undo deletes, by friend_delete, the edges that the job in --state has imported. Its own journal
// is in a folder next to the job's journal and has the same chunks. It settles only these edges.
func (p *Program) Undo(ctx context.Context, set settings.Settings, v settings.Values) (e exit.Ending, err error) {
	var of inspect.Created
	r := p.NewRun(Operation{
		Command: "undo", Folder: folder.Undo, Suffix: "-2",
		Doing: "deleting", Did: "deleted", Settled: "deleted", SentWord: "deleted", EdgeBytes: sink.DeleteBytes,
		Prepare: func(ctx context.Context, r *Run) error { return r.prepareUndo(ctx, &of) },
		Caller:  func(r *Run) migrate.Caller { return migrate.CallerFunc(r.Client.Delete) },
		Part:    func(ordinal int64, _ int) (migrate.EdgeSet, error) { return of.Of(context.Background(), ordinal) },
	}, set, v, nil)
	dir := folder.Of(set.Job.State, set.Job.Shard)
	if err := r.checkUndo(ctx, dir); err != nil {
		return e, err
	}
	e, err = r.Do(ctx)
	if of.Journal != nil {
		err = errors.Join(err, of.Journal.Close())
	}
	return e, errors.Join(err, reportUndone(dir))
}

// prepareUndo opens the job, its stage, the client and the undo's own journal, which it creates if
// it does not exist.
func (j *Run) prepareUndo(ctx context.Context, of *inspect.Created) (err error) {
	dir := filepath.Dir(j.Dir)
	if of.Journal, err = checkpoint.Open(j.FS, dir, checkpoint.Options{ReadOnly: true}); err != nil {
		return err
	}
	id, want := of.Journal.Identity(), j.Identity()
	want.Inputs, want.Options = id.Inputs, id.Options
	if differences := id.Differs(want); len(differences) > 0 {
		return j.OtherJob(differences)
	}
	s, meta, err := source.OpenStaged(filepath.Join(dir, folder.Staged), j.FS)
	if err != nil {
		return fmt.Errorf("%w; nothing was deleted", err)
	}
	j.Stage, j.Counts = s, meta.Counts
	if err := j.CheckPlan(of.Journal); err != nil {
		return err
	}
	if err := j.OpenJournal(); err != nil {
		return err
	}
	if j.Journal == nil {
		t := of.Journal.Totals()
		id.Options = map[string]string{checkpoint.CommandOption: "undo"}
		id.Edges, id.Added, id.Rows = t.Imported, t.Added.Imported, t.Imported-t.Added.Imported
		id.Rejected, id.Duplicates = 0, 0
		if j.Journal, err = checkpoint.Begin(j.FS, j.Dir, id); err != nil {
			return err
		}
	}
	j.resumed = true // the process of the import may have sent calls until just now
	return j.OpenClient(ctx)
}

// evident reports whether the journal or a probe proves that the edges that the service reported as
// imported were new.
func evident(journal *checkpoint.Journal, probed folder.Probed) bool {
	id, asked := journal.Identity(), 0
	if probed.Already && probed.SDKAppID == id.SDKAppID && probed.Target == id.Target {
		return true
	}
	runs := journal.Runs()
	for _, run := range runs {
		if run.Start.OnlyMissing {
			asked++
		}
	}
	switch asked {
	case len(runs):
		return true
	case 0:
		return journal.Totals().Already > 0
	}
	return false // it is not known which runs got the answer "already"
}

// reportUndone writes into the report of the job in dir how much of it is undone.
func reportUndone(dir string) error {
	r, err := report.Read(filepath.Join(dir, folder.Report))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		r.Undone, err = inspect.Undoing(dir)
	}
	if err = errors.Join(err, WriteReport(disk.OS{}, dir, r)); err != nil {
		return exit.Errorf(exit.Unexpected, "", "say in the report that the job was undone: %w", err)
	}
	return nil
}

// checkUndo checks, without changing anything, whether the job in dir can be undone. Without --yes
// it returns an error that says what undo would delete.
func (j *Run) checkUndo(ctx context.Context, dir string) (err error) {
	jobs, err := inspect.Open(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, jobs.Close()) }()
	probed, err := folder.ReadProbed(j.Set.Job.State)
	if err != nil {
		return err
	}
	of := jobs[0]
	switch {
	case of.Shard != (settings.Shard{}):
		return Unusable(j.Line().With("shard", of.Shard.String()),
			"%q holds a job in shards: name the one to undo, one after the other", dir)
	case of.Journal == nil:
		return fmt.Errorf("%w in %q", folder.ErrNoJob, of.Dir)
	}
	id := of.Journal.Identity()
	switch {
	case id.Command() != "import":
		return Unusable(j.Line().With("state", "FOLDER"), "%q is the state of an %s, which created no friendship",
			of.Dir, id.Command())
	case of.Stage == nil:
		again := jobs.Again()
		hint := again.On(j.As(j.Line(), again.Command, "only-accounts", "retry-failed")).String()
		return exit.Errorf(exit.Unexpected, hint+" # stages the input again, and sends nothing twice",
			"the staged input of %q is gone, so nobody knows what to delete", of.Dir)
	case of.Undone == nil && !j.Set.AssumeNew && !evident(of.Journal, probed):
		found, next := "nothing shows", j.As(j.Line(), "doctor", "json").With("probe", "FROM,TO")
		if probed.SDKAppID == id.SDKAppID && probed.Target == id.Target {
			found, next = "doctor --probe did not show", j.Line().With("assume-new", "")
		}
		return Unusable(next, "%s that the edges that %q imported were new: undo would delete friendships that this "+
			"app had before and answered \"imported\" for; --assume-new says that there were none", found, dir)
	case j.Set.Yes:
		return nil
	}
	return j.wouldUndo(ctx, of)
}

// wouldUndo returns the error that says what an undo would delete.
func (j *Run) wouldUndo(ctx context.Context, job *inspect.Job) error {
	pilot, err := j.OpenPilot(ctx)
	if err != nil {
		return err
	}
	var edges, accounts, calls int64
	of := inspect.Created{Journal: job.Journal}
	begun, err := checkpoint.Open(j.FS, filepath.Join(job.Dir, folder.Undo), checkpoint.Options{ReadOnly: true})
	if err == nil {
		defer begun.Close() // read only
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	part := func(ordinal int64, n int) (migrate.EdgeSet, error) {
		created, err := of.Of(ctx, ordinal)
		if begun != nil && err == nil {
			open, _ := begun.Unsettled(ordinal, n)
			created = created.And(open)
		}
		return created, err
	}
	for r, err := range migrate.Only(pilot.Rosters(ctx, job.Stage, nil), part) {
		if err != nil {
			return errors.Join(j.Stopped(ctx, "stopped by %w; nothing was deleted"), err)
		}
		accounts++
		for i := range r.Chunks {
			n := r.Only(i).Len()
			edges, calls = edges+int64(n), calls+int64(min(n, 1))
		}
	}
	least := time.Duration(float64(calls) / j.Set.Pace.Rate * float64(time.Second))
	return Unusable(j.Line().With("yes", ""), "undo would delete %s of %s, in %s, at least %s at %g per second; "+
		"nothing was deleted", terminal.Some(edges, "edge"), terminal.Some(accounts, "account"),
		terminal.Some(calls, "call"), terminal.Span(least), j.Set.Pace.Rate)
}
