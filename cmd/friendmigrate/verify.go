package main

import (
	"context"

	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/cmd/friendmigrate/terminal"
	"friendmigrate/cmd/friendmigrate/verify"
	"friendmigrate/migrate/disk"
)

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
