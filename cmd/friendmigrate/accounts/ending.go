package accounts

import (
	"fmt"
	"path/filepath"
	"time"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/report"
	"friendmigrate/cmd/friendmigrate/terminal"
)

// Ending finds the exit code and puts the ending in words.
func (j *Job) Ending(r *Result, took time.Duration) exit.Ending {
	list := filepath.Join(j.Dir, folder.AccountsMissing)
	text := fmt.Sprintf("%s of %s %s", terminal.Count(r.Exist), terminal.Some(r.All, "account"),
		terminal.Verb(r.All, "exists", "exist"))
	if r.Exist == r.All {
		text = fmt.Sprintf("all %s exist", terminal.Some(r.All, "account"))
	}
	if r.Imported > 0 {
		text += fmt.Sprintf(" (%s imported by this run)", terminal.Count(r.Imported))
	}
	if r.Missing > 0 {
		text += fmt.Sprintf(", %s missing%s, see %s", terminal.IsAre(r.Missing, "account"), report.Codes(r.ByCode),
			list)
	}
	if r.Unasked > 0 {
		text += fmt.Sprintf(", %s still to be asked about", terminal.IsAre(r.Unasked, "account"))
	}
	if r.Calls > 0 {
		text += fmt.Sprintf(", %s in %s", terminal.Some(r.Calls, "call"), terminal.Took(took))
	}
	code := r.Stop.Code()
	if code != exit.Done {
		e := r.Stop.Ending(code, func(why string) string { return why + "; " + text })
		e.Hint = j.ResumeLine().String()
		if hint := j.SilentHint(r.Stop); hint != "" {
			e.Hint = hint
		}
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
