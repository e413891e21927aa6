package main

import (
	"context"

	"friendmigrate/cmd/friendmigrate/plan"
	"friendmigrate/cmd/friendmigrate/terminal"
)

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
