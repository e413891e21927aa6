package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/inspect"
	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/cmd/friendmigrate/terminal"
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
	u := &job.Undo{}
	ending, err := p.NewRun(u.Operation(), in.Settings, in.values, nil).Do(ctx)
	return p.end(ending, errors.Join(err, u.Close(), job.ReportUndone(dir)))
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
		case set.AssumeNew || job.Evident(j.Journal):
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

func undoListCommand() command {
	return command{
		name: "undo-list", flags: settings.Flags, do: (*program).undoListAction,
		usage: "which pairs this job created, as requests of friend_delete",
		text: `Prints which pairs this job created, as requests of the vendor's friend_delete, one a line:

  {"From_Account":"alice","To_Account":["bob","carol"],"DeleteType":"Delete_Type_Single"}

at most 1000 friends a line. It deletes nothing and calls nobody: whoever wants the pairs gone posts each
line to /v4/sns/friend_delete, at most 200 a second.

A pair is in it if the service said of this job's own call that it was imported. Pairs that were friends
before (already), failed ones and pending ones are not. An app that answers "imported" also for pairs that
were there before makes them look like new ones: run the import with --only-missing where that matters,
since it asks first. The staged input is needed, so make the list before clean.
`,
		codes: "0; 2 if there is no job; 4 after a signal; 1 for anything else",
	}
}

// undoListAction is the command undo-list.
func (p *program) undoListAction(ctx context.Context, in invocation) (err error) {
	set := in.Settings
	jobs, err := inspect.Open(set.State)
	if err != nil {
		return inspectError(err)
	}
	defer func() { err = errors.Join(err, jobs.Close()) }()
	out := terminal.List(p.Std.Out)
	undone, err := jobs.Undo(ctx, out, inspect.UndoOptions{Uncertain: set.Uncertain})
	if err := errors.Join(err, out.Close()); err != nil {
		if err := p.Stopped(ctx, "stopped by %w; the list is not whole"); err != nil {
			return err
		}
		if errors.Is(err, inspect.ErrGone) {
			return &exit.Error{Code: exit.Unexpected, Err: err,
				Hint: "run the import again with its input, which stages it anew and sends nothing twice; then " +
					p.Line().String()}
		}
		return err
	}
	e := exit.Ending{What: fmt.Sprintf("%s that this job created, in %s of friend_delete; nothing was deleted",
		terminal.Some(undone.Pairs, "pair"), terminal.Some(undone.Calls, "call"))}
	e.What += jobs.Without()
	if undone.Uncertain > 0 && !set.Uncertain {
		e.What += fmt.Sprintf("; %s left out of which that cannot be told", terminal.Some(undone.Uncertain, "pair"))
		e.Hint = p.Line().With("uncertain", "").String() + " # to have these too"
	}
	p.ending = &e
	return nil
}
