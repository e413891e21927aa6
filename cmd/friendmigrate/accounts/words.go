package accounts

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"friendmigrate/checkpoint"
	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/inspect"
	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/cmd/friendmigrate/report"
	"friendmigrate/cmd/friendmigrate/terminal"
)

// ending returns the exit code and the message of the end.
func (j *Run) ending(r *Result, stop job.Stop, took time.Duration) exit.Ending {
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
	if r.Calls > 0 && stop.Err == nil {
		text += fmt.Sprintf(", %s in %s", terminal.Some(r.Calls, "call"), terminal.Took(took))
	}
	if stop.Err != nil {
		e := stop.Ending(stop.Code(), func(why string) string { return why + "; " + text })
		e.Hint = cmp.Or(j.SilentHint(stop), j.ResumeLine().String())
		return e
	}
	e := exit.Ending{What: "finished: " + text, Hint: j.As(j.Line(), "plan", "json").Of(j.Inputs...).String()}
	if j.Set.Rows.NoSource { // plan takes an update's rows for those of an import
		e.Hint = j.As(j.Line(), "update", "json").Of(j.Inputs...).String()
	}
	imported, err := checkpoint.IdentityOf(j.FS, j.Dir)
	begun := err == nil && slices.Equal(imported.Inputs, j.Journal.Identity().Inputs)
	if len(j.Inputs) == 0 || begun { // edges of the job may have failed because accounts were missing
		again := j.Again()
		command := again.Command
		if again.Undone {
			command = "undo"
		}
		line := j.As(j.Line(), command, "json")
		if again.Shard.Count > 0 {
			line = line.With("shard", again.Shard.String())
		}
		if e.Hint = line.String() + inspect.AfterUndo; !again.Undone {
			e.Hint = again.On(line).String() + " # with --retry-failed if edges failed because accounts were missing"
		}
	}
	switch {
	case r.Missing > 0 && j.Set.Import:
		e.Code, e.Hint = exit.Exceptions, j.Line().String()+" # after finding out why those of the list are refused"
	case r.Missing > 0:
		e.Code, e.Hint = exit.Exceptions, j.Line().With("import", "").String()+" # imports those that are missing"
	}
	return e
}
