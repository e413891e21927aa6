package main

import (
	"context"

	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/migrate"
	"friendmigrate/sink"
)

// importing is the operation of import: friend_import, or with --only-missing friend_check first.
var importing = job.Operation{
	Command: "import", Settled: "in place", Already: "there before", SentWord: "sent", Suffix: "-2",
	Caller: func(r *job.Run) migrate.Caller {
		if r.Set.Job.OnlyMissing {
			return migrate.CallerFunc(r.Client.ImportMissing)
		}
		return migrate.CallerFunc(r.Client.Import)
	},
}

// operate returns the action of a command that runs an operation.
func operate(op job.Operation) func(*program, context.Context, invocation) error {
	return func(p *program, ctx context.Context, in invocation) error {
		return p.end(p.NewRun(op, in.Settings, in.values, in.args).Do(ctx))
	}
}

// updating is the operation of update: friend_update.
var updating = job.Operation{
	Command: "update", Doing: "updating", Did: "updated", Settled: "updated",
	Already: "without a field that can be set", SentWord: "sent", Suffix: "-update",
	Caller:    func(r *job.Run) migrate.Caller { return migrate.CallerFunc(r.Client.Update) },
	EdgeBytes: sink.UpdateBytes,
}
