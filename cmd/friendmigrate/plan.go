package main

import (
	"context"
	"fmt"
	"runtime/debug"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/cmd/friendmigrate/plan"
	"friendmigrate/cmd/friendmigrate/progress"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/cmd/friendmigrate/terminal"
	"friendmigrate/source"
	"friendmigrate/source/stage"
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

// planAction is the command plan.
func (p *program) planAction(ctx context.Context, in invocation) error {
	set := in.Settings
	for _, w := range set.Output.Warnings {
		p.Screen.Line("warning: " + w)
	}
	p.NameShard(set.Job.Shard)
	// Arguments are judged as import judges them.
	as := p.NewRun(importing, set, in.values, in.args)
	if err := as.CheckInputs(); err != nil {
		return err
	}
	if err := job.Refused(as.Reads.CheckState(as.Base()), as.Apart()); err != nil {
		return err
	}
	if out := set.AccountsOut; out != "" {
		err := as.Reads.CheckFile("--accounts-out", out, folder.AccountsHeader)
		if err := job.Refused(err, as.Line().With("accounts-out", job.FreeList(out)).String()); err != nil {
			return err
		}
	}
	var err error
	as.Store, err = p.OpenObjects(ctx, set.Objects, as.Inputs,
		func(message string) { p.Screen.Line("warning: " + message) })
	if err != nil {
		return err
	}
	debug.SetMemoryLimit(settings.RuntimeLimit(set.Job.Memory))
	pilot, err := as.OpenPilot(ctx)
	if err != nil {
		return err
	}
	made, err := p.makePlan(ctx, set, as, pilot)
	if err != nil {
		if err := p.Stopped(ctx, "stopped by %w; nothing is left of it"); err != nil {
			return err
		}
		if job.NoSpace(err) {
			as.MeasureStage(ctx)
		}
		return as.InputError(ctx, err)
	}
	ending := p.judgePlan(made, set, as)
	made.Code, made.Program = int(ending.Code), p.VersionLine()
	if set.JSON {
		err = terminal.WriteJSON(p.Std.Out, made)
	} else {
		err = terminal.WriteText(p.Std.Out, made.Text())
	}
	return p.end(ending, err)
}

func (p *program) makePlan(ctx context.Context, set settings.Settings, as *job.Run, only *job.Pilot) (*plan.Plan, error) {
	var reading job.Reading
	p.View.Watch(progress.Work{Fill: reading.Fill})
	show := p.StartShow(set.Output, nil, nil)
	defer func() {
		show.Stop()
		p.Screen.Block(nil)
	}()
	memory := job.StagingShare(set.Job.Memory)
	var staged func(context.Context, *stage.Stage) (string, error)
	if only != nil {
		staged = only.Planned
	}
	return plan.Make(ctx, plan.Options{
		Staged: staged,
		Inputs: as.Inputs, Stdin: as.Input(), Objects: as.Store, Rows: set.Rows, Shard: set.Job.Shard.Index,
		Shards: set.Job.Shard.Count,
		State:  set.Job.State, Dir: folder.Of(set.Job.State, set.Job.Shard), Memory: memory, Lanes: source.Lanes(memory),
		ChunkBytes: set.Pace.ChunkBytes, Rate: set.Pace.Rate, AccountsOut: set.AccountsOut, Progress: reading.Take,
		Waits: func(message string) { p.Screen.Line("warning: " + message) },
	})
}

// judgePlan says how the plan ended, and how to import what was planned.
func (p *program) judgePlan(made *plan.Plan, set settings.Settings, as *job.Run) exit.Ending {
	e := exit.Ending{What: fmt.Sprintf("nothing was sent: %s of %s would take %s", terminal.Some(made.Edges, "edge"),
		terminal.Some(made.Accounts, "account"), terminal.Some(made.Calls, "call"))}
	if made.LeastSeconds != nil && *made.LeastSeconds >= 1 {
		e.What += ", at least " + made.LeastTime()
	}
	has := func(flag string) bool { return flag != "json" && flag != "accounts-out" }
	l := p.Line().As("import", has).Of(p.Line().Inputs()...)
	if made.OtherJob {
		l = l.With("state", job.Beside(set.Job.State, "-2"))
	}
	e.Hint = l.String()
	elsewhere := made.Rows.RejectedElsewhere
	if made.Rows.Rejected > 0 {
		e.Code = exit.Exceptions
		why := ""
		if made.WhyAllRejected != "" {
			why = " (" + made.WhyAllRejected + ")"
		}
		e.What = fmt.Sprintf("%s rejected%s; %s", wouldBe(made.Rows.Rejected), why, e.What)
	}
	if set.Strict && elsewhere > 0 {
		e.What = fmt.Sprintf("%s rejected of other shards; %s", wouldBe(elsewhere), e.What)
	}
	if set.Strict && made.Rows.Rejected+elsewhere > 0 {
		e.Code = exit.Unusable
		e.What = "--strict: " + e.What
		e.Hint = l.Without("strict").String() + " # or fix the rows first"
	}
	return e
}

func wouldBe(rows int64) string { return terminal.Some(rows, "row") + " would be" }
