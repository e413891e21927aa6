package main

import (
	"context"
	"errors"
	"fmt"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/inspect"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/cmd/friendmigrate/terminal"
)

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
