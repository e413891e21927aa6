package job

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/report"
	"friendmigrate/cmd/friendmigrate/terminal"
	"friendmigrate/migrate"
	"friendmigrate/sink"
	"friendmigrate/source"
)

// ending returns the ending of the run: exit code, text and hint.
func (j *Run) ending(o outcome) exit.Ending {
	codes := []exit.Code{j.stopped().Code()}
	if o.trouble != nil {
		codes = append(codes, exit.Unexpected)
	}
	if o.failed > 0 || o.rejected > 0 {
		codes = append(codes, exit.Exceptions)
	}
	e := exit.Ending{Code: exit.Gravest(codes...)}
	switch e.Code {
	case exit.Done, exit.Exceptions:
		if j.result.idle && o.failed > 0 && o.sums.Pending() == 0 && j.lastCode() == exit.Systematic {
			e.Code = exit.Systematic // as the run ended that settled the last edge
		}
		e.What, e.Hint = j.finishedWords(o), j.nextHint(o)
	case exit.Unexpected:
		err := j.trouble(o)
		e.What, e.Hint = j.Meaning(err)+"; "+pendingWords(o), j.Hint(err, e.Code)
	default:
		e = j.stopped().Ending(e.Code, func(why string) string {
			if n := o.sums.Failed(); n > 0 && j.stopped().Why() != "" {
				why += "; " + j.failedWords(o, n)
			}
			return why + "; " + pendingWords(o)
		})
		e.Hint = j.stopHint(o, e.Code)
	}
	e.Report = j.path(folder.Page)
	return j.HintOutsidePod(e)
}

// lastCode returns the code with which the last run that sent anything ended, if that is recorded.
func (j *Run) lastCode() exit.Code {
	if runs := j.Journal.Runs(); len(runs) > 0 && runs[len(runs)-1].End != nil {
		return exit.Code(runs[len(runs)-1].End.Code)
	}
	return exit.Done
}

// finishedWords returns the text about a run whose plan is done.
func (j *Run) finishedWords(o outcome) string {
	begin, of := "finished", ""
	edges, settled := o.sums.Edges(), o.sums.InPlace()
	switch p := o.pilot; {
	case p != nil:
		begin, of = "the pilot is finished", " of "+terminal.Some(p.Accounts-p.Unknown, "account")
		edges, settled = p.Edges, p.Edges-p.Failed
	case j.result.idle:
		begin = "nothing to do"
	case j.rehearsal != nil:
		begin = "the rehearsal finished"
	}
	count := terminal.Count(settled) + " of "
	switch {
	case settled == edges && edges == 1:
		count = ""
	case settled == edges:
		count = "all "
	}
	text := fmt.Sprintf("%s: %s%s%s %s %s%s%s", begin, count, terminal.Some(edges, "edge"), of,
		terminal.Verb(edges, "is", "are"), j.Op.Settled, j.alreadyWords(o), j.costWords())
	if edges == 0 {
		text = strings.Replace(begin, "nothing to do", "finished", 1) + " without a call: " + j.whyNothing(o)
	}
	parts := []string{text}
	if o.failed > 0 {
		parts = append(parts, j.failedWords(o, o.failed))
	}
	if o.rejected > 0 {
		parts = append(parts, RejectedWords(o.rejected, j.see(folder.Rejected), j.Counts))
	}
	if pending := o.sums.Pending(); o.pilot != nil && pending > 0 {
		parts = append(parts, terminal.IsAre(pending, "edge")+" pending of other accounts")
	}
	if j.rehearsal != nil {
		parts = append(parts, j.rehearsal.words())
	}
	return strings.Join(parts, "; ")
}

// alreadyWords says how many edges needed no change.
func (j *Run) alreadyWords(o outcome) string {
	n := o.sums.Rows.Already + o.sums.Added.Already
	if o.pilot != nil || n == 0 {
		return ""
	}
	unsure := ""
	if m := o.sums.AlreadyUncertain(); m > 0 {
		unsure = fmt.Sprintf(", %s of them perhaps by a call of this job", terminal.Count(m))
	}
	return fmt.Sprintf(" (%s %s %s%s)", terminal.Count(n), terminal.Verb(n, "was", "were"), j.Op.Already, unsure)
}

// whyNothing returns the reason why there is no edge to send.
func (j *Run) whyNothing(o outcome) string {
	shard := j.Set.Job.Shard
	switch {
	case j.Op.Folder != "":
		return "the job has imported no edge" + j.alreadyWords(o)
	case j.Counts.NoRows():
		return "the input has no rows, which --allow-empty accepts"
	case o.pilot != nil:
		return fmt.Sprintf("shard %s has no edge of its accounts", shard)
	case shard.Count > 0:
		return fmt.Sprintf("no edge of the input belongs to shard %s", shard)
	}
	return "the input has no edges"
}

// costWords says how many calls the run sent, and how long it took.
func (j *Run) costWords() string {
	if j.result.idle {
		return ""
	}
	return fmt.Sprintf(", %s in %s", terminal.Some(j.result.stats.Attempts, "call"),
		terminal.Took(time.Since(j.result.began)))
}

// RejectedWords says where rejected rows are listed, and why they were rejected if all rows of an
// input have the same reason.
func RejectedWords(rows int64, where string, c source.Counts) string {
	text := fmt.Sprintf("%s rejected, %s", terminal.WasWere(rows, "row"), where)
	if why := c.WhyAllRejected(); why != "" {
		text += " (" + why + ")"
	}
	return text
}

// trouble returns the error that ended the run or, if none did, the error of writing its result.
func (j *Run) trouble(o outcome) error {
	if j.result.err != nil && j.stopped().Code() == exit.Unexpected {
		return j.result.err
	}
	return o.trouble
}

func pendingWords(o outcome) string {
	pending := o.sums.Pending()
	if pending == 0 {
		return "no edge is pending"
	}
	return fmt.Sprintf("%s of %s %s pending", terminal.Count(pending), terminal.Some(o.sums.Edges(), "edge"),
		terminal.Verb(pending, "is", "are"))
}

// stopped returns how the run of the engine ended.
func (j *Run) stopped() Stop { return Stop{Err: j.result.err, Cause: j.result.cause} }

// brakeHint returns the command that shows what was refused, or that resumes after the cause is
// fixed.
func (j *Run) brakeHint(stop *migrate.StopError, sums report.Sums) string {
	l, failed := j.resume(), sums.Failed() > 0
	if failed {
		l = l.WithWord("--retry-failed")
	}
	b := stop.Brake
	tags := slices.DeleteFunc(slices.Clone(b.Fields),
		func(name string) bool { return !strings.HasPrefix(name, "Tag_") })
	switch {
	case len(tags) > 0: // of several it is not known which are not there
		return l.String() + " # after creating " + strings.Join(tags, ", ") + " in the console"
	case b.Bytes > 0 && stop.Code == http.StatusRequestEntityTooLarge && !failed:
		return l.With("chunk-bytes", fmt.Sprint(max(1<<10, b.Bytes/2))).String() + " # smaller calls"
	case !failed:
		return l.String() + " # after fixing what the service says"
	}
	show := j.Line().As("failures", func(flag string) bool { return flag == "state" })
	if j.Set.Service.Rehearse || j.Op.Folder != "" {
		show = show.With("state", j.Dir)
	}
	if stop.Code > 0 {
		show = show.With("code", fmt.Sprint(stop.Code))
	}
	if sink.AccountMissing(stop.Code) {
		show = j.As(j.Line(), "accounts", "json").Of()
	}
	hint := show.String() + " # shows them; then " + j.Op.Command + " with --retry-failed"
	if sums.Pending() > 0 && (b.Kind == migrate.BrakeNothing || b.Kind == migrate.BrakeRatio) {
		hint += ", or --max-failure-ratio 0 to go on"
	}
	return hint
}

// failedWords returns the number of failed edges, with their codes, and where they are listed.
func (j *Run) failedWords(o outcome, n int64) string {
	codes := o.byCode
	if o.pilot != nil && n == o.failed { // all failed edges of the job are the pilot's
		codes = o.ofPilot
	}
	return fmt.Sprintf("%s failed%s, see %s", terminal.Some(n, "edge"), report.Codes(codes),
		j.path(j.listName(folder.Failed)))
}

// resume returns the same command, which resumes. What standard input gave is staged already.
func (j *Run) resume() exit.CommandLine {
	l := j.ResumeLine()
	if slices.Contains(j.Inputs, "-") {
		l = l.From("/dev/null")
	}
	return l
}

// stopHint returns the command to run next after a run that was stopped.
func (j *Run) stopHint(o outcome, code exit.Code) string {
	stop, _ := errors.AsType[*migrate.StopError](j.result.err)
	switch {
	case stop != nil && stop.Brake != nil:
		return j.brakeHint(stop, o.sums)
	case code == exit.Refused:
		return j.resume().String() + " # after fixing that"
	}
	return cmp.Or(j.SilentHint(j.stopped()), j.resume().String())
}

// nextHint returns the command to run after a plan that is done. It retries failed edges, or else
// sends fixed rows as a job of their own.
func (j *Run) nextHint(o outcome) string {
	switch {
	case o.sums.Edges() == 0 && j.Counts.Better(j.Set.Rows.Map).Name != "":
		better := j.Counts.Better(j.Set.Rows.Map)
		l := j.Line().With(better.Name, better.Value)
		if j.rehearsal == nil {
			l = l.With("fresh", "")
		}
		return l.String()
	case j.rehearsal != nil:
		return j.realRun()
	case o.failed > 0:
		l := j.resume().WithWord("--retry-failed")
		if o.reopened > 0 { // of other accounts: until they are settled, no failed edge of a pilot is sent again
			l = j.Without(l.Without("yes"), "only-accounts") // without --yes, undo says first what it would delete
		}
		return l.String() + " # " + terminal.AfterFixing(o.failed)
	case o.rejected > 0 && !slices.Contains(j.gone, folder.Rejected):
		return j.fixedHint()
	case j.Pilot != nil:
		return j.Without(j.ResumeLine().Without("yes"), "only-accounts").String()
	}
	if !j.over && j.Op.Command == "import" && o.rejected == 0 && o.sums.Edges() > 0 {
		// verify takes the meaning of the rows from the staged job
		return j.As(j.Line(), "verify", "json", "map", "format", "default-add-source", "integer-tags", "mutual",
			"duplicates", "invalid-field", "max-duration", "listen", "linger").
			With("fields", "").Of().String() + " # proves it"
	}
	return exit.NothingToRun + "; the report is in " + j.path(folder.Page)
}

// fixedHint returns the command that sends the rejected rows after they are fixed.
func (j *Run) fixedHint() string {
	fixed := []string{"fixed." + j.Counts.ListFormat()}
	for i, format := range j.Counts.RejectedIn {
		fixed = append(fixed[:i], "fixed."+format)
	}
	l := j.Without(j.ResumeLine(), "only-accounts")
	return j.FollowUp(l, j.Set.Job, "-fixed").Of(fixed...).String() + " # with " + j.path(folder.Rejected) + ", fixed"
}

// realRun returns the command of the run that was rehearsed.
func (j *Run) realRun() string {
	return j.Completed(j.Without(j.ResumeLine(), "rehearse", "rehearse-real-time")).String()
}
