package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"path/filepath"
	"time"

	"go.uber.org/zap"

	"friendmigrate/cmd/friendmigrate/events"
	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/cmd/friendmigrate/progress"
	"friendmigrate/cmd/friendmigrate/report"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/cmd/friendmigrate/terminal"
	"friendmigrate/cmd/friendmigrate/verify"
	"friendmigrate/migrate"
	"friendmigrate/migrate/disk"
	"friendmigrate/sink/friendlist"
	"friendmigrate/source/stage"
)

// verifyJob is one run of verify. It reads the job's journal and stage and writes nothing of them.
type verifyJob struct {
	job.Job
	held   bool // the lock is somebody else's to release
	own    bool // the stage is the verify's own
	verify *verify.Verify
	pilot  *job.Pilot // nil: all accounts
	after  time.Time  // no call before; zero: none known
	keep   bool       // what was asked stays known after the end: it is a part of something larger
}

func verifyCommand() command {
	return command{
		name: "verify", args: "[INPUT...]", flags: settings.Flags, do: (*program).verifyAction,
		usage: "asks the service whether every edge is in place",
		text: `Asks the service whether every edge is there that the job in --state counts as in place, and what it has
of those that failed: by friend_check, 1000 friends of an account in a call, or with --fields by
friend_get alone. Edges that the job has not sent are pending and not asked about. INPUT may be named and
has to be the job's then; an INPUT that no job knows (give a --state of its own) is expected to be there
as a whole. It changes nothing. missing.csv and different.csv in --state list what is not as it should be,
in a form that import accepts (.jsonl where an input was). Of a job in shards it asks about all of them,
one after the other, at the whole rate; with --shard about one. After an interruption the same command
continues; after the end it begins anew.
`,
	}
}

// verifyAction is the command verify.
func (p *program) verifyAction(ctx context.Context, in invocation) error {
	set := in.Settings
	inputs := in.args
	j := verifyJob{Job: job.Job{Program: &p.Program, Inputs: inputs, Done: "asked", Suffix: "-verify", FS: disk.OS{},
		Set: set}}
	j.Begin("verify", set.MaxDuration)
	if err := j.Ready(ctx); err != nil {
		return err
	}
	var err error
	if j.pilot, err = j.OpenPilot(ctx); err != nil {
		return err
	}
	if err := job.Refused(p.Reads(in.values, inputs, set.Rows.Format).CheckState(set.Job.State),
		j.Apart()); err != nil {
		return err
	}
	result, err := j.whole(ctx)
	if err != nil {
		return err
	}
	if set.JSON {
		if err := terminal.WriteJSON(p.Std.Out, result); err != nil {
			return err
		}
	}
	p.ending = &exit.Ending{Code: exit.Code(result.Code), What: result.What, Hint: result.Hint, Why: result.ending.Why,
		Public: result.ending.Public}
	return nil
}

// whole is the verify of the state folder: of the job in it, or of all its shards where none is
// named.
func (j *verifyJob) whole(ctx context.Context) (verifyReport, error) {
	if j.Set.Job.Shard.Count == 0 {
		places, err := folder.Find(j.Set.Job.State)
		if err == nil && places[0].Shard.Count > 0 {
			return j.allShards(ctx, places)
		}
	}
	return j.run(ctx)
}

// run is the verify from the lock to the lists.
func (j *verifyJob) run(ctx context.Context) (result verifyReport, err error) {
	began := time.Now()
	defer func() { err = errors.Join(err, j.close()) }()
	if err := j.open(ctx, true); err != nil {
		return result, err
	}
	if j.Client, err = j.NewClient(ctx, j.Set.Service, j.Set.Pace, j.Key, j.startAfter(time.Now()), j.Log); err != nil {
		return result, err
	}
	shard := j.Set.Job.Shard
	if j.held { // one process asks for all shards, one after the other
		shard = settings.Shard{}
	}
	j.ObeyPace(j.Set.Job.State, shard, math.Inf(1))
	err = j.ask(ctx)
	return j.finish(ctx, began, err)
}

// open opens the job and, with begin, takes up or begins its verify: from there on nothing is left
// of an earlier one.
func (j *verifyJob) open(ctx context.Context, begin bool) (err error) {
	if err := j.openFolder(ctx); err != nil {
		return err
	}
	if err := j.openJob(); err != nil {
		return err
	}
	if err := j.openStage(ctx); err != nil {
		return err
	}
	if err := j.loadPilot(ctx); err != nil || !begin {
		return err
	}
	if j.verify, err = verify.Open(ctx, j.options()); err != nil {
		return j.ReadError(ctx, err)
	}
	if j.verify.Resumed {
		return nil
	}
	return j.writeReport(nil)
}

// options is what the verify is told. What the job has settled since an interrupted verify began
// makes another one of it: old verdicts would be wrong.
func (j *verifyJob) options() verify.Options {
	o := verify.Options{
		FS: j.FS, Dir: filepath.Join(j.Dir, folder.Verify), Lists: j.Dir, Stage: j.Stage,
		Counts: j.Counts, ID: j.Identity(), Job: j.Journal,
		Fields: j.Set.Fields, Sample: j.Set.Sample, Seed: rand.Uint64(),
	}
	if j.Journal != nil {
		recorded, totals := j.Journal.Identity(), j.Journal.Totals()
		o.ID.Options["job"] = fmt.Sprintf("%s %d %d %d", recorded.Created.Format(time.RFC3339Nano), totals.Imported,
			totals.Already, totals.Failed)
	}
	if j.pilot != nil {
		o.Accounts = func(from string) bool { return j.pilot.Has(from) }
		o.Rosters = func(ctx context.Context, skip func(int64, int) bool) iter.Seq2[migrate.Roster, error] {
			return j.pilot.Rosters(ctx, j.Stage, skip)
		}
		o.ID.Options["--only-accounts"] = j.pilot.Digest()
	}
	return o
}

// startAfter is when the first call may leave.
func (j *verifyJob) startAfter(now time.Time) time.Time {
	earlier := j.after
	if j.verify.Resumed {
		earlier = now.Add(time.Second)
	}
	if last := j.AfterLastRun(now); last.After(earlier) {
		return last
	}
	return earlier
}

// ask runs the engine and shows where it stands.
func (j *verifyJob) ask(ctx context.Context) error {
	start := j.verify.Progress()
	if start.Asked == start.Edges {
		return nil
	}
	drawn, all := j.verify.Drawn()
	text := fmt.Sprintf("asking %s by %s", j.Set.Service.Target(), j.how())
	if drawn < all {
		text += fmt.Sprintf(" about %d of %d edges drawn at random (seed %d)", drawn, all, j.verify.Seed)
	}
	if j.verify.Resumed {
		text += fmt.Sprintf("; resuming, %d of %d edges were asked about", start.Asked, start.Edges)
	}
	j.Log.Info(text, events.Ask, zap.Int64("edges", start.Edges), zap.Int64("pending", start.Edges-start.Asked),
		zap.Float64("rate", j.Set.Pace.Rate))
	meter := new(migrate.Meter)
	stop := j.Follow(j.Set.Output, j.Log, job.WorkOf(j.Client, meter, j.Set.Pace, func(s *progress.Snapshot) {
		now := j.verify.Progress()
		s.Doing, s.Settled, s.Total, s.Done, s.ToGo = "asking", now.Asked, now.Edges, now.CallsDone, now.Calls
		if now.Other > 0 {
			s.Note = terminal.Count(now.Other) + " missing or different"
		}
	}))
	defer stop()
	service := verify.Service{Check: j.Client.Check,
		Pages: func(from string) friendlist.Pages { return j.Client.Friends(from) }}
	engine := j.Engine(j.Set.Pace, j.Set.Job.Memory/4, j.Client, meter, j.Log)
	_, err := j.verify.Run(ctx, service, engine, func() int64 { return j.Client.Stats().Attempts })
	if n := j.verify.Doubtful; n > 0 {
		j.Log.Warn("the friends of "+terminal.Some(n, "account")+
			" are not as many as FriendNum says, so friend_check was asked about those that friend_get did not show",
			events.Ask)
	}
	return err
}

func (j *verifyJob) how() string {
	if j.Set.Fields {
		return "friend_get"
	}
	return "friend_check"
}

// finish writes the lists and the report, says how it ended and, if it has, forgets it.
func (j *verifyJob) finish(ctx context.Context, began time.Time, stopped error) (verifyReport, error) {
	r := verified{job: j, stop: job.Stop{Err: stopped, Cause: context.Cause(ctx), Asks: true}, took: time.Since(began)}
	if err := r.look(); err != nil {
		return verifyReport{}, err
	}
	result := r.report()
	if err := j.writeReport(&result.Verified); err != nil {
		return result, err
	}
	if !result.finished || j.keep {
		return result, nil
	}
	if err := j.verify.Finish(); err != nil {
		return result, err
	}
	return result, j.forgetOwn()
}

// writeReport puts what was found into the job's report, in place of what an earlier verify has
// found; nil: nothing yet.
func (j *verifyJob) writeReport(found *report.Verified) error {
	if j.Journal == nil {
		return nil // it is no job's
	}
	r, err := report.Read(filepath.Join(j.Dir, folder.Report))
	switch {
	case err == nil && r.Verified == nil && found == nil:
		return nil
	case err != nil && found == nil:
		return nil // a report that is not there or cannot be read says nothing of an earlier verify
	case err != nil:
		r = j.Report()
		r.Ending = report.Ending{At: time.Now().UTC(), Code: int(exit.Unfinished),
			What: "the report of the last run is not there; this one was written by verify"}
		if runs := j.Journal.Runs(); len(runs) > 0 && runs[len(runs)-1].End != nil {
			r.Ending.Code = runs[len(runs)-1].End.Code
		}
	}
	r.Verified, r.Lists = found, folder.Lists(j.Dir, j.Counts.ListFormat())
	err = errors.Join(disk.WriteWhole(j.FS, filepath.Join(j.Dir, folder.Report), r.WriteJSON),
		disk.WriteWhole(j.FS, filepath.Join(j.Dir, folder.Page), r.WriteHTML))
	if err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

// forgetOwn removes what the verify has staged for itself: it is personal data, and of no use any
// more.
func (j *verifyJob) forgetOwn() error {
	if !j.own {
		_ = j.FS.Remove(filepath.Join(j.Dir, folder.Verify)) // it is empty, unless another verify has left lists there
		return nil
	}
	err := j.Stage.Close()
	j.Stage = nil
	return errors.Join(err, stage.Remove(filepath.Join(j.Dir, folder.Verify, folder.Staged), j.FS))
}

func (j *verifyJob) close() error {
	if j.held {
		j.Lock = nil
	}
	if j.verify == nil {
		return j.Close()
	}
	return j.Close(j.verify.Close)
}
