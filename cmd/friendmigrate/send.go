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
	j.p.View.Sending()
	totals := j.journal.Totals()
	togo := totals.Pending
	if j.pilot != nil {
		togo = j.pilot.edges - j.pilot.settled
	}
	if togo == 0 {
		return runResult{idle: true}
	}
	if err := j.journal.BeginRun(checkpoint.RunStart{At: time.Now().UTC(), Workers: j.set.Pace.Workers, Version: programVersion()}); err != nil {
		return runResult{err: err}
	}
	meter := new(migrate.Meter)
	j.watch.sending(meter, totals)
	j.watched(meter)
	where := j.set.Service.Target()
	if j.set.Service.Rehearse {
		where = "a simulated service in this process; nothing leaves this machine"
	}
	j.log.Info("sending to "+where, events.Send, zap.Uint64("sdkAppID", j.set.Service.SDKAppID),
		zap.Float64("rate", j.set.Pace.Rate), zap.Int("workers", j.set.Pace.Workers))

	retry := migrate.DefaultRetry
	retry.MaxAttempts = j.set.Pace.MaxAttempts
	var to migrate.Caller = migrate.CallerFunc(j.client.Import)
	if j.set.Job.OnlyMissing {
		to = sink.OnlyMissing(j.client)
	}
	plan := j.pilot.rosters(context.WithoutCancel(ctx), j.stage, j.journal.Done)
	summary, err := migrate.Run(ctx, plan, to, j.p.View.Timed(j.journal), migrate.Options{
		Workers: j.set.Pace.Workers, CallBytes: j.set.Pace.ChunkBytes, EdgeBytes: sink.EdgeBytes, Envelope: sink.EnvelopeBytes,
		Memory: j.set.Job.Memory / 4, Retry: retry, OutageTimeout: j.set.Pace.OutageTimeout, MaxDuration: j.set.Stop.MaxDuration, Since: j.p.Began,
		Limits: &migrate.Limits{
			Failures: j.set.Stop.MaxFailures, FailureRatio: j.set.Stop.MaxFailureRatio, ExtraCalls: j.set.Stop.ExtraCalls(j.stage.Totals().Chunks),
		},
		Probe: j.client.Probe, Meter: meter, Event: events.Engine(j.log),
	})
	result := runResult{summary: summary, stats: j.client.Stats(), err: err, cause: context.Cause(ctx)}
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
	return errors.Join(fmt.Errorf("%w; the next run builds it again from the input", err), j.stage.MarkDamaged())
}
