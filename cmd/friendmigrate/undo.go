package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"time"

	"friendmigrate/checkpoint"
	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/inspect"
	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/cmd/friendmigrate/report"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/cmd/friendmigrate/terminal"
	"friendmigrate/migrate/disk"
)

func undoCommand() command {
	return command{
		name: "undo", flags: settings.Flags, do: (*program).undoAction,
		usage: "deletes exactly the edges that this job imported",
		text: `Takes exactly those edges out of friend lists that the job in --state imported, by friend_delete
(Delete_Type_Single: the lists of the others stay as they are). Edges that were there before (already),
uncertain and failed ones are never touched. A friend who is gone already counts as deleted.

Without --yes it says how many edges of how many accounts it would delete, and ends with 2. After an
interruption the same command resumes. An import on a state that is being or was undone is refused.

An app may answer "imported" also for friends that it had before. So undo wants evidence that this one
does not: every run of the job had --only-missing, or the service answered "already" in one of them. Where
neither is so, friendmigrate doctor --probe finds out; --assume-new goes on all the same.
`,
	}
}

// undoAction is the command undo.
func (p *program) undoAction(ctx context.Context, in invocation) error {
	dir := folder.Of(in.State, in.Shard)
	if err := p.checkUndo(ctx, dir, in.Settings); err != nil {
		return err
	}
	u := &undo{}
	ending, err := p.NewRun(u.operation(), in.Settings, in.values, nil).Do(ctx)
	return p.end(ending, errors.Join(err, u.close(), reportUndone(dir)))
}

// checkUndo looks, without changing anything, whether the job in dir can be undone. Without --yes it
// says what that would do.
func (p *program) checkUndo(ctx context.Context, dir string, set settings.Settings) (err error) {
	jobs, err := inspect.Open(dir)
	if err != nil {
		return inspectError(err)
	}
	defer func() { err = errors.Join(err, jobs.Close()) }()
	for _, j := range jobs {
		switch {
		case j.Journal == nil:
			return inspectError(fmt.Errorf("%w in %q", folder.ErrNoJob, j.Dir))
		case j.Journal.Identity().Command() != "import":
			return job.Unusable(p.Line().With("state", "FOLDER"), "%q is the state of an %s, which created no friendship",
				j.Dir, j.Journal.Identity().Command())
		case j.Shard != (settings.Shard{}):
			return job.Unusable(p.Line().With("shard", j.Shard.String()),
				"%q holds a job in shards: name the one to undo, one after the other", dir)
		case set.AssumeNew || evident(j.Journal):
			continue
		}
		return job.Unusable(p.Line().With("assume-new", ""), "nothing shows that the edges that %q imported were new: "+
			"this app may answer \"imported\" for friends that it had before, and undo would delete those too. "+
			"friendmigrate doctor --probe finds out; --assume-new says that none of them was there before", dir)
	}
	if set.Yes {
		return nil
	}
	var only func(string) bool
	if set.OnlyAccounts != "" {
		list, err := p.OpenAccounts(ctx, "--only-accounts", set.OnlyAccounts)
		if err != nil {
			return err
		}
		named, err := list.Set(ctx)
		if err != nil {
			return err
		}
		only = func(from string) bool { _, has := named[from]; return has }
	}
	would, err := jobs.Undo(ctx, io.Discard, inspect.UndoOptions{Only: only})
	if err != nil {
		return errors.Join(p.Stopped(ctx, "stopped by %w; nothing was deleted"), err)
	}
	least := time.Duration(float64(would.Calls) / set.Rate * float64(time.Second))
	return job.Unusable(p.Line().With("yes", ""), "undo would delete %s of %s, in %s, at least %s at %g per second; "+
		"nothing was deleted", terminal.Some(would.Pairs, "edge"), terminal.Some(would.Accounts, "account"),
		terminal.Some(would.Calls, "call"), terminal.Span(least), set.Rate)
}

// evident reports whether the journal shows that what the service said to be imported was new.
func evident(journal *checkpoint.Journal) bool {
	asked := 0
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
	return false // whose answer "already" was nobody knows
}

// reportUndone says in the report of the job in dir how far its undo is.
func reportUndone(dir string) error {
	r, err := report.Read(filepath.Join(dir, folder.Report))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		r.Undone, err = inspect.Undoing(dir)
	}
	if err = errors.Join(err, disk.WriteWhole(disk.OS{}, filepath.Join(dir, folder.Report), r.WriteJSON),
		disk.WriteWhole(disk.OS{}, filepath.Join(dir, folder.Page), r.WriteHTML)); err != nil {
		return &exit.Error{Code: exit.Unexpected, Err: fmt.Errorf("write into the report that the job was undone: %w", err)}
	}
	return nil
}
