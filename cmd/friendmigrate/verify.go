package main

import (
	"context"

	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/cmd/friendmigrate/terminal"
	"friendmigrate/cmd/friendmigrate/verify"
	"friendmigrate/migrate/disk"
)

func verifyCommand() command {
	return command{
		name: "verify", args: "[INPUT...]", flags: settings.Flags, do: (*program).verifyAction,
		usage: "asks the service whether every edge is in place",
		text: `Asks the service whether it has every edge that the job in --state counts as in place, and which it has
of those that failed: by friend_check, 1000 friends of an account in a call, or with --fields by
friend_get alone. It does not ask about edges that the job has not sent: they are pending. INPUT, if
named, has to be the job's. All edges of an INPUT that no job knows are expected (give it a --state of its
own). It changes nothing. missing.csv and different.csv in --state list what is not as it should be, as
inputs of import (.jsonl where an input was). It verifies all shards of a job, one after the other at the
whole rate, or one with --shard. After an interruption the same command continues; after the end it begins
anew.
`,
	}
}

// verifyAction is the command verify.
func (p *program) verifyAction(ctx context.Context, in invocation) error {
	j := &job.Job{Program: &p.Program, Inputs: in.args, Done: "asked", Suffix: "-verify", FS: disk.OS{},
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
