package main

import (
	"context"

	"friendmigrate/cmd/friendmigrate/accounts"
	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/cmd/friendmigrate/terminal"
	"friendmigrate/migrate/disk"
)

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
