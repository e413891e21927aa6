package export

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/cmd/friendmigrate/terminal"
	"friendmigrate/source"
)

// ending returns the exit code and the message of the end.
func (e *Export) ending(stop job.Stop) exit.Ending {
	now := e.At()
	read := fmt.Sprintf("%s of %s to %s", terminal.Some(now.Edges, "edge"),
		terminal.Some(now.Done-now.Unread(), "account"), cmp.Or(e.Set.Destination, "standard output"))
	if calls := e.Client.Stats().Attempts; calls > 0 {
		read += fmt.Sprintf(", %s in %s", terminal.Some(calls, "call"), terminal.Took(time.Since(e.Began)))
	}
	failed := ""
	if n := now.Unread(); n > 0 {
		failed = fmt.Sprintf("; %s could not be read", terminal.Some(n, "account"))
	}
	if now.Doubtful > 0 {
		failed += fmt.Sprintf("; %s a friend list that may be incomplete", terminal.HasHave(now.Doubtful, "account"))
	}
	end := exit.Ending{What: "exported " + read, Hint: e.importHint(now)}
	if failed != "" {
		failed += ", see " + FailedPath(e.Set.Destination)
		end.Code = exit.Exceptions
	}
	switch {
	case stop.Err != nil:
		end = stop.Ending(exit.Gravest(end.Code, stop.Code()), func(why string) string {
			return fmt.Sprintf("%s; %s of %s are done", why, terminal.Count(now.Done),
				terminal.Some(e.Accounts.Count, "account"))
		})
		again := e.ResumeLine()
		if e.Set.Destination == "" { // which begins anew each time
			again = again.With("output", job.FreeName("export."+e.Set.Format))
		}
		end.Hint = cmp.Or(e.SilentHint(stop), again.String())
		end.Public += failed
	case e.Finished:
		end.What = "nothing to do, exported before: " + read
	case now.Failed > 0:
		end.Hint = e.failedHint(now)
	case now.Edges == 0:
		end.Hint = e.As(e.Line(), "doctor").String()
	}
	end.What += failed
	return end
}

// failedHint returns the command that exports the accounts in the list of failures.
func (e *Export) failedHint(now Position) string {
	hint := e.elsewhere().With("accounts", FailedPath(e.Set.Destination)).String()
	if now.Unread() == 0 {
		return hint
	}
	return hint + " # after fixing that"
}

// importHint returns the command that imports the result into another app.
func (e *Export) importHint(now Position) string {
	l := e.Line().As("import", func(string) bool { return false }).With("sdk-app-id", "SDKAPPID").
		With("secret-key-file", "FILE").With("region", "REGION")
	if tags := e.IntegerTags(); e.Set.Format == source.CSV && len(tags) > 0 {
		l = l.With("integer-tags", strings.Join(tags, ","))
	}
	if now.Bare > 0 {
		l = l.With("default-add-source", "AddSource_Type_Import")
	}
	if e.Set.Destination == "" {
		l = l.With("format", e.Set.Format)
	}
	return l.Of(cmp.Or(e.Set.Destination, "-")).String() + " # into another app"
}
