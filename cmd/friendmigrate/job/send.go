package job

import (
	"context"
	"errors"
	"os"
	"time"

	"go.uber.org/zap"

	"friendmigrate/checkpoint"
	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/migrate"
	"friendmigrate/sink"
	"friendmigrate/source/stage"
)

// runResult is the result of one run of the engine.
type runResult struct {
	began   time.Time
	idle    bool // there was nothing to send
	summary migrate.Snapshot
	stats   sink.Stats
	paused  time.Duration // by friendmigrate pace
	err     error
	cause   error // why the context ended, if it did
}

// send runs the engine over the open edges of the plan.
func (j *Run) send(ctx context.Context) runResult {
	meter := new(migrate.Meter)
	j.watchSending(meter)
	totals := j.Journal.Totals()
	togo := totals.Pending
	if j.Pilot != nil {
		togo = j.Pilot.edges - j.Pilot.settled
	}
	if togo == 0 {
		return runResult{idle: true}
	}
	dir, _ := os.Getwd() // without it, hints are as they were typed
	if err := j.Journal.BeginRun(checkpoint.RunStart{At: time.Now().UTC(), Workers: j.Set.Pace.Workers,
		Version: j.Version, OnlyMissing: j.Set.Job.OnlyMissing, Fresh: j.Set.Job.Fresh, Dir: dir}); err != nil {
		return runResult{err: err}
	}
	where := j.Set.Service.Target()
	if j.Set.Service.Rehearse {
		where = "a simulated service in this process; nothing leaves this machine"
	}
	j.Log.Info("sending to "+where, Event("send"), zap.Uint64("sdkAppID", j.Set.Service.SDKAppID),
		zap.Float64("rate", j.Set.Pace.Rate), zap.Int("workers", j.Set.Pace.Workers))

	// Without a pilot (nil), Rosters yields the whole plan.
	plan := j.Pilot.Rosters(context.WithoutCancel(ctx), j.Stage, j.Journal.Done)
	if j.Op.Part != nil {
		plan = migrate.Only(plan, j.Op.Part)
	}
	engine := j.EngineOptions(meter)
	engine.Room, engine.EdgeBytes = j.Set.Pace.CallBytes-sink.EmptyCallBytes, sink.EdgeBytes
	if j.Op.EdgeBytes != nil {
		engine.EdgeBytes = j.Op.EdgeBytes
	}
	engine.Limits = &migrate.Limits{
		Failures: j.Set.Stop.MaxFailures, FailureRatio: j.Set.Stop.MaxFailureRatio,
		ExtraCalls: j.Set.Stop.ExtraCalls(j.Stage.Totals().Chunks),
	}
	// Op.Caller is set in jobs.go of package main or in undo.go of this one: Client.Import,
	// ImportMissing, Update or Delete. Timed only measures how long Settle takes.
	summary, err := migrate.Run(ctx, plan, j.Op.Caller(j), j.View.Timed(j.Journal), engine)
	result := runResult{summary: summary, stats: j.Client.Stats(), paused: j.Client.Paused(), err: err,
		cause: context.Cause(ctx)}
	if stop, is := errors.AsType[*migrate.StopError](err); is && stop.Brake != nil && j.Op.Command == "undo" {
		stop.Brake.Fields = nil // a deletion sends none
	}
	if errors.Is(err, stage.ErrDamaged) {
		result.err = j.planError(ctx, err)
	}
	if lost, is := errors.AsType[*exit.Error](result.cause); is {
		result.err = lost
	}
	return result
}

// planError is like StageError, and also says which signal ended ctx.
func (j *Run) planError(ctx context.Context, err error) error {
	if !errors.Is(err, stage.ErrDamaged) && context.Cause(ctx) != nil {
		return j.InputError(ctx, err)
	}
	return StageError(j.Stage, err)
}
