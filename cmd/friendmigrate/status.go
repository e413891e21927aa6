package main

import (
	"context"
	"errors"
	"time"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/inspect"
	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/cmd/friendmigrate/terminal"
)

func statusCommand() command {
	return command{
		name: "status", flags: settings.Flags, do: (*program).statusAction,
		usage: "where the job stands, also while it runs",
		text: `Says where a job stands, of all its shards together: what became of its edges, how fast it goes and how
long it will take, which codes failed, how its last run ended. It only looks, also while the job runs.
`,
		codes: "0, whatever the job's state is; 2 if there is no job; with --watch 4 if a signal came before " +
			"the job had ended; 1 for anything else",
	}
}

// inspectError gives an error of looking at a state its code.
func inspectError(err error) error {
	if errors.Is(err, folder.ErrNoJob) {
		return exit.Because(exit.Unusable, err)
	}
	return err
}

// statusAction is the command status.
func (p *program) statusAction(ctx context.Context, in invocation) error {
	set := in.Settings
	if set.Watch {
		return p.watchStatus(ctx, set)
	}
	s, err := inspect.ReadStatus(set.State, time.Now(), false)
	if err != nil {
		return inspectError(err)
	}
	if set.JSON {
		return terminal.WriteJSON(p.Std.Out, s)
	}
	return terminal.WriteText(p.Std.Out, s.Text())
}

// watchStatus shows the status each second until the job has ended: on a terminal in the same
// place, else as a line.
func (p *program) watchStatus(ctx context.Context, set settings.Settings) error {
	screen := terminal.New(p.Std.Out, p.Env)
	defer screen.EndBlock()
	show := func(s *inspect.Status) error { return terminal.WriteText(p.Std.Out, s.Line()+"\n") }
	switch {
	case set.JSON:
		show = func(s *inspect.Status) error { return terminal.WriteJSONLine(p.Std.Out, s) }
	case screen.Redraws():
		show = func(s *inspect.Status) error {
			screen.Block(s.Block(screen.Columns() - 1))
			return nil
		}
	}
	tick := time.NewTicker(job.Tick)
	defer tick.Stop()
	for {
		s, err := inspect.ReadStatus(set.State, time.Now(), true)
		if err != nil {
			return inspectError(err)
		}
		if err := show(s); err != nil || s.Ended() {
			return err
		}
		select {
		case <-ctx.Done():
			return p.Stopped(ctx, "stopped watching by %w; the job is not touched by that")
		case <-tick.C:
		}
	}
}
