package answers

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"testing"
	"time"

	"friendmigrate/checkpoint"
	"friendmigrate/migrate"
	"friendmigrate/migrate/disk"
	"friendmigrate/sink"
	"friendmigrate/source/stage"
)

// job is a staged input and its journal, as they lie in a state folder.
type job struct {
	t       testing.TB
	stage   *stage.Stage
	journal *checkpoint.Journal
}

// folder is where a job lies on its disk in memory. No such folder is on the real one.
const folder = "answers-in-memory"

// newJob stages edges and makes their journal.
func newJob(t testing.TB, edges iter.Seq[migrate.Edge]) *job {
	t.Helper()
	fsys := newMemory()
	return newJobOn(t, fsys, folder+"/staged", fsys, edges)
}

// newJobOn has the stage on a disk of its own. The journal is always in memory.
func newJobOn(t testing.TB, stageDisk disk.FS, staged string, fsys *memory, edges iter.Seq[migrate.Edge]) *job {
	t.Helper()
	const dir = folder
	must := func(err error) {
		if err != nil {
			t.Helper()
			t.Fatal(err)
		}
	}
	w, err := stage.Create(stage.Options{Dir: staged, FS: stageDisk, Memory: 64 << 20, Lanes: 1})
	must(err)
	rows := int64(0)
	for e := range edges {
		rows++
		e.Line = rows + 1
		_, err := w.Lane(0).Add(&e)
		must(err)
	}
	plan, err := w.WriteRosters(context.Background(), func(_, _ *migrate.Edge, _ bool) error { return nil })
	must(err)
	must(checkpoint.Create(fsys, dir, checkpoint.Identity{
		SDKAppID: app, Target: "test", Edges: plan.Edges, Chunks: plan.Chunks, Rows: rows, Duplicates: plan.Duplicates, PlanDigest: plan.PlanDigest,
	}))
	j := &job{t: t}
	j.journal, err = checkpoint.Open(fsys, dir)
	must(err)
	must(w.Seal(nil))
	j.stage, err = stage.Open(staged, stageDisk)
	must(err)
	t.Cleanup(func() { must(errors.Join(j.journal.Close(), j.stage.Close())) })
	return j
}

// ring is a graph in which each account has the next friends accounts as friends.
func ring(accounts, friends int) iter.Seq[migrate.Edge] {
	return func(yield func(migrate.Edge) bool) {
		for i := range accounts {
			for k := range friends {
				if !yield(migrate.Edge{From: account(i), To: account((i + k + 1) % accounts), AddSource: "AddSource_Type_Test"}) {
					return
				}
			}
		}
	}
}

func account(i int) string { return fmt.Sprintf("u%d", i) }

// flags are those of import that matter here. A zero field is the default.
type flags struct {
	rate          float64
	workers       int
	timeout       time.Duration
	maxAttempts   int
	outageTimeout time.Duration
	maxDuration   time.Duration
	sigLifetime   time.Duration
	chunkBytes    int
	maxFailures   int64
	onlyMissing   bool
	key           sink.KeySource
	log           sink.Logger
	event         func(migrate.Event)
	wrap          func(migrate.Caller) migrate.Caller // sees every call of the engine
	watch         func(*sink.Client, *migrate.Meter)  // is told what can be read while it runs
	config        func(*sink.Config)
}

func (f flags) withDefaults() flags {
	def := func(d *time.Duration, otherwise time.Duration) {
		if *d == 0 {
			*d = otherwise
		}
	}
	if f.rate == 0 {
		f.rate = 200
	}
	if f.workers == 0 {
		f.workers = max(1, int(1.5*f.rate+0.5))
	}
	if f.maxAttempts == 0 {
		f.maxAttempts = 8
	}
	if f.chunkBytes == 0 {
		f.chunkBytes = 1 << 20
	}
	if f.maxFailures == 0 {
		f.maxFailures = -1
	}
	if f.key == nil {
		f.key = sink.StaticKey(sink.NewSecret(key))
	}
	def(&f.timeout, 10*time.Second)
	def(&f.outageTimeout, 15*time.Minute)
	return f
}

// ended is how a run ended.
type ended struct {
	exit int // what the command would exit with
	stop *migrate.StopError
	err  error
	migrate.Snapshot
	sent sink.Stats
	took time.Duration
}

// exits is the exit code of each reason to stop, as the contract has it: 12 refused, 6 systematic,
// 4 may be resumed.
var exits = map[migrate.Reason]int{
	migrate.ReasonRefused:    12,
	migrate.ReasonSystematic: 6, migrate.ReasonThreshold: 6,
	migrate.ReasonThrottled: 4, migrate.ReasonSilent: 4, migrate.ReasonSignal: 4, migrate.ReasonDuration: 4, migrate.ReasonOutage: 4, migrate.ReasonUnanswered: 4,
}

// run runs the job as import does: client, engine, journal.
func (j *job) run(ctx context.Context, c *chat, f flags) ended {
	j.t.Helper()
	f = f.withDefaults()
	began := time.Now()
	config := sink.Config{
		Endpoint: c.endpoint, SDKAppID: app, Identifier: "administrator", Key: f.key, SigLifetime: f.sigLifetime, Rate: f.rate, StartAfter: j.startAfter(),
		Workers: f.workers, Timeout: f.timeout, UserAgent: "friendmigrate/test", Log: f.log, DialContext: c.dial,
	}
	if f.config != nil {
		f.config(&config)
	}
	client, err := sink.New(config)
	if err != nil {
		j.t.Fatal(err)
	}
	defer client.Close()
	if err := j.journal.BeginRun(checkpoint.RunStart{At: time.Now(), Workers: f.workers}); err != nil {
		j.t.Fatal(err)
	}
	var to migrate.Caller = client.Import
	if f.onlyMissing {
		to = client.ImportMissing
	}
	if f.wrap != nil {
		to = f.wrap(to)
	}
	meter := new(migrate.Meter)
	if f.watch != nil {
		f.watch(client, meter)
	}
	retry := migrate.DefaultRetry
	retry.MaxAttempts = f.maxAttempts
	e := ended{}
	e.Snapshot, e.err = migrate.Run(ctx, j.stage.Rosters(context.WithoutCancel(ctx), j.journal.Done), to, j.journal, migrate.Options{
		Workers: f.workers, Room: f.chunkBytes - sink.EmptyCallBytes, EdgeBytes: sink.EdgeBytes, Memory: 64 << 20, Retry: retry,
		OutageTimeout: f.outageTimeout, MaxDuration: f.maxDuration, Limits: &migrate.Limits{Failures: f.maxFailures, ExtraCalls: -1}, AskService: client.Probe, Meter: meter, Event: f.event,
	})
	e.sent, e.took = client.Stats(), time.Since(began)
	e.exit = j.exit(e.err)
	errors.As(e.err, &e.stop)
	if err := j.journal.EndRun(checkpoint.RunEnd{At: time.Now(), Code: e.exit, Calls: e.sent.Attempts, AllAnswered: e.err == nil || e.Uncertain == 0}); err != nil {
		j.t.Fatal(err)
	}
	return e
}

// startAfter leaves room after the run before, as import does.
func (j *job) startAfter() time.Time {
	if runs := j.journal.Runs(); len(runs) > 0 {
		return runs[len(runs)-1].End.At.Add(time.Second)
	}
	return time.Time{}
}

// exit is the command's exit code for a run that ended with err.
func (j *job) exit(err error) int {
	var stop *migrate.StopError
	switch {
	case errors.As(err, &stop):
		return exits[stop.Reason]
	case err != nil:
		return 1
	case j.journal.Totals().Failed > 0:
		return 3
	}
	return 0
}
