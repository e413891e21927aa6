package main

import (
	"context"

	"friendmigrate/cmd/friendmigrate/export"
	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/migrate/disk"
)

func exportCommand() command {
	return command{
		name: "export", flags: settings.Flags, do: (*program).exportAction,
		usage: "writes the friend lists of many accounts as a file that import accepts",
		text: `Reads the friend lists of accounts by friend_get and writes them as CSV or JSONL that import accepts: one
app's graph into another app. Accounts come in the order of their file. With --output, the same command
continues after an interruption. export-failed.csv next to the output lists accounts that could not be
read.
`,
	}
}

// exportAction is the command export.
func (p *program) exportAction(ctx context.Context, in invocation) error {
	j := &job.Job{Program: &p.Program, Set: in.Settings, FS: disk.OS{}}
	j.Begin("export", in.MaxDuration)
	if err := j.Ready(ctx); err != nil {
		return err
	}
	return p.end(export.Do(ctx, j, p.Reads(in.values, nil, "")))
}
