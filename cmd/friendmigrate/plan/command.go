package plan

import (
	"cmp"
	"context"
	"runtime/debug"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/cmd/friendmigrate/progress"
	"friendmigrate/cmd/friendmigrate/settings"
)

// Do plans the import that r would be, and returns how that ended.
func Do(ctx context.Context, r *job.Run) (made *Plan, e exit.Ending, err error) {
	if err := r.CheckInputs(); err != nil {
		return nil, e, err
	}
	scratch, err := scratchDir(r.Set.State)
	if err = cmp.Or(err, r.Reads.CheckState(r.Base()), r.Reads.CheckOwn(scratch)); err != nil {
		return nil, e, job.WouldOverwrite(err, r.Apart())
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
