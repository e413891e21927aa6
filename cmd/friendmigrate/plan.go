package main

import (
	"context"

	"friendmigrate/cmd/friendmigrate/plan"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/cmd/friendmigrate/terminal"
)

func planCommand() command {
	return command{
		name: "plan", args: "INPUT...", flags: settings.Flags, do: (*program).planAction,
		usage: "the same reading and checking, nothing sent: what an import would take",
		text: `Reads and checks the input as import does and says what importing it would take: calls, least time,
bytes, disk, which rows would be rejected and why, which rosters are over a limit. Nothing is sent, no
credentials are needed, and the state folder stays as it is: the input is staged beside it, and
removed again. A job that is staged already is only read.

It takes every flag of import, so that the same command line does for both, and uses these:
`,
		codes: "0; 2 if the input cannot be used, or with --strict if rows would be rejected; 3 if rows " +
			"would be rejected; 4 after a signal; 1 for anything else",
	}
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
