package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"friendmigrate/checkpoint"
	"friendmigrate/cmd/friendmigrate/events"
	"friendmigrate/migrate"
	"friendmigrate/sink"
	"friendmigrate/source/stage"
)

// runResult is what one run of the engine came to.
type runResult struct {
	began   time.Time
	idle    bool // there was nothing to send
	summary migrate.Summary
	stats   sink.Stats
	err     error
	cause   error // why the context ended, if it did
}

// send runs the engine over what is open in the plan.
func (j *importJob) send(ctx context.Context) runResult {
	j.View.Sending()
	totals := j.Journal.Totals()
	togo := totals.Pending
	if j.pilot != nil {
		togo = j.pilot.edges - j.pilot.settled
	}
	if togo == 0 {
		return runResult{idle: true}
	}
	if err := j.Journal.BeginRun(checkpoint.RunStart{At: time.Now().UTC(), Workers: j.Set.Pace.Workers,
		Version: programVersion()}); err != nil {
		return runResult{err: err}
	}
	meter := new(migrate.Meter)
	j.watch.sending(meter, totals)
	j.watched(meter)
	where := j.Set.Service.Target()
	if j.Set.Service.Rehearse {
		where = "a simulated service in this process; nothing leaves this machine"
	}
	j.Log.Info("sending to "+where, events.Send, zap.Uint64("sdkAppID", j.Set.Service.SDKAppID),
		zap.Float64("rate", j.Set.Pace.Rate), zap.Int("workers", j.Set.Pace.Workers))

	var to migrate.Caller = migrate.CallerFunc(j.Client.Import)
	if j.Set.Job.OnlyMissing {
		to = sink.OnlyMissing(j.Client)
	}
	plan := j.pilot.rosters(context.WithoutCancel(ctx), j.Stage, j.Journal.Done)
	engine := j.Engine(j.Set.Pace, j.Set.Job.Memory/4, j.Client, meter, j.Log)
	engine.CallBytes, engine.EdgeBytes, engine.Envelope = j.Set.Pace.ChunkBytes, sink.EdgeBytes, sink.EnvelopeBytes
	engine.Limits = &migrate.Limits{
		Failures: j.Set.Stop.MaxFailures, FailureRatio: j.Set.Stop.MaxFailureRatio,
		ExtraCalls: j.Set.Stop.ExtraCalls(j.Stage.Totals().Chunks),
	}
	summary, err := migrate.Run(ctx, plan, to, j.View.Timed(j.Journal), engine)
	result := runResult{summary: summary, stats: j.Client.Stats(), err: err, cause: context.Cause(ctx)}
	if errors.Is(err, stage.ErrDamaged) {
		result.err = j.planError(ctx, err)
	}
	return result
}

// planError marks a damaged stage, so that the next run builds it again.
func (j *importJob) planError(ctx context.Context, err error) error {
	if !errors.Is(err, stage.ErrDamaged) {
		if context.Cause(ctx) != nil {
			return j.readError(ctx, err)
		}
		return err
	}
	return errors.Join(fmt.Errorf("%w; the next run builds it again from the input", err), j.Stage.MarkDamaged())
}
