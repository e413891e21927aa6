package main

import (
	"context"

	"friendmigrate/cmd/friendmigrate/accounts"
	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/cmd/friendmigrate/terminal"
	"friendmigrate/migrate/disk"
)

func accountsCommand() command {
	return command{
		name: "accounts", args: "[INPUT...]", flags: settings.Flags, do: (*program).accountsAction,
		usage: "asks which accounts of both sides exist; --import imports those that do not",
		text: `Asks account_check about every distinct account on both sides of INPUT, or of the job that is staged in
--state: 100 accounts a call, at most 100 calls per second. Both accounts of an edge have to exist before
friends are imported. Those that do not exist are listed in accounts-missing.csv in --state.

With --import it imports exactly those through multiaccount_import, without a nickname or a picture, so
that no profile is overwritten. A trial app takes 100 accounts.

After an interruption the same command resumes. Run again after the end, it asks only about the accounts
that were missing.
`,
		codes: "0: all exist; 3: some are missing, or were refused; 4: not finished, run it again; others as import",
	}
}

// accountsAction is the command accounts.
func (p *program) accountsAction(ctx context.Context, in invocation) (err error) {
	j := accounts.Job{Job: job.Job{Program: &p.Program, Inputs: in.args, Done: "asked", Suffix: "-accounts",
		FS: disk.OS{}, Set: in.Settings}}
	j.Begin("accounts", in.MaxDuration)
	if err := j.Ready(ctx); err != nil {
		return err
	}
	reads := p.Reads(in.values, in.args, in.Rows.Format)
	if err := job.Refused(reads.CheckState(in.State), j.Apart()); err != nil {
		return err
	}
	r, ending, err := j.Do(ctx)
	if err == nil && in.JSON {
		err = terminal.WriteJSON(p.Std.Out, r)
	}
	return p.end(ending, err)
}
