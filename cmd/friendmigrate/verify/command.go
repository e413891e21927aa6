package verify

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"time"

	"go.uber.org/zap"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/inspect"
	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/cmd/friendmigrate/progress"
	"friendmigrate/cmd/friendmigrate/report"
	"friendmigrate/cmd/friendmigrate/terminal"
	"friendmigrate/migrate"
	"friendmigrate/sink/friendlist"
)

// Result is the result of a verify of a job, or of all its shards together.
type Result struct {
	*job.Job
	report.Verified
	Parts []*Part // one, or one per shard
	Stop  job.Stop
	Calls int64
	Took  time.Duration
}

// done reports whether nothing is left to ask.
func (r *Result) done() bool { return r.Stop.Err == nil && r.Unasked == 0 && len(r.NoVerdict) == 0 }

// how names the API that is asked.
func (r *Result) how() string {
	if r.Set.Fields {
		return "friend_get"
	}
	return "friend_check"
}

// Do verifies what the settings of j ask for and writes lists and reports. The answers are kept
// until everything has a verdict, so the same command continues after an interruption.
func Do(ctx context.Context, j *job.Job, reads *folder.Reads) (r *Result, ending exit.Ending, err error) {
	pilot, err := j.OpenPilot(ctx)
	if err != nil {
		return nil, ending, err
	}
	if err := job.WouldOverwrite(reads.CheckState(j.Set.Job.State), j.Apart()); err != nil {
		return nil, ending, err
	}
	r = &Result{Job: j}
	defer func() { err = errors.Join(err, r.close()) }()
	if err := r.open(ctx, pilot); err != nil {
		return r, ending, err
	}
	began := time.Now()
	r.Stop = job.Stop{Err: r.ask(ctx), Cause: context.Cause(ctx), Asks: true}
	r.Took, r.Calls = time.Since(began), r.Client.Stats().Attempts
	ending, err = r.finish()
	return r, ending, err
}

// open opens all parts before the first call, so that no part keeps results of an older verify,
// however this one ends.
func (r *Result) open(ctx context.Context, pilot *job.Pilot) error {
	places := []folder.Place{{Shard: r.Set.Job.Shard}}
	if r.Set.Job.Shard.Count == 0 {
		if found, err := folder.Find(r.Set.Job.State); err == nil && found[0].Shard.Count > 0 {
			places = found
			if err := r.refuseShards(places); err != nil {
				return err
			}
		}
	}
	for _, place := range places {
		p := &Part{Job: *r.Job, Pilot: pilot}
		if p.Set.Job.Shard = place.Shard; len(places) > 1 {
			p.Pilot = pilot.OfShard(place.Shard)
		}
		r.Parts = append(r.Parts, p)
		// no import may run at the same time, because both together would exceed the rate
		if err := p.LockFolder(ctx, p.Set.State, folder.CheckNeighbours); err != nil {
			return err
		}
	}
	known := 0
	for _, p := range r.Parts {
		if err := p.open(ctx); err != nil {
			return err
		}
		if err := p.findPilot(ctx); err != nil {
			return err
		}
		if pilot != nil {
			known += p.Pilot.Named() - p.Pilot.Unknown()
		}
	}
	if pilot != nil && len(places) > 1 && known == 0 {
		return pilot.NoEdges()
	}
	for _, p := range r.Parts {
		if err := p.Begin(ctx); err != nil {
			return p.ReadError(ctx, job.StageError(p.Stage, err))
		}
		if p.Resumed {
			continue
		}
		if err := p.writeReport(nil); err != nil {
			return err
		}
	}
	return r.openClient(ctx)
}

// refuseShards says what cannot be done with all shards at once.
func (r *Result) refuseShards(places []folder.Place) error {
	missing, mixed := folder.NotBegun(places), folder.Mixed(places)
	switch {
	case slices.Contains(r.Inputs, "-"):
		return job.Unusable(r.Line().Of(),
			"standard input cannot be divided among shards; name a file, or no INPUT for what is staged")
	case mixed != "":
		return exit.Errorf(exit.OtherJob, r.Apart()+" # asks about the whole INPUT", "%s; nothing was asked", mixed)
	case len(missing) > 0:
		r.Dir = r.Set.Job.State // whose other shards know the input
		l := r.As(r.Line(), "import", "json", "max-duration").With("shard", missing[0].String())
		return job.Unusable(r.Again().On(l),
			"%d of the %d shards in %q %s no staged job, shard %s among them: import them first, or name one by "+
				"--shard",
			len(missing), missing[0].Count, r.Set.Job.State, terminal.Verb(int64(len(missing)), "has", "have"),
			missing[0])
	case r.Set.Sample > 0:
		return job.Unusable(r.Line().With("shard", places[0].Shard.String()), "--sample draws from one shard: name it")
	}
	return nil
}

// openClient makes the client. It sends no call while calls of an earlier process may still count
// towards the rate.
func (r *Result) openClient(ctx context.Context) (err error) {
	now, after := time.Now(), time.Time{}
	for _, p := range r.Parts {
		before := time.Time{}
		switch {
		case p.Resumed:
			before = now.Add(time.Second)
		case p.Journal != nil:
			before = p.AfterLastRun(now)
		}
		if before.After(after) {
			after = before
		}
	}
	if r.Client, err = r.NewClient(ctx, after); err != nil {
		return err
	}
	r.ObeyPace(math.Inf(1))
	return nil
}

// progress returns the progress of all parts together.
func (r *Result) progress() (sum Progress) {
	for _, p := range r.Parts {
		sum = report.Plus(sum, p.Progress())
	}
	return sum
}

// ask asks about everything without a verdict, and shows the progress.
func (r *Result) ask(ctx context.Context) error {
	start := r.progress()
	if start.Asked == start.Edges {
		return nil
	}
	text := fmt.Sprintf("asking %s by %s about %s", r.Set.Target(), r.how(), terminal.Some(start.Edges, "edge"))
	if start.Asked > 0 {
		text += fmt.Sprintf("; resuming after %s", terminal.Some(start.Asked, "edge"))
	}
	r.Log.Info(text, job.Event("ask"), zap.Int64("edges", start.Edges), zap.Int64("pending", start.Edges-start.Asked),
		zap.Float64("rate", r.Set.Rate))
	meter := new(migrate.Meter)
	defer r.Follow(meter, r.fill, r.record)()
	return r.askParts(ctx, Service{Check: r.Client.Check,
		Pages: func(from string) friendlist.Pages { return r.Client.Friends(from) }}, r.EngineOptions(meter),
		func() int64 { return r.Client.Stats().Attempts })
}

// askParts runs the engine over the parts, one after the other. Accounts of a part whose calls get
// no answer do not keep it from the next one.
func (r *Result) askParts(ctx context.Context, s Service, engine migrate.Options, calls func() int64) error {
	var unanswered error
	for _, p := range r.Parts {
		doubtful, err := p.Ask(ctx, s, engine, calls)
		if doubtful > 0 {
			r.Log.Warn(fmt.Sprintf("%s a friend list that may be incomplete; friend_check was asked about those that "+
				"friend_get did not show", terminal.HasHave(doubtful, "account")), job.Event("ask"))
		}
		switch stop := (job.Stop{Err: err}); {
		case stop.Why() == string(migrate.ReasonUnanswered):
			unanswered = err
		case err != nil:
			return job.StageError(p.Stage, err)
		}
	}
	return unanswered
}

// fill writes the progress of the verify into s.
func (r *Result) fill(s *progress.Snapshot) {
	now := r.progress()
	s.Doing, s.Settled, s.Total, s.Done, s.ToGo = "asking", now.Asked, now.Edges, now.Asked, now.Edges-now.Asked
	if now.Other == 0 {
		return
	}
	what := " missing or different"
	if slices.ContainsFunc(r.Parts, func(p *Part) bool { return p.Journal != nil && p.Journal.Totals().Failed > 0 }) {
		what = " missing, different or failed before"
	}
	s.Note = terminal.Count(now.Other) + what
}

// record writes into the folder of each part how far it is, for status. The calls are those of the
// part that is asked about now. The others show only that there is a process.
func (r *Result) record(s progress.Snapshot) {
	calls, left := s.Calls, s.Left
	for _, p := range r.Parts {
		now := p.Progress()
		s.Settled, s.Total, s.Percent = now.Asked, now.Edges, progress.Percent(now.Asked, now.Edges)
		if s.Calls, s.Left = nil, nil; now.Asked < now.Edges {
			s.Calls, s.Left, calls, left = calls, left, nil, nil
		}
		if s.Calls == nil && s.Clock.Sub(p.recorded) < inspect.SignOfLife/2 {
			continue
		}
		p.recorded = s.Clock
		_ = report.WriteUnsynced(filepath.Join(p.dir(), folder.Progress), s) // it is only for looking at
	}
}

// finish writes the lists and the reports. It forgets the answers if everything has a verdict.
func (r *Result) finish() (ending exit.Ending, err error) {
	var all *report.Verified
	for _, p := range r.Parts {
		if err := p.WriteLists(); err != nil {
			return ending, err
		}
		if p.Found, err = p.Look(); err != nil {
			return ending, err
		}
		if p.Found.Rejected = p.Counts.Rejected; p.Pilot != nil {
			if p.Found.Rejected, err = p.Pilot.Rejected(filepath.Dir(p.rejectedPath())); err != nil {
				return ending, err
			}
		}
		p.Found.At, p.Found.How, p.Found.Lists = time.Now().UTC(), r.how(), []string{p.Lists.Missing, p.Lists.Different}
		all = all.Plus(&p.Found)
	}
	r.Verified = *all
	for _, p := range r.Parts {
		one := &Result{Job: r.Job, Verified: p.Found, Parts: []*Part{p}, Calls: p.Calls, Took: r.Took}
		if now := p.Progress(); now.Asked < now.Edges { // perhaps only edges that failed in the job
			one.Stop = r.Stop
		}
		e := r.HintOutsidePod(one.ending())
		p.Found.Code, p.Found.What, p.Found.Hint = int(e.Code), e.What, e.Hint
		if err := p.writeReport(&p.Found); err != nil {
			return ending, err
		}
	}
	ending = r.HintOutsidePod(r.ending())
	r.Code, r.What, r.Hint = int(ending.Code), ending.What, ending.Hint
	if !r.done() {
		return ending, nil
	}
	var errs []error
	for _, p := range r.Parts {
		errs = append(errs, p.Finish(), p.forgetOwn())
	}
	return ending, errors.Join(errs...)
}

// writeReport replaces the result of an earlier verify in the job's report. found is nil before
// there is a new result.
func (p *Part) writeReport(found *report.Verified) error {
	if p.Journal == nil {
		return nil // no job, so no report
	}
	state := inspect.Job{Place: folder.Place{Dir: p.Dir}, Journal: p.Journal, Undone: p.undone, Counts: p.Counts}
	if !p.own { // what verify staged itself does not tell all that the job's stage did
		state.Stage = p.Stage
	}
	r := state.Report(p.VersionLine())
	if found == nil && r.Verified == nil {
		return nil // no result of an earlier verify to remove
	}
	r.Verified = found
	return job.WriteReport(p.FS, p.Dir, r)
}

func (r *Result) close() error {
	errs := []error{r.Job.Close()}
	for _, p := range r.Parts {
		errs = append(errs, p.Close(p.CloseVerdicts))
		if p.undo != nil {
			errs = append(errs, p.undo.Close())
		}
	}
	return errors.Join(errs...)
}

// JSON is the result in a form for programs.
type JSON struct {
	Version int    `json:"version"`
	Shard   string `json:"shard,omitempty"`
	report.Verified
	Calls  int64  `json:"calls"` // of this run
	Fields bool   `json:"fields"`
	Shards []JSON `json:"shards,omitempty"`
}

// JSON returns the result for programs, with the results of each shard.
func (r *Result) JSON() JSON {
	all := JSON{Version: 1, Verified: r.Verified, Calls: r.Calls, Fields: r.Set.Fields}
	for _, p := range r.Parts {
		shard := p.Set.Job.Shard.String()
		if len(r.Parts) == 1 {
			all.Shard = shard
			break
		}
		all.Shards = append(all.Shards, JSON{Version: 1, Shard: shard, Verified: p.Found, Calls: p.Calls,
			Fields: r.Set.Fields})
	}
	return all
}
