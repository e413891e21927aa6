package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/export"
	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/cmd/friendmigrate/terminal"
	"friendmigrate/migrate/disk"
	"friendmigrate/source"
)

func exportCommand() command {
	return command{
		name: "export", flags: settings.Flags, do: (*program).exportAction,
		usage: "writes the friend lists of many accounts as a file that import accepts",
		text: `Reads the friend lists of accounts by friend_get and writes them as CSV or JSONL that import accepts: one
app's graph into another app. Accounts come in the order of their file. With --output, the same command
continues after an interruption. export-failed.csv next to the output lists accounts that could not be
read.
`,
	}
}

// exportAction is the command export.
func (p *program) exportAction(ctx context.Context, in invocation) error {
	set := in.Settings
	x := &exported{Job: job.Job{Program: &p.Program, Set: set, FS: disk.OS{}}}
	x.Begin("export", set.MaxDuration)
	if err := x.Ready(ctx); err != nil {
		return err
	}
	var err error
	x.Export, x.stop, err = export.Do(ctx, &x.Job, p.Reads(in.values, nil, ""))
	if err == nil {
		err = p.end(x.ending(), nil)
	}
	if x.Export != nil {
		err = errors.Join(err, x.Job.Close(x.Export.Close))
	}
	return err
}

// exported is what an export came to.
type exported struct {
	job.Job
	*export.Export
	stop job.Stop
}

// ending finds the exit code and puts the ending in words.
func (x *exported) ending() exit.Ending {
	now := x.At()
	read := fmt.Sprintf("%s of %s to %s", terminal.Some(now.Edges, "edge"),
		terminal.Some(now.Done-now.Unread(), "account"), cmp.Or(x.Set.Destination, "standard output"))
	if calls := x.Client.Stats().Attempts; calls > 0 {
		read += fmt.Sprintf(", %s in %s", terminal.Some(calls, "call"), terminal.Took(time.Since(x.Began)))
	}
	failed := ""
	if n := now.Unread(); n > 0 {
		failed = fmt.Sprintf("; %s could not be read", terminal.Some(n, "account"))
	}
	if now.Short > 0 {
		failed += fmt.Sprintf("; %s another number of friends than FriendNum says",
			terminal.HasHave(now.Short, "account"))
	}
	e := exit.Ending{What: "exported " + read, Hint: x.importHint(now)}
	if failed != "" {
		failed += ", see " + export.FailedPath(x.Set.Destination)
		e.Code = exit.Exceptions
	}
	switch {
	case x.stop.Err != nil:
		e = x.stop.Ending(exit.Gravest(e.Code, x.stop.Code()), func(why string) string {
			return fmt.Sprintf("%s; %s of %s are done", why, terminal.Count(now.Done),
				terminal.Some(x.Accounts.Count, "account"))
		})
		e.Hint = cmp.Or(x.SilentHint(x.stop), x.ResumeLine().String())
		e.Public += failed
	case x.Finished:
		e.What = "nothing to do, exported before: " + read
	case now.Failed > 0:
		e.Hint = x.failedHint(now)
	case now.Edges == 0:
		e.Hint = x.Line().As("doctor", x.TakesOf("doctor")).String()
	}
	e.What += failed
	return e
}

// failedHint exports the accounts of the list of failures.
func (x *exported) failedHint(now export.Position) string {
	l := x.Line().With("accounts", job.FreeName(export.FailedPath(x.Set.Destination)))
	if x.Set.Destination != "" {
		dir, base := filepath.Split(x.Set.Destination)
		stem, endings, _ := strings.Cut(base, ".")
		l = l.With("output", dir+stem+"-rest."+endings)
	}
	if now.Unread() == 0 {
		return export.MoveList(x.Set.Destination) + l.String()
	}
	return export.MoveList(x.Set.Destination) + l.String() + " # after fixing what their codes say"
}

// importHint is the import of the result into another app.
func (x *exported) importHint(now export.Position) string {
	l := x.Line().As("import", func(string) bool { return false }).With("sdk-app-id", "SDKAPPID").
		With("secret-key-file", "FILE").With("region", "REGION")
	if tags := x.IntegerTags(); x.Set.Format == source.CSV && len(tags) > 0 {
		l = l.With("integer-tags", strings.Join(tags, ","))
	}
	if now.Bare > 0 {
		l = l.With("default-add-source", "AddSource_Type_Import")
	}
	if x.Set.Destination == "" {
		l = l.With("format", x.Set.Format)
	}
	return l.Of(cmp.Or(x.Set.Destination, "-")).String() + " # into another app"
}
