package job

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

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
		Caller:  func(r *Run) migrate.Caller { return r.Client.Delete },
		Part:    func(ordinal int64, _ int) (migrate.EdgeSet, error) { return of.Of(context.Background(), ordinal) },
	}, set, v, nil)
	dir := folder.Of(set.Job.State, set.Job.Shard)
	if err := r.CheckBase(); err != nil {
		return e, err
	}
	if e, err = r.checkUndo(ctx, dir); err != nil || e.What != "" {
		return e, err
	}
	e, err = r.Do(ctx)
	if of.Journal != nil {
		e.What += untouched(of.Journal)
		err = errors.Join(err, of.Journal.Close())
	}
	return e, errors.Join(err, p.reportUndone(dir))
}

// prepareUndo opens the job, its stage, the client and the undo's own journal, which it creates if
// it does not exist.
func (j *Run) prepareUndo(ctx context.Context, of *inspect.Created) (err error) {
	dir := filepath.Dir(j.Dir)
	if of.Journal, err = checkpoint.OpenReadOnly(j.FS, dir); err != nil {
		return err
	}
	id := of.Journal.Identity()
	if err := j.checkApp(id, dir); err != nil {
		return err
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

// checkApp refuses to undo a job of another app.
func (j *Run) checkApp(id checkpoint.Identity, dir string) error {
	want := j.Identity()
	want.Inputs, want.Options = id.Inputs, id.Options
	differences := id.Differs(want)
	switch {
	case len(differences) == 0:
		return nil
	case id.Target == settings.Service{Rehearse: true}.Target():
		return exit.Errorf(exit.OtherJob, exit.NothingToRun, "%q is a rehearsal, which imported nothing", dir)
	}
	return exit.Errorf(exit.OtherJob, j.toAppOf(id).Without("yes").String()+" # with the key of that app",
		"the state folder %q belongs to another job: %s; nothing was deleted", dir, strings.Join(differences, "; "))
}

// untouched says how many edges of a job undo leaves though the job may have made them.
func untouched(journal *checkpoint.Journal) string {
	return report.SumsOf(journal).Untouched()
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
func (p *Program) reportUndone(dir string) error {
	jobs, err := inspect.Open(dir)
	if err == nil && jobs[0].Undone != nil {
		err = WriteReport(disk.OS{}, dir, jobs[0].Report(p.VersionLine()))
	}
	if err = errors.Join(err, jobs.Close()); err != nil {
		return exit.Errorf(exit.Unexpected, "", "say in the report that the job was undone: %w", err)
	}
	return nil
}

// checkUndo checks, without changing anything, whether the job in dir can be undone. It returns an
// ending if there is nothing to undo, and without --yes an error that says what undo would delete.
func (j *Run) checkUndo(ctx context.Context, dir string) (e exit.Ending, err error) {
	jobs, err := inspect.Open(dir)
	if err != nil {
		return e, err
	}
	defer func() { err = errors.Join(err, jobs.Close()) }()
	probed, err := folder.ReadProbed(j.Set.Job.State)
	if err != nil {
		return e, err
	}
	of := jobs[0]
	switch {
	case of.Shard != (settings.Shard{}):
		return e, Unusable(j.Line().With("shard", of.Shard.String()),
			"%q holds a job in shards: name the one to undo, one after the other", dir)
	case of.Journal == nil:
		return e, fmt.Errorf("%w in %q", folder.ErrNoJob, of.Dir)
	}
	id := of.Journal.Identity()
	if err := j.checkApp(id, of.Dir); err != nil {
		return e, err
	}
	whole := of.Undone != nil && of.Undone.Left() == 0
	switch {
	case id.Command() != "import":
		return e, Unusable(j.Line().With("state", "FOLDER"), "%q is the state of an %s, which created no friendship",
			of.Dir, id.Command())
	case of.Journal.Totals().Imported == 0:
		return nothingToUndo(of, "the job has imported no edge"), nil
	case whole && (of.Stage == nil || !j.Set.Yes):
		return nothingToUndo(of, of.Undone.String()), nil
	case of.Stage == nil:
		again := jobs.Again()
		hint := again.On(j.As(j.Line(), again.Command, "only-accounts", "retry-failed")).String()
		return e, exit.Errorf(exit.Unexpected, hint+" # stages the input again, and sends nothing twice",
			"the staged input of %q is gone, so nobody knows what to delete", of.Dir)
	case of.Undone == nil && !j.Set.AssumeNew && !evident(of.Journal, probed):
		found, next := "nothing shows", j.As(j.Line(), "doctor", "json").With("probe", "FROM,TO")
		if probed.SDKAppID == id.SDKAppID && probed.Target == id.Target {
			found, next = "doctor --probe did not show", j.Line().With("assume-new", "")
		}
		return e, Unusable(next, "%s that the edges that %q imported were new: undo would delete friendships that "+
			"this app had before and answered \"imported\" for; --assume-new says that there were none", found, dir)
	}
	if j.named, err = j.OpenPilot(ctx); err == nil && j.named != nil {
		_, err = j.named.Find(ctx, of.Stage, nil)
	}
	// An undo that turns out to delete nothing must not begin: no import would go on after it.
	if begins := j.named != nil && of.Undone == nil; err == nil && (begins || !j.Set.Yes) {
		e, err = j.wouldUndo(ctx, of)
	}
	return e, StageError(of.Stage, err)
}

func nothingToUndo(of *inspect.Job, why string) exit.Ending {
	return exit.Ending{What: "nothing to undo: " + why + untouched(of.Journal), Hint: exit.NothingToRun}
}

// wouldUndo returns the error that says what an undo would delete, or an ending if that is nothing.
// With --yes it returns an error only if that is nothing.
func (j *Run) wouldUndo(ctx context.Context, job *inspect.Job) (e exit.Ending, err error) {
	var edges, accounts, calls int64
	of := inspect.Created{Journal: job.Journal}
	left, closeUndo, err := j.leftToUndo(job.Dir)
	if err != nil {
		return e, err
	}
	defer closeUndo()
	part := func(ordinal int64, n int) (migrate.EdgeSet, error) {
		created, err := of.Of(ctx, ordinal)
		return created.And(left(ordinal, n)), err
	}
	for r, err := range migrate.Only(j.named.Rosters(ctx, job.Stage, nil), part) {
		if err != nil {
			return e, errors.Join(j.Stopped(ctx, "stopped by %w; nothing was deleted"), err)
		}
		accounts++
		for i := range r.Chunks {
			n := r.Only(i).Len()
			edges, calls = edges+int64(n), calls+int64(min(n, 1))
		}
	}
	next := j.Line().With("yes", "")
	switch {
	case edges > 0 && j.Set.Yes:
		return e, nil
	case edges > 0:
		return e, Unusable(next, "undo would delete %s of %s, in %s%s%s; nothing was deleted",
			terminal.Some(edges, "edge"), terminal.Some(accounts, "account"), terminal.Some(calls, "call"),
			j.leastTime(calls), untouched(job.Journal))
	case j.named != nil && j.Set.Job.Shard.Count > 0:
		return nothingToUndo(job, "of these accounts no edge of this shard is left to delete"), nil
	case j.named != nil:
		all := j.Without(j.Line().Without("yes"), "only-accounts")
		return e, Unusable(all, "undo would delete no edge of these accounts; nothing was deleted")
	case j.Set.Job.RetryFailed:
		return nothingToUndo(job, "no edge failed with these codes"), nil
	}
	return e, Unusable(next.WithWord("--retry-failed"),
		"undo would delete nothing more without --retry-failed: %s; nothing was deleted", job.Undone)
}

// leftToUndo returns a function that says which edges of a chunk the undo of the job in dir would
// still try to delete, and one that closes what it reads.
func (j *Run) leftToUndo(dir string) (left func(int64, int) migrate.EdgeSet, done func(), err error) {
	begun, err := checkpoint.OpenReadOnly(j.FS, filepath.Join(dir, folder.Undo))
	if errors.Is(err, fs.ErrNotExist) {
		return func(_ int64, n int) migrate.EdgeSet { return migrate.FullSet(n) }, func() {}, nil
	}
	if err != nil {
		return nil, nil, err
	}
	failed := map[int64]migrate.EdgeSet{} // those that --retry-failed sends again, by chunk
	if codes := j.Set.Job.RetryCodes; j.Set.Job.RetryFailed && begun.Totals().Reopened == 0 {
		for f, err := range begun.Failures() {
			if err != nil {
				return nil, nil, errors.Join(err, begun.Close())
			}
			if set := failed[f.Ordinal]; len(codes) == 0 || slices.Contains(codes, f.Code) {
				set.Add(f.Index)
				failed[f.Ordinal] = set
			}
		}
	}
	left = func(ordinal int64, n int) migrate.EdgeSet {
		open, _ := begun.Unsettled(ordinal, n)
		return open.Or(failed[ordinal])
	}
	return left, func() { begun.Close() }, nil // read only
}

// refuseUndone returns an error if an undo has deleted, or may delete, what would be sent. If the
// undo is not whole and its staged input is gone or damaged, it returns the undo instead: nothing
// else can stage the input again.
func (j *Run) refuseUndone() (*report.Undone, error) {
	undone, err := checkpoint.Exists(j.FS, filepath.Join(j.Dir, folder.Undo))
	if err != nil || !undone {
		return nil, err
	}
	if u, err := inspect.Undoing(j.Dir); j.Journal != nil && j.Stage == nil && err == nil && u.Left() > 0 {
		return u, nil
	}
	return nil, exit.Errorf(exit.OtherJob, j.freshLine(),
		"the job in %q was undone, wholly or in part; to import it again, "+
			"start over with --fresh; nothing was %s", j.Dir, j.SentWord)
}

// sendToUndo refuses to go on with a job whose input was staged again for its undo.
func (j *Run) sendToUndo(undo *report.Undone) error {
	if j.Stage == nil {
		return j.cannotStageAgain("the input is gone")
	}
	rest := j.As(j.Line(), "undo", "retry-failed", "only-accounts").With("yes", "")
	if undo.Failed > 0 {
		rest = rest.WithWord("--retry-failed")
	}
	return exit.Errorf(exit.OtherJob, rest.String()+" # deletes the rest",
		"the job in %q was undone in part: %s; the input is staged again for undo; nothing was %s", j.Dir, undo,
		j.SentWord)
}
