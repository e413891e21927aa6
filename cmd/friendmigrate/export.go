package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v3"
	"go.uber.org/zap"

	"friendmigrate/cmd/friendmigrate/events"
	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/export"
	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/cmd/friendmigrate/progress"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/cmd/friendmigrate/terminal"
	"friendmigrate/migrate"
	"friendmigrate/migrate/disk"
	"friendmigrate/sink"
	"friendmigrate/sink/friendlist"
	"friendmigrate/source"
	"friendmigrate/source/accountlist"
)

// exportJob is one run of export.
type exportJob struct {
	p    *program
	set  settings.Settings
	line exit.Line
	log  *zap.Logger

	client *sink.Client
	export *export.Export
	meter  migrate.Meter
}

func exportHelp() string {
	return `friendmigrate export --accounts FILE [--output FILE] [flags]

` + paragraph(`Reads the friend lists of accounts by friend_get and writes them as CSV or JSONL that import accepts: one app's graph into another app. Accounts come
in the order of their file. With --output, the same command goes on after an interruption; `+export.FailedList+` beside the output lists accounts that could not be read.`) +
		flagHelp(settings.Flags("export")) + exitCodes()
}

// exportAction is the command export.
func (p *program) exportAction(ctx context.Context, c *cli.Command) error {
	if c.Args().Present() {
		return job.Unusable(p.Line().Of().With("accounts", c.Args().First()),
			"export takes no arguments, but got %q: accounts are named by --accounts FILE", c.Args().First())
	}
	set, err := settings.Read("export", p.values(c), p.root)
	if err != nil {
		return exit.Because(exit.Unusable, err)
	}
	key, err := p.ReadKey(ctx, set.Service.Key)
	if err != nil {
		return err
	}
	j := &exportJob{p: p, set: set, line: p.Line()}
	if err := j.checkOutputs(p.Reads(p.values(c), nil, "")); err != nil {
		return err
	}
	if j.log, err = events.Log(set.Output, p.Screen); err != nil {
		return exit.Because(exit.Unusable, err)
	}
	p.Window = set.MaxDuration
	debug.SetMemoryLimit(settings.RuntimeLimit(set.Memory))
	return p.end(j.run(ctx, key))
}

func (j *exportJob) run(ctx context.Context, key sink.KeySource) (ending exit.Ending, err error) {
	began := time.Now()
	named, err := j.p.OpenAccounts(ctx, "--accounts", j.set.Accounts)
	if err != nil {
		return exit.Ending{}, err
	}
	if err := j.open(named); err != nil {
		return exit.Ending{}, err
	}
	defer func() { err = errors.Join(err, j.export.Close()) }()
	if err := j.p.ServeMetrics(j.set.Eyes, j.log); err != nil {
		return exit.Ending{}, err
	}
	after := time.Time{}
	if j.export.Resumed {
		after = began.Add(time.Second) // an earlier process may have sent calls until just now
	}
	if j.client, err = j.p.NewClient(ctx, j.set.Service, j.set.Pace, key, after, j.log); err != nil {
		return exit.Ending{}, err
	}
	defer j.client.Close()
	client := j.client
	j.p.View.Follow(func() progress.Facts { return job.FactsOf(client, &j.meter) })
	stopped := j.read(ctx)
	stop := job.Stop{Err: stopped, Cause: context.Cause(ctx), Asks: true}
	if stop.Code() == exit.Unexpected {
		if refused := (*export.RefusedError)(nil); errors.As(stopped, &refused) {
			return exit.Ending{}, &exit.Error{Code: exit.Unusable, Err: stopped, Hint: j.asJSONL()}
		}
		return exit.Ending{}, stopped
	}
	return j.judge(stop, time.Since(began)), nil
}

// open opens the destination.
func (j *exportJob) open(named *accountlist.File) (err error) {
	j.export, err = export.Open(export.Options{
		FS: disk.OS{}, Accounts: named, Destination: j.set.Destination, Stream: j.p.Std.Out, Format: j.set.Format,
		SDKAppID: j.set.Service.SDKAppID, Target: j.set.Service.Target(), Memory: j.set.Memory / 4,
	})
	switch {
	case errors.Is(err, export.ErrExists):
		return &exit.Error{Code: exit.Unusable,
			Err: fmt.Errorf("%w, and no export has begun it: nothing is written over it", err), Hint: j.elsewhere()}
	case errors.Is(err, export.ErrOther):
		return &exit.Error{Code: exit.OtherJob, Err: err, Hint: j.elsewhere()}
	}
	return err
}

// checkOutputs sees that nothing is written over that is not an export's.
func (j *exportJob) checkOutputs(reads *folder.Reads) error {
	out := j.set.Destination
	if out != "" {
		if err := job.Refused(reads.CheckRead("--output", out), j.elsewhere()); err != nil {
			return err
		}
	}
	list, line := export.FailedPath(out), j.line
	move, moved := j.moveList()
	if j.set.Accounts == list {
		line = line.With("accounts", moved)
	}
	return job.Refused(reads.CheckFile("the list of what cannot be read", list, export.FailedHeader),
		move+line.String())
}

// elsewhere is the command line with another output.
func (j *exportJob) elsewhere() string {
	return j.line.With("output", job.FreeName(j.set.Destination)).String()
}

// asJSONL is the command for what CSV cannot hold.
func (j *exportJob) asJSONL() string {
	if j.set.Destination == "" {
		return j.line.With("format", source.JSONL).String()
	}
	dir, base := filepath.Split(j.set.Destination)
	return j.line.Without("format").With("output", dir+strings.Replace(base, ".csv", ".jsonl", 1)).String()
}

// read runs the engine and shows where it stands.
func (j *exportJob) read(ctx context.Context) error {
	start := j.export.At()
	if j.export.Finished {
		return j.export.RestoreFailed()
	}
	text := fmt.Sprintf("reading %s from %s by friend_get", terminal.Some(start.Accounts, "account"),
		j.set.Service.Target())
	if j.export.Resumed {
		text += fmt.Sprintf("; resuming behind %s", terminal.Some(start.Done, "account"))
	}
	j.log.Info(text, events.Export, zap.Int64("accounts", start.Accounts), zap.Int64("done", start.Done),
		zap.Float64("rate", j.set.Pace.Rate))
	j.p.View.Sending()
	stop := j.p.Follow(j.set.Output, j.log, j.client, &j.meter, func() job.Standing {
		now := j.export.At()
		s := job.Standing{Done: now.Done, Total: now.Accounts, Noun: "account", Steps: now.Done - start.Done,
			ToGo: now.Accounts - now.Done}
		s.More = ", " + terminal.Some(now.Edges, "edge")
		if unread := now.Failed - now.Short; unread > 0 {
			s.More += fmt.Sprintf(", %s unreadable", terminal.Count(unread))
		}
		return s
	})
	defer stop()
	engine := j.p.Engine(j.set.Pace, j.set.Memory/4, j.client, &j.meter, j.log)
	return j.export.Run(ctx, func(from string) friendlist.Pages { return j.client.Friends(from) }, engine)
}

// judge finds the exit code and puts the ending in words.
func (j *exportJob) judge(stop job.Stop, took time.Duration) exit.Ending {
	now := j.export.At()
	if first := j.export.Accounts.First; stop.Err == nil && now.Edges == 0 {
		j.log.Warn(fmt.Sprintf("no friend of any account was found; the first account in %q is %q (line %d)",
			j.set.Accounts, first.ID, first.Line), events.Export)
	}
	codes := []exit.Code{stop.Code()}
	if now.Failed > 0 {
		codes = append(codes, exit.Exceptions)
	}
	e := exit.Ending{Code: exit.Gravest(codes...)}
	where := "standard output"
	if j.set.Destination != "" {
		where = j.set.Destination
	}
	read := terminal.Some(now.Done-now.Failed+now.Short, "account")
	what := fmt.Sprintf("%s of %s in %s", terminal.Some(now.Edges, "edge"), read, where)
	if calls := j.client.Stats().Attempts; calls > 0 {
		what += fmt.Sprintf(", %s in %s", terminal.Some(calls, "call"), terminal.Took(took))
	}
	failed := ""
	if unread := now.Failed - now.Short; unread > 0 {
		failed = fmt.Sprintf("; %s could not be read", terminal.Some(unread, "account"))
	}
	if now.Short > 0 {
		failed += "; the friends of " + terminal.Some(now.Short, "account") + " are not as many as FriendNum says"
	}
	if failed != "" {
		failed += ", see " + export.FailedPath(j.set.Destination)
	}
	j.warnOther()
	switch {
	case stop.Why() != "":
		e = stop.Ending(e.Code, func(why string) string {
			return fmt.Sprintf("%s; %s of %s are done%s", why, terminal.Count(now.Done),
				terminal.Some(now.Accounts, "account"), failed)
		})
		e.Hint = cmp.Or(j.p.SilentHint(stop), j.p.ResumeLine().String())
	case j.export.Finished:
		e.What = fmt.Sprintf("nothing to do, exported before: %s%s", what, failed)
		e.Hint = j.importLine(now)
	case now.Failed > 0:
		e.What, e.Hint = "exported: "+what+failed, j.failedLine(now)
	default:
		e.What, e.Hint = "exported: "+what, j.importLine(now)
	}
	if stop.Err == nil && now.Failed == 0 && now.Edges == 0 {
		e.Hint = j.line.As("doctor", j.p.TakesOf("doctor")).String()
	}
	return e
}

// warnOther says which values were left out because an edge has no place for their tags.
func (j *exportJob) warnOther() {
	other := j.export.Other()
	if len(other) == 0 {
		return
	}
	var names []string
	for _, tag := range slices.Sorted(maps.Keys(other)) {
		names = append(names, fmt.Sprintf("%q (%s)", tag, terminal.Some(other[tag], "value")))
	}
	if more := len(names) - mostTags; more > 0 {
		names = append(names[:mostTags], fmt.Sprintf("and %d more tags", more))
	}
	j.log.Warn("friend_import cannot take these tags, so their values were left out: "+strings.Join(names, ", "),
		events.LeftOut)
}

// mostTags is how many tags one message names.
const mostTags = 20

// failedLine exports the accounts of the list of failures, after their owner has fixed what it
// says.
func (j *exportJob) failedLine(now export.Standing) string {
	first := " # after fixing what their codes say"
	if now.Failed == now.Short {
		first = " # to read them once more"
	}
	l := j.line
	if j.set.Destination != "" {
		dir, base := filepath.Split(j.set.Destination)
		stem, endings, _ := strings.Cut(base, ".")
		l = l.With("output", dir+stem+"-rest."+endings)
	}
	move, moved := j.moveList()
	return move + l.With("accounts", moved).String() + first
}

// moveList is a command that gives the list of accounts that could not be read another name, since
// every export writes a list of that name.
func (j *exportJob) moveList() (command, moved string) {
	list := export.FailedPath(j.set.Destination)
	moved = job.FreeName(list)
	return "mv " + exit.Quote(list) + " " + exit.Quote(moved) + " && ", moved
}

// importLine is the import of the result into another app.
func (j *exportJob) importLine(now export.Standing) string {
	input := j.set.Destination
	if input == "" {
		input = "-"
	}
	l := j.line.As("import", func(string) bool { return false }).With("sdk-app-id", "SDKAPPID").With("secret-key-file",
		"FILE").With("region", "REGION")
	if tags := j.export.IntegerTags(); j.set.Format == source.CSV && len(tags) > 0 {
		l = l.With("integer-tags", strings.Join(tags, ","))
	}
	if now.Bare > 0 {
		l = l.With("default-add-source", "AddSource_Type_Import")
	}
	if input == "-" {
		l = l.With("format", j.set.Format)
	}
	return l.Of(input).String() + " # into another app"
}
