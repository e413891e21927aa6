package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/cmd/friendmigrate/terminal"
)

func cleanCommand() command {
	return command{
		name: "clean", flags: settings.Flags, do: (*program).cleanAction,
		usage: "removes the staged input of a finished job, keeps lists and report",
		text: `Removes the staged input of a finished job, of all its shards: it holds personal data and is needed no
more. The journal, the lists and the report stay, so that status and failures still answer; explain then
knows of failures and listed rows alone, undo-list and verify without INPUT of nothing. It asks nothing. A job
with pending edges is refused, and one that runs.
`,
		codes: "0, also if there is nothing to remove; 2 if there is no job or it is not finished; 11 if it is " +
			"in use; 1 for anything else",
	}
}

// cleanAction is the command clean.
func (p *program) cleanAction(_ context.Context, in invocation) error {
	set := in.Settings
	places, err := folder.Find(set.State)
	if err != nil {
		return inspectError(err)
	}
	done, err := folder.Job(places, set.Unfinished)
	unfinished := (*folder.UnfinishedError)(nil)
	switch {
	case errors.As(err, &unfinished):
		return &exit.Error{Code: exit.Unusable, Err: err, Hint: p.Line().With("unfinished", "").String() +
			" # if it is given up, or its input is still there"}
	case err != nil:
		return err
	}
	e := exit.Ending{What: "there was no staged input to remove"}
	if done.Files > 0 {
		e.What = fmt.Sprintf("removed the staged input: %s, %s; the journal, the lists and the report stay",
			terminal.Some(int64(done.Files), "file"), settings.FormatSize(done.Bytes))
	}
	if len(done.Aside) > 0 {
		var lines []string
		for _, dir := range done.Aside {
			lines = append(lines, p.Line().With("state", dir).String())
		}
		e.What += fmt.Sprintf("; %s that --fresh set aside may hold staged input too",
			terminal.Some(int64(len(done.Aside)), "old state"))
		e.Hint = strings.Join(lines, " && ")
	}
	p.ending = &e
	return nil
}
