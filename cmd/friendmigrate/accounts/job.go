package accounts

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"go.uber.org/zap"

	"friendmigrate/checkpoint"
	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/cmd/friendmigrate/progress"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/cmd/friendmigrate/terminal"
	"friendmigrate/migrate"
	"friendmigrate/sink"
	"friendmigrate/source"
	"friendmigrate/source/stage"
)

// Run is one run of the command.
type Run struct {
	job.Job
	pass     *Pass
	imported int64
}

// Result is the result of a run.
type Result struct {
	Counts
	Imported int64         `json:"imported"` // accounts imported by this run
	ByCode   map[int]int64 `json:"missingByCode"`
	Calls    int64         `json:"calls"` // of this run
	List     string        `json:"list"`
	Code     exit.Code     `json:"code"`
	What     string        `json:"what"`
	Hint     string        `json:"hint"`
}

// Do asks about the accounts, imports the missing ones if the settings say so, and writes the list.
// An error means that it could not begin, or that the list could not be written.
func (j *Run) Do(ctx context.Context) (r *Result, ending exit.Ending, err error) {
	began, pace := time.Now(), &j.Set.Pace
	pace.Rate = min(pace.Rate, j.Set.Job.Shard.RateOf(sink.AccountCallsPerSecond))
	pace.Workers = min(pace.Workers, sink.AccountCallsPerSecond*3/2)
	defer func() { err = errors.Join(err, j.Close()) }()
	if err := j.open(ctx); err != nil {
		return nil, ending, err
	}
	after := time.Time{}
	if j.pass.Resumed {
		after = time.Now().Add(time.Second)
	}
	if j.Client, err = j.NewClient(ctx, after); err != nil {
		return nil, ending, err
	}
	j.ObeyPace(pace.Rate)
	stop := job.Stop{Err: j.passes(ctx), Cause: context.Cause(ctx), Asks: true}
	j.View.Finish()
	r = &Result{Counts: j.pass.Counts(), Imported: j.imported, Calls: j.Client.Stats().Attempts,
		ByCode: map[int]int64{}, List: filepath.Join(j.Dir, folder.AccountsMissing)}
	for code, n := range j.Journal.Totals().FailedByCode {
		if code != 0 && n > 0 {
			r.ByCode[code] = n
		}
	}
	if err := j.pass.WriteMissing(r.List); err != nil {
		return nil, ending, fmt.Errorf("write the list of missing accounts: %w", err)
	}
	ending = j.ending(r, stop, time.Since(began))
	r.Code, r.What, r.Hint = ending.Code, ending.What, ending.Hint
	return r, ending, nil
}

// open takes the state folder and opens the current pass, or begins one.
func (j *Run) open(ctx context.Context) error {
	neighbours := folder.CheckNeighbours
	if j.Set.Shard.Count == 0 { // it is about all shards
		neighbours = func(string, settings.Shard) error { return nil }
	}
	if err := j.LockFolder(ctx, j.Set.State, neighbours); err != nil {
		return err
	}
	j.Set.Rows.NoSource = len(j.Inputs) > 0 && j.Again().Command == "update" // its rows need none
	pass, err := Open(j.FS, filepath.Join(j.Dir, folder.Accounts))
	switch {
	case err != nil:
		return err
	case pass == nil:
		return j.first(ctx)
	}
	j.pass, j.Journal = pass, pass.Journal
	return j.compare(ctx)
}

// first begins the first pass.
func (j *Run) first(ctx context.Context) (err error) {
	j.Log.Info("collecting the accounts of both sides", job.Event("read"))
	j.pass, err = First(j.FS, filepath.Join(j.Dir, folder.Accounts),
		func(file string) (checkpoint.Identity, error) { return j.collect(ctx, file) })
	j.Journal = j.pass.Journal
	return err
}

// collect writes the distinct ids of the staged input to a file, and returns the identity of the
// job that they belong to.
func (j *Run) collect(ctx context.Context, file string) (id checkpoint.Identity, err error) {
	own := filepath.Join(j.Dir, folder.Accounts)
	stages, digests, err := j.staged(ctx, own)
	defer func() {
		err = errors.Join(err, closeAll(stages), stage.Remove(filepath.Join(own, folder.Staged), j.FS))
	}()
	if err != nil {
		return id, err
	}
	id = j.Identity()
	id.Inputs = digests
	if len(j.Inputs) == 0 { // the job's options say what its rows mean
		meta, err := source.ReadMeta(stages[0])
		if err != nil {
			return id, err
		}
		id.Options = meta.Options
	}
	id.Edges, err = listIDs(ctx, stages, file, job.StagingShare(j.Set.Memory))
	if context.Cause(ctx) != nil {
		err = j.ReadError(ctx, err)
	}
	id.Rows = id.Edges
	return id, err
}

func closeAll(stages []*stage.Stage) error {
	var errs []error
	for _, s := range stages {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}

// staged opens the staged INPUT, or the stages in the state folder: of all shards if none is named.
// It returns the digests of the inputs. If no job has staged INPUT, it is staged in the folder own.
func (j *Run) staged(ctx context.Context, own string) (stages []*stage.Stage, digests []string, err error) {
	places := []folder.Place{{Dir: j.Dir}}
	if found, err := folder.Find(j.Dir); err == nil && len(j.Inputs) == 0 {
		places = found
	}
	if missing := folder.NotBegun(places); len(missing) > 0 {
		return nil, nil, job.Unusable(j.Line().Of("INPUT"), "%d of the %d shards in %q have no staged input: "+
			"import them first, name one by --shard, or the INPUT of all", len(missing), missing[0].Count, j.Dir)
	}
	for _, place := range places {
		one := j.Job
		one.Dir = place.Dir
		if _, err := one.OpenStaged(ctx, own); err != nil {
			return stages, nil, err
		}
		stages, digests = append(stages, one.Stage), one.Counts.Digests()
	}
	return stages, digests, nil
}

// compare refuses a pass of another job. Without INPUT, a stage that no longer exists is no reason
// to refuse, and a pass of an INPUT that was not imported gives way to one of the job.
func (j *Run) compare(ctx context.Context) error {
	recorded, want := j.Journal.Identity(), j.Identity()
	want.Inputs = recorded.Inputs
	if len(j.Inputs) == 0 {
		want.Options = recorded.Options
		stages, digests, err := j.staged(ctx, "")
		_ = closeAll(stages) // they were only read
		if err == nil && !slices.Equal(digests, recorded.Inputs) {
			if err := errors.Join(j.Journal.Close(), os.RemoveAll(filepath.Join(j.Dir, folder.Accounts))); err != nil {
				return err
			}
			return j.first(ctx)
		}
	}
	want.Options[checkpoint.CommandOption] = recorded.Options[checkpoint.CommandOption]
	if err := j.SameJob(recorded, want); err != nil || len(j.Inputs) == 0 {
		return err
	}
	for _, digest := range recorded.Inputs {
		j.Counts.Inputs = append(j.Counts.Inputs, source.Input{Digest: digest})
	}
	_, err := j.CompareInputs(ctx, j.Counts.Inputs)
	return err
}

// passes continues the current pass and begins those that follow.
func (j *Run) passes(ctx context.Context) error {
	t := j.Journal.Totals()
	switch finished := t.Pending == 0; {
	case finished && t.Failed == 0:
		return nil
	case finished, j.pass.Imports() && !j.Set.Import:
		allMissing := t.Failed == t.FailedByCode[0] // an account with a code is asked about before any import
		if err := j.next(j.Set.Import && allMissing); err != nil {
			return err
		}
	}
	if err := j.run(ctx); err != nil {
		return err
	}
	if !j.Set.Import || j.pass.Imports() || j.Journal.Totals().Failed == 0 {
		return nil
	}
	if err := j.next(true); err != nil {
		return err
	}
	return j.run(ctx)
}

func (j *Run) next(imports bool) error {
	next, err := j.pass.Next(imports)
	if err != nil {
		return fmt.Errorf("begin with the accounts that are missing: %w", err)
	}
	j.pass, j.Journal = next, next.Journal
	return nil
}

// run runs the engine over the open part of the pass.
func (j *Run) run(ctx context.Context) error {
	start := j.Journal.Totals()
	if err := j.Journal.BeginRun(checkpoint.RunStart{At: time.Now().UTC(), Workers: j.Set.Workers,
		Version: j.Version}); err != nil {
		return err
	}
	call, api := j.Client.Accounts, "account_check"
	if j.pass.Imports() {
		call, api = j.Client.ImportAccounts, "multiaccount_import"
	}
	j.Log.Info(fmt.Sprintf("%s by %s: %s", j.Set.Service.Target(), api, terminal.Some(start.Pending, "account")),
		job.Event("ask"), zap.Int64("pending", start.Pending), zap.Float64("rate", j.Set.Rate))
	meter, pass := new(migrate.Meter), j.pass
	fill := func(s *progress.Snapshot) {
		now := pass.Journal.Totals()
		s.Phase, s.Noun, s.Total = progress.Sending, "account", pass.Journal.Identity().Edges
		s.Settled, s.Done, s.ToGo = now.Settled(), now.Chunks, pass.Journal.Identity().Chunks-now.Chunks
	}
	stop := j.Follow(meter, fill, nil)
	_, err := migrate.Run(ctx, pass.Plan(), pass.Caller(call), j.View.Timed(j.Journal), j.EngineOptions(meter))
	stop()
	if pass.Imports() {
		j.imported += j.Journal.Totals().Imported - start.Imported
	}
	// AllAnswered, because neither asking nor importing twice does harm
	return errors.Join(err, j.Journal.EndRun(checkpoint.RunEnd{At: time.Now().UTC(), AllAnswered: true}))
}
