package export

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
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

// Do runs the export and returns how it ended.
func Do(ctx context.Context, j *job.Job, reads *folder.Reads) (ending exit.Ending, err error) {
	e := &Export{Job: j}
	if err := e.checkOutputs(reads); err != nil {
		return ending, err
	}
	if e.Accounts, err = j.OpenAccounts(ctx, "--accounts", j.Set.Accounts); err != nil {
		return ending, err
	}
	defer func() { err = errors.Join(err, j.Close(e.Close)) }()
	if err := e.open(); err != nil {
		return ending, e.refusal(err)
	}
	if err := j.ServeMetrics(); err != nil {
		return ending, err
	}
	after := time.Time{}
	if e.Resumed {
		after = j.Began.Add(time.Second) // an earlier process may have sent calls a moment ago
	}
	if j.Client, err = j.NewClient(ctx, after); err != nil {
		return ending, err
	}
	stop := job.Stop{Err: e.readAccounts(ctx), Cause: context.Cause(ctx), Asks: true}
	if stop.Code() == exit.Unexpected {
		return ending, e.refusal(stop.Err)
	}
	e.warn(stop.Err == nil)
	return e.ending(stop), nil
}

// checkOutputs refuses to overwrite a file that no export wrote.
func (e *Export) checkOutputs(reads *folder.Reads) error {
	out := e.Set.Destination
	var err error
	if out != "" {
		err = cmp.Or(reads.CheckRead("--output", out), reads.CheckOwn(out+folderSuffix))
	}
	if err == nil {
		err = reads.CheckFile("the list of what cannot be read", FailedPath(out), FailedHeader)
	}
	return job.WouldOverwrite(err, e.elsewhere().String())
}

// elsewhere returns the command with another output, whose list of failures is another one too.
func (e *Export) elsewhere() exit.CommandLine {
	out, usual := e.Set.Destination, "export."+e.Set.Format
	if info, err := os.Stat(out); err == nil && info.IsDir() {
		out = filepath.Join(out, usual)
	}
	return e.Line().With("output", job.FreeName(cmp.Or(out, usual)))
}

// refusal sets the exit code and the hint of an unusable destination or format.
func (e *Export) refusal(err error) error {
	out := e.Set.Destination
	hint := e.elsewhere().String()
	switch {
	case errors.Is(err, source.ErrNotCSV):
		line := e.Line().With("format", source.JSONL)
		if out != "" {
			line = line.With("output", asJSONL(out))
		}
		return &exit.Error{Code: exit.Unusable, Err: err, Hint: line.String()}
	case errors.Is(err, ErrExists):
		return &exit.Error{Code: exit.Unusable, Hint: hint,
			Err: fmt.Errorf("%w, and no export has begun it: nothing is written over it", err)}
	case errors.Is(err, errBroken):
		return &exit.Error{Code: exit.Unexpected, Err: err, Hint: hint + " # begins anew"}
	case errors.Is(err, ErrOther):
		return &exit.Error{Code: exit.OtherJob, Err: err, Hint: hint}
	}
	return err
}

// asJSONL returns the name of a CSV file as one of JSONL.
func asJSONL(name string) string {
	stem, packed := cutFormat(name)
	return stem + ".jsonl" + packed
}

// cutFormat cuts the endings that name the format off a file's name, and returns that of a packed
// one.
func cutFormat(name string) (stem, packed string) {
	if ext := filepath.Ext(name); slices.Contains([]string{".gz", ".zst"}, strings.ToLower(ext)) {
		packed, name = ext, strings.TrimSuffix(name, ext)
	}
	return strings.TrimSuffix(name, filepath.Ext(name)), packed
}

// readAccounts reads the accounts and shows where that stands.
func (e *Export) readAccounts(ctx context.Context) error {
	start, meter := e.At(), new(migrate.Meter)
	if !e.Finished {
		text := fmt.Sprintf("reading %s from %s by friend_get", terminal.Some(e.Accounts.Count, "account"),
			e.Set.Target())
		if e.Resumed {
			text += fmt.Sprintf("; resuming after %s", terminal.Some(start.Done, "account"))
		}
		e.Log.Info(text, job.Event("export"), zap.Int64("accounts", e.Accounts.Count), zap.Int64("done", start.Done),
			zap.Float64("rate", e.Set.Rate))
		defer e.Follow(meter, e.fill, nil)()
	}
	engine := e.EngineOptions(meter)
	return e.Run(ctx, func(from string) friendlist.Pages { return e.Client.Friends(from) }, engine)
}

// fill writes the progress of the export into s.
func (e *Export) fill(s *progress.Snapshot) {
	now := e.At()
	s.Doing, s.Noun, s.Settled, s.Total = "reading", "account", now.Done, e.Accounts.Count
	s.Done, s.ToGo = now.Done, s.Total-now.Done
	s.Note = terminal.Some(now.Edges, "edge")
	if n := now.Unread(); n > 0 {
		s.Note += fmt.Sprintf(", %s unreadable", terminal.Count(n))
	}
}

// warn warns about an empty result and about fields that were left out.
func (e *Export) warn(whole bool) {
	if whole && e.At().Edges == 0 {
		e.Log.Warn(fmt.Sprintf("no friend of any account was found; the first account in %q is %q (line %d)",
			e.Accounts.Name, e.Accounts.First.ID, e.Accounts.First.Line), job.Event("export"))
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
		e.Log.Warn("friend_import cannot take these tags, so their values were left out: "+strings.Join(names, ", "),
			job.Event("left-out"))
	}
}
