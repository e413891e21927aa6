package main

import (
	"context"

	"friendmigrate/cmd/friendmigrate/settings"
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
	return p.end(p.Undo(ctx, in.Settings, in.values))
}
