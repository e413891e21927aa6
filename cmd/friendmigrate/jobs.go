package main

import (
	"context"

	"friendmigrate/cmd/friendmigrate/accounts"
	"friendmigrate/cmd/friendmigrate/export"
	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/cmd/friendmigrate/plan"
	"friendmigrate/cmd/friendmigrate/terminal"
	"friendmigrate/cmd/friendmigrate/verify"
	"friendmigrate/migrate"
	"friendmigrate/migrate/disk"
	"friendmigrate/sink"
)

// importing is the operation of import: friend_import, or with --only-missing friend_check first.
var importing = job.Operation{
	Command: "import", Settled: "in place", Already: "there already", SentWord: "sent", Suffix: "-2",
	Caller: func(r *job.Run) migrate.Caller {
		if r.Set.Job.OnlyMissing {
			return r.Client.ImportMissing
		}
		return r.Client.Import
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
	Caller:    func(r *job.Run) migrate.Caller { return r.Client.Update },
	EdgeBytes: sink.UpdateBytes,
}

// planAction is the command plan. Its arguments are judged as import judges them.
func (p *program) planAction(ctx context.Context, in invocation) error {
	for _, w := range in.Warnings {
		p.Screen.Line("warning: " + w)
	}
	p.NameShard(in.Shard)
	made, ending, err := plan.Do(ctx, p.NewRun(importing, in.Settings, in.values, in.args))
	switch {
	case err != nil:
		return err
	case in.JSON:
		err = terminal.WriteJSON(p.Std.Out, made)
	default:
		err = terminal.WriteText(p.Std.Out, made.Text())
	}
	return p.end(ending, err)
}

func (p *program) undoAction(ctx context.Context, in invocation) error {
	return p.end(p.Undo(ctx, in.Settings, in.values))
}

func (p *program) verifyAction(ctx context.Context, in invocation) error {
	j := &job.Job{Program: &p.Program, Inputs: in.args, SentWord: "asked", Suffix: "-verify", FS: disk.OS{},
		Set: in.Settings}
	j.Begin("verify", in.MaxDuration)
	if err := j.Ready(ctx); err != nil {
		return err
	}
	r, ending, err := verify.Do(ctx, j, p.Reads(in.values, in.args, in.Rows.Format))
	if err == nil && in.JSON {
		err = terminal.WriteJSON(p.Std.Out, r.JSON())
	}
	return p.end(ending, err)
}

func (p *program) accountsAction(ctx context.Context, in invocation) (err error) {
	j := accounts.Run{Job: job.Job{Program: &p.Program, Inputs: in.args, SentWord: "asked", Suffix: "-accounts",
		FS: disk.OS{}, Set: in.Settings}}
	j.Begin("accounts", in.MaxDuration)
	if err := j.Ready(ctx); err != nil {
		return err
	}
	reads := p.Reads(in.values, in.args, in.Rows.Format)
	if err := job.WouldOverwrite(reads.CheckState(in.State), j.Apart()); err != nil {
		return err
	}
	r, ending, err := j.Do(ctx)
	if err == nil && in.JSON {
		err = terminal.WriteJSON(p.Std.Out, r)
	}
	return p.end(ending, err)
}

func (p *program) exportAction(ctx context.Context, in invocation) error {
	j := &job.Job{Program: &p.Program, Set: in.Settings, FS: disk.OS{}}
	j.Begin("export", in.MaxDuration)
	if err := j.Ready(ctx); err != nil {
		return err
	}
	return p.end(export.Do(ctx, j, p.Reads(in.values, nil, "")))
}
