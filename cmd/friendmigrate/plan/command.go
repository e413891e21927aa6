package plan

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime/debug"

	"friendmigrate/checkpoint"
	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/cmd/friendmigrate/progress"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/cmd/friendmigrate/terminal"
)

// Do plans the import that r would be, and returns how that ended.
func Do(ctx context.Context, r *job.Run) (made *Plan, e exit.Ending, err error) {
	if err := r.CheckInputs(); err != nil {
		return nil, e, err
	}
	if err := job.WouldOverwrite(r.Reads.CheckState(r.Base()), r.Apart()); err != nil {
		return nil, e, err
	}
	warn := func(message string) { r.Screen.Line("warning: " + message) }
	if err := r.OpenObjects(ctx, warn); err != nil {
		return nil, e, err
	}
	debug.SetMemoryLimit(settings.RuntimeLimit(r.Set.Job.Memory))
	m := &making{Job: &r.Job, waits: warn}
	if m.pilot, err = r.OpenPilot(ctx); err != nil {
		return nil, e, err
	}
	if made, err = m.shown(ctx); err != nil {
		if err := r.Stopped(ctx, "stopped by %w; nothing is left of it"); err != nil {
			return nil, e, err
		}
		if job.NoSpace(err) {
			r.MeasureStage(ctx)
		}
		return nil, e, r.InputError(ctx, err)
	}
	e = made.ending(r)
	made.Code, made.Program = int(e.Code), r.VersionLine()
	return made, e, nil
}

// shown makes the plan and shows the progress of reading the input.
func (m *making) shown(ctx context.Context) (*Plan, error) {
	m.View.Watch(progress.Work{Fill: m.reading.Fill})
	show := m.StartShow(nil)
	defer func() {
		show.Stop()
		m.Screen.Block(nil)
	}()
	return m.make(ctx)
}

// ending returns how the plan ended, with the command that imports what was planned.
func (p *Plan) ending(r *job.Run) exit.Ending {
	e := exit.Ending{What: fmt.Sprintf("nothing was sent: %s of %s would take %s", terminal.Some(p.Edges, "edge"),
		terminal.Some(p.Accounts, "account"), terminal.Some(p.Calls, "call"))}
	if p.LeastSeconds != nil && *p.LeastSeconds >= 1 {
		e.What += ", at least " + p.LeastTime()
	}
	l := r.Line().As("import", func(flag string) bool { return flag != "json" }).Of(r.Line().Inputs()...)
	undo := filepath.Join(folder.Of(r.Base(), r.Set.Job.Shard), folder.Undo)
	if undone, err := checkpoint.Exists(r.FS, undo); err == nil && undone {
		l = l.With("fresh", "") // import refuses to go on with a job that was undone
	}
	e.Hint = l.String()
	elsewhere := p.Rows.RejectedElsewhere
	if p.Rows.Rejected > 0 {
		e.Code = exit.Exceptions
		why := ""
		if p.WhyAllRejected != "" {
			why = " (" + p.WhyAllRejected + ")"
		}
		e.What = fmt.Sprintf("%s rejected%s; %s", wouldBe(p.Rows.Rejected), why, e.What)
	}
	if r.Set.Strict && elsewhere > 0 {
		e.What = fmt.Sprintf("%s rejected of other shards; %s", wouldBe(elsewhere), e.What)
	}
	if r.Set.Strict && p.Rows.Rejected+elsewhere > 0 {
		e.Code = exit.Unusable
		e.What = "--strict: " + e.What
		e.Hint = r.Without(l, "strict").String() + " # or fix the rows first"
	}
	return e
}

func wouldBe(rows int64) string { return terminal.Some(rows, "row") + " would be" }
