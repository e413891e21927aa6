package export

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/cmd/friendmigrate/progress"
	"friendmigrate/cmd/friendmigrate/terminal"
	"friendmigrate/migrate"
	"friendmigrate/sink/friendlist"
	"friendmigrate/source"
)

// Do is the export that the settings of j ask for. stop says how reading ended; the error is that
// of an export that could not begin or be written. The caller closes e if it is not nil.
func Do(ctx context.Context, j *job.Job, reads *folder.Reads) (e *Export, stop job.Stop, err error) {
	if err := checkOutputs(j, reads); err != nil {
		return nil, stop, err
	}
	accounts, err := j.OpenAccounts(ctx, "--accounts", j.Set.Accounts)
	if err != nil {
		return nil, stop, err
	}
	e, err = Open(Options{
		FS: j.FS, Accounts: accounts, Destination: j.Set.Destination, Stream: j.Std.Out, Format: j.Set.Format,
		SDKAppID: j.Set.SDKAppID, Target: j.Set.Target(),
	})
	if err != nil {
		return nil, stop, refusal(j, err)
	}
	if err := j.ServeMetrics(); err != nil {
		return e, stop, err
	}
	after := time.Time{}
	if e.Resumed {
		after = j.Began.Add(time.Second) // an earlier process may have sent calls until just now
	}
	if j.Client, err = j.NewClient(ctx, after); err != nil {
		return e, stop, err
	}
	stop = job.Stop{Err: e.follow(ctx, j), Cause: context.Cause(ctx), Asks: true}
	if stop.Code() == exit.Unexpected {
		return e, stop, refusal(j, stop.Err)
	}
	e.warn(j, stop.Err == nil)
	return e, stop, nil
}

// checkOutputs sees that nothing is written over that is not an export's.
func checkOutputs(j *job.Job, reads *folder.Reads) error {
	out := j.Set.Destination
	if out != "" {
		hint := j.Line().With("output", job.FreeName(out)).String()
		if err := job.Refused(reads.CheckRead("--output", out), hint); err != nil {
			return err
		}
	}
	line := j.Line()
	if j.Set.Accounts == FailedPath(out) {
		line = line.With("accounts", job.FreeName(j.Set.Accounts))
	}
	return job.Refused(reads.CheckFile("the list of what cannot be read", FailedPath(out), FailedHeader),
		MoveList(out)+line.String())
}

// MoveList is a command that renames the list of failures, since every export writes that name.
// More words follow it.
func MoveList(destination string) string {
	list := FailedPath(destination)
	return "mv " + exit.Quote(list) + " " + exit.Quote(job.FreeName(list)) + " && "
}

// refusal gives the error of a destination or a format that cannot be used its code.
func refusal(j *job.Job, err error) error {
	out := j.Set.Destination
	hint := j.Line().With("output", job.FreeName(out)).String()
	switch {
	case errors.Is(err, source.ErrNotCSV):
		line := j.Line().With("format", source.JSONL)
		if dir, base := filepath.Split(out); out != "" {
			line = j.Line().Without("format").With("output", dir+strings.Replace(base, ".csv", ".jsonl", 1))
		}
		return &exit.Error{Code: exit.Unusable, Err: err, Hint: line.String()}
	case errors.Is(err, ErrExists):
		return &exit.Error{Code: exit.Unusable, Hint: hint,
			Err: fmt.Errorf("%w, and no export has begun it: nothing is written over it", err)}
	case errors.Is(err, ErrOther):
		return &exit.Error{Code: exit.OtherJob, Err: err, Hint: hint}
	}
	return err
}

// follow reads the accounts and shows where that stands.
func (e *Export) follow(ctx context.Context, j *job.Job) error {
	start, meter := e.At(), new(migrate.Meter)
	if !e.Finished {
		text := fmt.Sprintf("reading %s from %s by friend_get", terminal.Some(e.Accounts.Count, "account"),
			j.Set.Target())
		if e.Resumed {
			text += fmt.Sprintf("; resuming after %s", terminal.Some(start.Done, "account"))
		}
		j.Log.Info(text, job.EventExport, zap.Int64("accounts", e.Accounts.Count), zap.Int64("done", start.Done),
			zap.Float64("rate", j.Set.Rate))
		defer j.Follow(meter, e.fill)()
	}
	engine := j.Engine(meter)
	return e.Run(ctx, func(from string) friendlist.Pages { return j.Client.Friends(from) }, engine)
}

// fill says where the export stands.
func (e *Export) fill(s *progress.Snapshot) {
	now := e.At()
	s.Doing, s.Noun, s.Settled, s.Total = "reading", "account", now.Done, e.Accounts.Count
	s.Done, s.ToGo = now.Done, s.Total-now.Done
	s.Note = terminal.Some(now.Edges, "edge")
	if n := now.Unread(); n > 0 {
		s.Note += fmt.Sprintf(", %s unreadable", terminal.Count(n))
	}
}

// warn says what is not in the result although it may have been there.
func (e *Export) warn(j *job.Job, whole bool) {
	if whole && e.At().Edges == 0 {
		j.Log.Warn(fmt.Sprintf("no friend of any account was found; the first account in %q is %q (line %d)",
			e.Accounts.Name, e.Accounts.First.ID, e.Accounts.First.Line), job.EventExport)
	}
	const most = 20
	var names []string
	other := e.At().Other
	for _, tag := range slices.Sorted(maps.Keys(other)) {
		names = append(names, fmt.Sprintf("%q (%s)", tag, terminal.Some(other[tag], "value")))
	}
	if more := len(names) - most; more > 0 {
		names = append(names[:most], fmt.Sprintf("and %d more tags", more))
	}
	if len(names) > 0 {
		j.Log.Warn("friend_import cannot take these tags, so their values were left out: "+strings.Join(names, ", "),
			job.EventLeftOut)
	}
}
