package main

import (
	"context"

	"github.com/urfave/cli/v3"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/migrate"
	"friendmigrate/sink"
)

// importing is the operation of import: friend_import, or with --only-missing friend_check first.
var importing = job.Operation{
	Command: "import", Settled: "in place", Already: "there before", Sent: "sent", Suffix: "-2",
	Caller: func(r *job.Run) migrate.Caller {
		if r.Set.Job.OnlyMissing {
			return sink.OnlyMissing(r.Client)
		}
		return migrate.CallerFunc(r.Client.Import)
	},
}

// importAction is the command import.
func (p *program) importAction(ctx context.Context, c *cli.Command) error {
	return p.operate(ctx, c, importing)
}

// operate is the action of a command that runs an operation.
func (p *program) operate(ctx context.Context, c *cli.Command, op job.Operation) error {
	v := p.values(c)
	set, err := settings.Read(op.Command, v, p.root)
	if err != nil {
		return exit.Because(exit.Unusable, err)
	}
	return p.end(p.NewRun(op, set, v, c.Args().Slice()).Do(ctx))
}
