package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/urfave/cli/v3"
	"go.uber.org/zap"

	"friendmigrate/cmd/friendmigrate/events"
	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/cmd/friendmigrate/report"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/cmd/friendmigrate/terminal"
)

// importJob is one run of import. Its methods belong to one goroutine, but for what watch.go says.
type importJob struct {
	job.Job   // with --fresh its folder is where the new state is prepared
	reads     *folder.Reads
	home      string     // the state folder, while Dir is another one
	old       string     // where --fresh has moved the old state
	listed    bool       // the last line speaks of lists in Dir
	rehearsal *rehearsal // nil: it is none

	gone    []string // lists of it that cannot be made again
	resumed bool     // a journal was there before
	pilot   *pilot   // nil: all accounts
	watch   *watch
	result  runResult
}

// importAction is the command import.
func (p *program) importAction(ctx context.Context, c *cli.Command) error {
	set, err := settings.Read("import", p.values(c), p.root)
	if err != nil {
		return exit.Because(exit.Unusable, err)
	}
	p.StartingOver.Store(set.Job.Fresh)
	j := p.importOf(set, c)
	j.Begin("import", set.Stop.MaxDuration)
	if err := j.checkArguments(c); err != nil {
		return err
	}
	if err := j.Ready(ctx); err != nil {
		return err
	}
	return p.end(j.withOld(j.run(ctx)))
}

// importOf is an import of which nothing is open.
func (p *program) importOf(set settings.Settings, c *cli.Command) *importJob {
	inputs := c.Args().Slice()
	return &importJob{
		Job:   job.Job{Program: &p.Program, Set: set, Inputs: inputs, Done: "sent", Suffix: "-2", FS: p.Volume.FS},
		reads: p.Reads(p.values(c), inputs, set.Rows.Format),
	}
}

// checkArguments finds what can be told from the arguments alone.
func (j *importJob) checkArguments(c *cli.Command) error {
	if len(j.Inputs) == 0 {
		return &exit.Error{
			Code: exit.Unusable, Err: errors.New("no INPUT: name a file, a folder, s3://BUCKET/KEY, or - for standard input"),
			Hint: j.Completed(j.Line().Of("INPUT")).String(),
		}
	}
	if err := j.CheckBase(); err != nil {
		return err
	}
	for i, in := range j.Inputs {
		if _, err := os.Lstat(in); in == "-" || !errors.Is(err, fs.ErrNotExist) {
			continue
		}
		rest := append(append([]string{}, j.Inputs[:i]...), j.Inputs[i+1:]...)
		if j.Line().Has("retry-failed") && len(j.Set.Job.RetryCodes) == 0 && settings.LooksLikeCodes(in) {
			if len(rest) == 0 {
				rest = []string{"INPUT"}
			}
			hint := j.Line().Without("retry-failed").WithWord("--retry-failed=" + in).Of(rest...)
			return &exit.Error{Code: exit.Unusable,
				Err:  fmt.Errorf("there is no INPUT %q; as the codes of --retry-failed it has to stand behind =", in),
				Hint: hint.String()}
		}
		if in == "true" || in == "false" {
			return job.Unusable(j.Line().Of(rest...),
				"there is no INPUT %q; as the value of a switch it has to stand behind =, such as --mutual=%s", in, in)
		}
	}
	if j.Set.Job.Shard.Count > 0 && slices.Contains(j.Inputs, "-") {
		return job.Unusable(j.Line().Of("FILE"),
			"standard input cannot be divided among shards: each of them would need all of it; give a file")
	}
	return nil
}

// run is the job, from the lock to the report. The ending speaks for a job that could begin; an
// error for one that could not.
func (j *importJob) run(ctx context.Context) (ending exit.Ending, err error) {
	began := time.Now()
	pilot, err := openPilot(ctx, j.Program, j.Set.Job, j.Inputs)
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
	defer func() { j.watch.Stop() }()
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
	j.watch.Stop()
	return j.finish()
}

// openFolder takes the state folder. A rehearsal removes another division of its job, since it is
// always fresh, but no real job.
func (j *importJob) openFolder(ctx context.Context) error {
	base, neighbours := j.base(), folder.CheckNeighbours
	if err := job.Refused(j.reads.CheckState(base), j.Apart()); err != nil {
		return err
	}
	if j.Set.Service.Rehearse {
		neighbours = folder.ForgetOthers
	}
	if err := j.Take(ctx, base, neighbours); err != nil {
		return err
	}
	if j.Set.Service.Rehearse {
		return folder.Forget(j.Dir)
	}
	return j.startOver()
}

// close closes what is open.
func (j *importJob) close() error { return j.Close(j.rehearsal.close) }

// startAfter is when the first call may leave.
func (j *importJob) startAfter(now time.Time) time.Time {
	after := j.AfterLastRun(now)
	switch {
	case !j.resumed:
		return time.Time{}
	case after.IsZero():
		return now.Add(time.Second)
	}
	return after
}

// base is the state folder, above those of shards.
func (j *importJob) base() string {
	switch {
	case !j.Set.Service.Rehearse:
		return j.Set.Job.State
	case j.Set.Job.StateGiven:
		return filepath.Join(j.Set.Job.State, settings.RehearsalFolder)
	}
	return settings.RehearsalFolder
}

// openClient makes the client, which says at once what cannot work and sends nothing yet.
func (j *importJob) openClient(ctx context.Context) error {
	c, err := j.ClientConfig(j.Set.Service, j.Set.Pace, j.Key, j.startAfter(time.Now()), j.Log)
	if err != nil {
		return err
	}
	if j.Set.Service.Rehearse {
		if j.rehearsal, err = startRehearsal(&c); err != nil {
			return err
		}
	}
	j.Client, err = j.ClientOf(ctx, c)
	return err
}

// reopenFailed takes failed edges up again where that is asked for.
func (j *importJob) reopenFailed(ctx context.Context) error {
	if !j.Set.Job.RetryFailed {
		return nil
	}
	n, err := j.Journal.Reopen(ctx, j.Set.Job.RetryCodes)
	if err != nil {
		return err
	}
	if open := j.Journal.Totals().Reopened; n == 0 && open > 0 {
		j.Log.Info(fmt.Sprintf("%d edges of an earlier --retry-failed are still open: going on with these", open),
			events.Reopen, zap.Int64("open", open))
		return nil
	}
	if n == 0 {
		text := "--retry-failed has nothing to take up: no edge failed"
		if failed := job.Codes(j.Journal.Totals().FailedByCode); failed != "" {
			text += " with these codes, others did" + failed
		}
		j.Log.Warn(text, events.Reopen, zap.Int64("edges", 0))
		return nil
	}
	j.Log.Info(terminal.Some(n, "failed edge")+" to be sent again", events.Reopen, zap.Int64("edges", n))
	return nil
}

// account is the job's account as the journal has it now.
func (j *importJob) account() report.Account {
	return report.Make(j.Journal.Identity(), j.Journal.Totals())
}

// listenLoopback listens on a free port of this machine alone.
func listenLoopback() (net.Listener, error) { return net.Listen("tcp", "127.0.0.1:0") }
