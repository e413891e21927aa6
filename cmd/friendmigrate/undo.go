package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"

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
does not: every run of the job had --only-missing, or the service answered "already" in one of them, or to
friendmigrate doctor --probe FROM,TO with the job's --state. --assume-new goes on all the same.
`,
	}
}

// undoAction is the command undo.
func (p *program) undoAction(ctx context.Context, in invocation) error {
	dir := folder.Of(in.State, in.Shard)
	if err := p.CheckUndo(ctx, dir, in.Settings); err != nil {
		return err
	}
	u := &job.Undo{}
	ending, err := p.NewRun(u.Operation(), in.Settings, in.values, nil).Do(ctx)
	return p.end(ending, errors.Join(err, u.Close(), job.ReportUndone(dir)))
}

func undoListCommand() command {
	return command{
		name: "undo-list", flags: settings.Flags, do: (*program).undoListAction,
		usage: "which pairs this job created, as requests of friend_delete",
		text: `Prints which pairs this job created, as requests of the vendor's friend_delete, one a line:

  {"From_Account":"ann","To_Account":["bob"],"DeleteType":"Delete_Type_Single"}

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
func (p *program) undoListAction(ctx context.Context, in invocation) error {
	return openJobs(in, func(jobs inspect.Jobs) error {
		out := terminal.List(p.Std.Out)
		undone, err := jobs.Undo(ctx, out, nil)
		if err := errors.Join(err, out.Close()); err != nil {
			if errors.Is(err, inspect.ErrGone) {
				return &exit.Error{Code: exit.Unexpected, Err: err,
					Hint: "run the import again with its input, which " +
						"stages it anew and sends nothing twice; then " + p.Line().String()}
			}
			return cmp.Or(p.Stopped(ctx, "stopped by %w; the list is not whole"), err)
		}
		p.ending = &exit.Ending{What: fmt.Sprintf("%s that this job created, in %s of friend_delete; "+
			"nothing was deleted%s",
			terminal.Some(undone.Pairs, "pair"), terminal.Some(undone.Calls, "call"), jobs.Without())}
		if undone.Uncertain > 0 {
			p.ending.What += fmt.Sprintf("; %s left out of which that cannot be told",
				terminal.Some(undone.Uncertain, "pair"))
		}
		return nil
	})
}
