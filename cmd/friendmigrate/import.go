package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/urfave/cli/v3"
	"go.uber.org/zap"

	"friendmigrate/checkpoint"
	"friendmigrate/cmd/friendmigrate/events"
	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/invocation"
	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/cmd/friendmigrate/metrics"
	"friendmigrate/cmd/friendmigrate/report"
	"friendmigrate/cmd/friendmigrate/screen"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/migrate/disk"
	"friendmigrate/sink"
	"friendmigrate/source"
	"friendmigrate/source/objects"
	"friendmigrate/source/stage"
)

// importJob is one run of import. Its methods belong to one goroutine, but for what watch.go says.
type importJob struct {
	p      *program
	set    settings.Import
	line   invocation.Line
	inputs []string // arguments
	reads  *folder.Reads
	log    *zap.Logger
	fsys   disk.FS
	dir    string // the state folder, of this shard; with --fresh where the new state is prepared
	home   string // the state folder, while dir is another one
	old    string // where --fresh has moved the old state
	listed bool   // the last line speaks of lists in dir
	key    sink.KeySource
	store  *objects.Store // of inputs that are objects; nil: none is

	// What is open. Whatever is not nil is closed by close, the lock last.
	lock      *checkpoint.Lock
	journal   *checkpoint.Journal
	stage     *stage.Stage
	client    *sink.Client
	rehearsal *rehearsal

	counts  source.Counts // of reading the input
	gone    []string      // lists of it that cannot be made again
	resumed bool          // a journal was there before
	pilot   *pilot        // nil: all accounts
	watch   *watch
	result  runResult
}

// importAction is the command import.
func (p *program) importAction(ctx context.Context, c *cli.Command) error {
	set, err := settings.ReadImport(p.values(c), p.root)
	if err != nil {
		return exit.Because(exit.Unusable, err)
	}
	p.StartingOver.Store(set.Job.Fresh)
	p.Window = set.Stop.MaxDuration
	p.NameShard(set.Job.Shard)
	p.View.Begin(metrics.Job{Command: "import", Shard: set.Job.Shard.String(), Version: programVersion()})
	j := &importJob{p: p, set: set, line: p.Line(), inputs: c.Args().Slice(), fsys: p.Volume.FS}
	if err := j.checkArguments(c); err != nil {
		return err
	}
	j.reads = p.Reads(p.values(c), j.inputs, set.Rows.Format)
	if !set.Service.Rehearse {
		if j.key, err = p.ReadKey(ctx, set.Service.Key); err != nil {
			return err
		}
	}
	if j.log, err = events.Log(set.Output, p.Screen); err != nil {
		return exit.Because(exit.Unusable, err)
	}
	if j.store, err = p.OpenObjects(ctx, set.Objects, j.inputs, events.Warner(j.log, events.ObjectStorage)); err != nil {
		return err
	}
	debug.SetMemoryLimit(settings.RuntimeLimit(set.Job.Memory))
	ending, err := j.withOld(j.run(ctx))
	if err != nil {
		return err
	}
	p.ending = &ending
	return nil
}

// checkArguments finds what can be told from the arguments alone.
func (j *importJob) checkArguments(c *cli.Command) error {
	if len(j.inputs) == 0 {
		return &exit.Error{
			Code: exit.Unusable, Err: errors.New("no INPUT: name a file, a folder, s3://BUCKET/KEY, or - for standard input"),
			Hint: j.p.Completed(j.p.Line().Of("INPUT")).String(),
		}
	}
	if info, err := os.Stat(j.set.Job.State); err == nil && !info.IsDir() {
		return &exit.Error{Code: exit.Unusable, Err: fmt.Errorf("--state is %q, which is not a folder", j.set.Job.State), Hint: j.p.Elsewhere()}
	}
	for i, in := range j.inputs {
		if _, err := os.Lstat(in); in == "-" || !errors.Is(err, fs.ErrNotExist) {
			continue
		}
		rest := append(append([]string{}, j.inputs[:i]...), j.inputs[i+1:]...)
		if j.line.Has("retry-failed") && len(j.set.Job.RetryCodes) == 0 && settings.LooksLikeCodes(in) {
			if len(rest) == 0 {
				rest = []string{"INPUT"}
			}
			hint := j.line.Without("retry-failed").WithWord("--retry-failed=" + in).Of(rest...)
			return &exit.Error{Code: exit.Unusable, Err: fmt.Errorf("there is no INPUT %q; as the codes of --retry-failed it has to stand behind =", in), Hint: hint.String()}
		}
		if in == "true" || in == "false" {
			return exit.Because(exit.Unusable, fmt.Errorf("there is no INPUT %q; as the value of a switch it has to stand behind =, such as --mutual=%s", in, in))
		}
	}
	if j.set.Job.Shard.Count > 0 && contains(j.inputs, "-") {
		return exit.Because(exit.Unusable, errors.New("standard input cannot be divided among shards: each of them would need all of it; give a file"))
	}
	return nil
}

func contains(list []string, s string) bool {
	for _, one := range list {
		if one == s {
			return true
		}
	}
	return false
}

// run is the job, from the lock to the report. The ending speaks for a job that could begin; an error for one that could not.
func (j *importJob) run(ctx context.Context) (ending exit.Ending, err error) {
	began := time.Now()
	pilot, err := j.p.openPilot(ctx, j.set.Job, j.inputs)
	if err != nil {
		return exit.Ending{}, err
	}
	defer func() { err = errors.Join(err, j.close()) }()
	if err := j.openFolder(ctx); err != nil {
		return exit.Ending{}, err
	}
	defer func() {
		if err != nil {
			j.endEarly(err)
			err = errors.Join(err, j.giveUp())
		}
	}()
	j.watch = startWatch(j)
	defer func() { j.watch.stop() }()
	if err := j.prepare(ctx); err != nil {
		return exit.Ending{}, err
	}
	if err := j.loadPilot(ctx, pilot); err != nil {
		return exit.Ending{}, err
	}
	if err := j.reopenFailed(ctx); err != nil {
		return exit.Ending{}, err
	}
	if err := j.checkRoom(); err != nil {
		return exit.Ending{}, err
	}
	if err := j.takeOver(); err != nil {
		return exit.Ending{}, err
	}
	j.result = j.send(ctx)
	j.result.began = began
	j.watch.stop()
	return j.finish()
}

// openFolder takes the state folder.
func (j *importJob) openFolder(ctx context.Context) error {
	base := j.base()
	if err := job.Refused(j.reads.CheckState(base), j.elsewhere()); err != nil {
		return err
	}
	if err := j.checkNeighbours(base); err != nil {
		return err
	}
	j.dir = folder.Of(base, j.set.Job.Shard)
	_, err := os.Stat(j.dir)
	fresh := errors.Is(err, fs.ErrNotExist)
	if fresh {
		// A new job: an input that is misspelt leaves no folder behind.
		if _, _, err := j.arguments(nil).Resolve(ctx); err != nil {
			return j.inputError(ctx, err)
		}
	}
	lock, err := checkpoint.TryLock(j.dir)
	if err != nil {
		return err
	}
	j.lock = lock
	if err := j.checkNeighbours(base); err != nil { // one that began at the same time
		if fresh {
			err = errors.Join(err, folder.Leave(j.dir))
		}
		return err
	}
	if err := j.p.ServeMetrics(j.set.Eyes, j.log); err != nil {
		return err
	}
	if j.set.Service.Rehearse {
		return folder.Forget(j.dir)
	}
	return j.startOver()
}

// base is the state folder, above those of shards.
func (j *importJob) base() string {
	switch {
	case !j.set.Service.Rehearse:
		return j.set.Job.State
	case j.set.Job.StateGiven:
		return filepath.Join(j.set.Job.State, settings.RehearsalFolder)
	}
	return settings.RehearsalFolder
}

// checkNeighbours sees that the state folder holds no other division of the job. A rehearsal removes it: it is always fresh. It sees also that it removes
// no real job.
func (j *importJob) checkNeighbours(base string) error {
	check := folder.CheckNeighbours
	if j.set.Service.Rehearse {
		check = folder.ForgetOthers
	}
	err := check(base, j.set.Job.Shard)
	if errors.Is(err, folder.ErrOther) {
		return &exit.Error{Code: exit.OtherJob, Err: err, Hint: j.elsewhere()}
	}
	return err
}

// arguments are the inputs as package source wants them.
func (j *importJob) arguments(stdin io.Reader) source.Arguments {
	rows := j.set.Rows
	return source.Arguments{
		Inputs: j.inputs, Format: rows.Format, AllowEmpty: rows.AllowEmpty, Stdin: stdin, Objects: j.store, FS: j.fsys,
		Waits: events.Warner(j.log, events.Waits),
	}
}

// inputError is readError for what was only looked for: a folder that may not be read is the user's to fix, too.
func (j *importJob) inputError(ctx context.Context, err error) error {
	return exit.Because(exit.Unusable, j.readError(ctx, err))
}

// elsewhere is the command for a job of its own: the same with another state folder.
func (j *importJob) elsewhere() string {
	return j.line.Without("fresh", "retry-failed").With("state", job.Beside(j.set.Job.State, "-2")).String()
}

// close closes what is open. Everything durable was synced before.
func (j *importJob) close() error {
	var errs []error
	if j.client != nil {
		j.client.Close()
	}
	if j.rehearsal != nil {
		errs = append(errs, j.rehearsal.close())
	}
	if j.stage != nil {
		errs = append(errs, j.stage.Close())
	}
	if j.journal != nil {
		errs = append(errs, j.journal.Close())
	}
	if j.lock != nil {
		errs = append(errs, j.lock.Release())
	}
	return errors.Join(errs...)
}

// openClient makes the client, which says at once what cannot work and sends nothing yet.
func (j *importJob) openClient(ctx context.Context) error {
	c, err := j.p.ClientConfig(j.set.Service, j.set.Pace, j.key, j.startAfter(time.Now()), j.log)
	if err != nil {
		return err
	}
	if j.set.Service.Rehearse {
		if j.rehearsal, err = startRehearsal(&c); err != nil {
			return err
		}
	}
	j.client, err = j.p.Client(ctx, c)
	return err
}

// startAfter keeps the promise of the rate over a restart: an earlier process may have sent calls until it ended, at most a second's worth.
func (j *importJob) startAfter(now time.Time) time.Time {
	if !j.resumed {
		return time.Time{}
	}
	after := now.Add(time.Second)
	if j.journal == nil {
		return after
	}
	if runs := j.journal.Runs(); len(runs) > 0 {
		if last := runs[len(runs)-1]; last.End != nil && last.End.At.Before(now) {
			return last.End.At.Add(time.Second)
		}
	}
	return after
}

// reopenFailed takes failed edges up again where that is asked for.
func (j *importJob) reopenFailed(ctx context.Context) error {
	if !j.set.Job.RetryFailed {
		return nil
	}
	n, err := j.journal.Reopen(ctx, j.set.Job.RetryCodes)
	if err != nil {
		return err
	}
	if open := j.journal.Totals().Reopened; n == 0 && open > 0 {
		j.log.Info(fmt.Sprintf("%d edges of an earlier --retry-failed are still open: going on with these", open), events.Reopen, zap.Int64("open", open))
		return nil
	}
	if n == 0 {
		text := "--retry-failed has nothing to take up: no edge failed"
		if failed := job.Codes(j.journal.Totals().FailedByCode); failed != "" {
			text += " with these codes, others did" + failed
		}
		j.log.Warn(text, events.Reopen, zap.Int64("edges", 0))
		return nil
	}
	j.log.Info(screen.Some(n, "failed edge")+" to be sent again", events.Reopen, zap.Int64("edges", n))
	return nil
}

// account is the job's account as the journal has it now.
func (j *importJob) account() report.Account {
	return report.Make(j.journal.Identity(), j.journal.Totals())
}

// listenLoopback listens on a free port of this machine alone.
func listenLoopback() (net.Listener, error) { return net.Listen("tcp", "127.0.0.1:0") }
