package accounts

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"go.uber.org/zap"

	"friendmigrate/checkpoint"
	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/cmd/friendmigrate/plan"
	"friendmigrate/cmd/friendmigrate/progress"
	"friendmigrate/cmd/friendmigrate/report"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/cmd/friendmigrate/terminal"
	"friendmigrate/migrate"
	"friendmigrate/sink"
	"friendmigrate/source"
	"friendmigrate/source/stage"
)

// Job is one run of the command.
type Job struct {
	job.Job
	pass     *Pass
	imported int64
}

// Result is what is known at its end.
type Result struct {
	Counts
	Imported int64         `json:"imported"` // by this run
	ByCode   map[int]int64 `json:"missingByCode"`
	Calls    int64         `json:"calls"` // of this run
	List     string        `json:"list"`
	Code     exit.Code     `json:"code"`
	What     string        `json:"what"`
	Hint     string        `json:"hint"`
}

// Do asks, imports where that is asked for, and writes the list. An error means that it could not
// begin, or that the list could not be written.
func (j *Job) Do(ctx context.Context) (r *Result, ending exit.Ending, err error) {
	began, pace := time.Now(), &j.Set.Pace
	pace.Rate = min(pace.Rate, settings.Share(sink.AccountCallsPerSecond, j.Set.Job.Shard))
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
	j.View.Rest()
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

// open takes the state folder and opens the present pass, or begins one.
func (j *Job) open(ctx context.Context) error {
	if err := j.CheckBase(); err != nil {
		return err
	}
	anyDivision := func(string, settings.Shard) error { return nil }
	err := j.Take(ctx, j.Set.State, anyDivision)
	if errors.Is(err, job.ErrNoFolder) {
		return j.nothingStaged()
	}
	if err != nil {
		return err
	}
	dir := filepath.Join(j.Dir, folder.Accounts)
	if j.pass, err = Open(j.FS, dir); err != nil {
		return err
	}
	if j.pass != nil {
		j.Journal = j.pass.Journal
		return j.compare(ctx)
	}
	j.Log.Info("collecting the accounts of both sides", job.EventRead)
	if j.pass, err = First(j.FS, dir, func(file string) (checkpoint.Identity, error) {
		if len(j.Inputs) > 0 {
			return j.collectInput(ctx, file)
		}
		return j.collectStaged(ctx, file)
	}); err == nil {
		j.Journal = j.pass.Journal
	}
	return err
}

func (j *Job) nothingStaged() error {
	return job.Unusable(j.Line().Of("INPUT"),
		"there is no staged job in %q: name the INPUT whose accounts are meant, or the job's --state", j.Set.State)
}

// collectInput writes the distinct ids of INPUT to a file, and says which job they are of.
func (j *Job) collectInput(ctx context.Context, file string) (id checkpoint.Identity, err error) {
	var reading job.Reading
	j.View.Watch(progress.Work{Fill: reading.Fill})
	defer j.StartShow(nil).Stop()
	id = j.Identity()
	memory := job.StagingShare(j.Set.Memory)
	p, err := plan.Make(ctx, plan.Options{
		Inputs: j.Inputs, Stdin: j.Input(), Objects: j.Store, Rows: j.Set.Rows, Shard: id.Shard, Shards: id.Shards,
		State: j.Set.State, Dir: j.Dir, Memory: memory, Lanes: source.Lanes(memory), ChunkBytes: j.Set.ChunkBytes,
		Rate: j.Set.Rate, Progress: reading.Take, Waits: j.Warner(job.EventWaits),
		Staged: func(ctx context.Context, s *stage.Stage) (_ string, err error) {
			id.Edges, err = listIDs(ctx, []*stage.Stage{s}, file, memory)
			return "", err
		},
	})
	if err == nil && p.Edges == 0 {
		id.Edges, err = listIDs(ctx, nil, file, memory)
	}
	switch {
	case err != nil:
		return id, j.ReadError(ctx, err)
	case p.OtherJob:
		return id, j.OtherJob([]string{"it was staged from other inputs"})
	case p.Rows.Rejected > 0:
		j.Log.Warn(terminal.WasWere(p.Rows.Rejected, "row")+" rejected, and their accounts are not asked about; "+
			"friendmigrate plan shows them", job.EventRejected, zap.Int64("rows", p.Rows.Rejected))
	}
	for _, in := range p.Inputs {
		id.Inputs = append(id.Inputs, in.Digest)
	}
	id.Rows = id.Edges
	return id, nil
}

// collectStaged does the same for what is staged.
func (j *Job) collectStaged(ctx context.Context, file string) (id checkpoint.Identity, err error) {
	id = j.Identity()
	stages, digests, err := j.staged()
	defer func() { err = errors.Join(err, closeAll(stages)) }()
	if err != nil {
		return id, err
	}
	id.Inputs = digests
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

// staged opens what is staged in the state folder, of all its shards where none is named, and
// returns the digests of the inputs.
func (j *Job) staged() (stages []*stage.Stage, digests []string, err error) {
	places := []folder.Place{{Dir: j.Dir}}
	if found, err := folder.Find(j.Dir); err == nil {
		places = found
	}
	for _, place := range places {
		s, meta, err := source.OpenStaged(filepath.Join(place.Dir, folder.Staged), j.FS)
		if errors.Is(err, fs.ErrNotExist) {
			err = j.nothingStaged()
		}
		if err != nil {
			return stages, nil, err
		}
		stages, digests = append(stages, s), nil
		for _, in := range meta.Counts.Inputs {
			digests = append(digests, in.Digest)
		}
	}
	return stages, digests, nil
}

// compare refuses a pass that is of another job. Without INPUT, a stage that is gone by now says
// nothing against it.
func (j *Job) compare(ctx context.Context) error {
	recorded, want := j.Journal.Identity(), j.Identity()
	want.Inputs = recorded.Inputs
	if len(j.Inputs) == 0 {
		want.Options = recorded.Options
		stages, digests, err := j.staged()
		if err == nil {
			want.Inputs = digests
		}
		_ = closeAll(stages) // they were only looked at
	}
	want.Options[checkpoint.CommandOption] = recorded.Options[checkpoint.CommandOption]
	if differences := recorded.Differs(want); len(differences) > 0 {
		return j.OtherJob(differences)
	}
	if len(j.Inputs) == 0 {
		return nil
	}
	for _, digest := range recorded.Inputs {
		j.Counts.Inputs = append(j.Counts.Inputs, source.Input{Digest: digest})
	}
	_, err := j.CompareInputs(ctx, j.Counts.Inputs)
	return err
}

// passes goes on with the present pass, and begins what comes after it.
func (j *Job) passes(ctx context.Context) error {
	t := j.Journal.Totals()
	switch finished := t.Pending == 0; {
	case finished && t.Failed == 0:
		return nil
	case finished, j.pass.Imports() && !j.Set.Import:
		if err := j.next(j.Set.Import); err != nil {
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

func (j *Job) next(imports bool) error {
	next, err := j.pass.Next(imports)
	if err != nil {
		return fmt.Errorf("begin with the accounts that are missing: %w", err)
	}
	j.pass, j.Journal = next, next.Journal
	return nil
}

// run runs the engine over what is open of the pass.
func (j *Job) run(ctx context.Context) error {
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
		job.EventAsk, zap.Int64("pending", start.Pending), zap.Float64("rate", j.Set.Rate))
	meter, pass := new(migrate.Meter), j.pass
	fill := func(s *progress.Snapshot) {
		now := pass.Journal.Totals()
		s.Phase, s.Noun, s.Total = progress.Sending, "account", pass.Journal.Identity().Edges
		s.Settled, s.Done, s.ToGo = now.Settled(), now.Chunks, pass.Journal.Identity().Chunks-now.Chunks
	}
	stop := j.Follow(meter, fill)
	engine := j.Engine(meter)
	engine.CallBytes, engine.EdgeBytes = 1<<20, func(*migrate.Edge) int { return 0 }
	_, err := migrate.Run(ctx, pass.Plan(), Caller(call), j.View.Timed(j.Journal), engine)
	stop()
	if pass.Imports() {
		j.imported += j.Journal.Totals().Imported - start.Imported
	}
	// AllAnswered: asking twice does no harm, nor does importing twice
	return errors.Join(err, j.Journal.EndRun(checkpoint.RunEnd{At: time.Now().UTC(), AllAnswered: true}))
}

// ending finds the exit code and puts the ending in words.
func (j *Job) ending(r *Result, stop job.Stop, took time.Duration) exit.Ending {
	text := fmt.Sprintf("%s of %s %s", terminal.Count(r.Exist), terminal.Some(r.All, "account"),
		terminal.Verb(r.All, "exists", "exist"))
	if r.Exist == r.All {
		text = fmt.Sprintf("all %s exist", terminal.Some(r.All, "account"))
	}
	if r.Imported > 0 {
		text += fmt.Sprintf(" (%s imported)", terminal.Count(r.Imported))
	}
	if r.Missing > 0 {
		text += fmt.Sprintf(", %s %s missing%s, see %s", terminal.Count(r.Missing),
			terminal.Verb(r.Missing, "is", "are"), report.Codes(r.ByCode), r.List)
	}
	if r.Unasked > 0 {
		text += fmt.Sprintf(", %s still to be asked about", terminal.IsAre(r.Unasked, "account"))
	}
	if r.Calls > 0 {
		text += fmt.Sprintf(", %s in %s", terminal.Some(r.Calls, "call"), terminal.Took(took))
	}
	if stop.Err != nil {
		e := stop.Ending(stop.Code(), func(why string) string { return why + "; " + text })
		e.Hint = cmp.Or(j.SilentHint(stop), j.ResumeLine().String())
		return e
	}
	inputs := j.Inputs
	if len(inputs) == 0 {
		inputs = []string{"INPUT"}
	}
	e := exit.Ending{What: "finished: " + text, Hint: j.As(j.Line(), "plan", "json").Of(inputs...).String()}
	switch {
	case r.Missing > 0 && j.Set.Import:
		e.Code, e.Hint = exit.Exceptions, j.Line().String()+" # after finding out why those of the list are refused"
	case r.Missing > 0:
		e.Code, e.Hint = exit.Exceptions, j.Line().With("import", "").String()+" # imports those that are missing"
	}
	return e
}
