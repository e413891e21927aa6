package main

import (
	"context"
	"errors"
	"path/filepath"

	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/inspect"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/cmd/friendmigrate/terminal"
	"friendmigrate/migrate/disk"
)

func reportCommand() command {
	return command{
		name: "report", flags: settings.Flags, do: (*program).reportAction,
		usage: "writes report.json and report.html again, for shards a joint one",
		text: `Writes report.json and report.html of the job in --state again, at any time, also while it runs. For a
job in shards it writes one joint report beside the shards' folders.
`,
		codes: "0, whatever the job's state is; 2 if there is no job; 1 for anything else",
	}
}

// reportAction is the command report.
func (p *program) reportAction(_ context.Context, in invocation) error {
	set := in.Settings
	jobs, err := inspect.Open(set.State)
	if err != nil {
		return inspectError(err)
	}
	r, err := jobs.Report(p.VersionLine())
	if err := errors.Join(err, jobs.Close()); err != nil {
		return inspectError(err)
	}
	json, page := filepath.Join(set.State, folder.Report), filepath.Join(set.State, folder.Page)
	err = errors.Join(disk.WriteWhole(p.Volume.FS, json, r.WriteJSON), disk.WriteWhole(p.Volume.FS, page, r.WriteHTML))
	if err != nil {
		return err
	}
	if set.JSON {
		return terminal.WriteJSON(p.Std.Out, r)
	}
	return terminal.WriteText(p.Std.Out, r.Arrived()+"\nwritten: "+json+"\nwritten: "+page+"\n")
}
