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
	"friendmigrate/cmd/friendmigrate/terminal"
	"friendmigrate/migrate"
	"friendmigrate/source"
)

// judge finds the exit code and puts the ending in words.
func (j *Run) judge(o outcome) exit.Ending {
	codes := []exit.Code{j.stop().Code()}
	if o.trouble != nil {
		codes = append(codes, exit.Unexpected)
	}
	if o.failed > 0 || o.rejected > 0 {
		codes = append(codes, exit.Exceptions)
	}
	e := exit.Ending{Code: exit.Gravest(codes...)}
	switch e.Code {
	case exit.Done:
		e.What, e.Hint = j.doneWords(o), j.doneHint()
	case exit.Exceptions:
		e.What, e.Hint = j.exceptionWords(o), j.exceptionHint(o)
	case exit.Unexpected:
		err := j.trouble(o)
		e.What, e.Hint = j.Meaning(err)+"; "+j.pendingWords(o), j.Hint(err, e.Code)
	default:
		e = j.stop().Ending(e.Code, func(why string) string {
			if n := o.account.Failed(); n > 0 && j.stop().Why() != "" {
				why += "; " + j.failedWords(o, n)
			}
			return why + "; " + j.pendingWords(o)
		})
		e.Hint = j.stopHint(o, e.Code)
	}
	return e
}

func (j *Run) doneWords(o outcome) string {
	a := o.account
	if o.pilot != nil && o.pilot.Edges == 0 {
		return fmt.Sprintf("the pilot is finished without a call: shard %s has no edge of its accounts; %s",
			j.Set.Job.Shard, restWords(a.Pending()))
	}
	if o.pilot != nil {
		named := terminal.Some(o.pilot.Accounts-o.pilot.Unknown, "account")
		return fmt.Sprintf("the pilot is finished: all %s of %s %s in place%s; %s",
			terminal.Some(o.pilot.Edges, "edge"), named, terminal.Verb(o.pilot.Edges, "is", "are"), j.after(),
			restWords(a.Pending()))
	}
	if a.Edges() == 0 {
		return j.nothingWords()
	}
	begin := "finished"
	if j.result.idle {
		begin = "nothing to do"
	}
	text := fmt.Sprintf("%s: all %s in place", begin, terminal.IsAre(a.Edges(), "edge"))
	var parts []string
	if n := a.Rows.Already + a.Added.Already; n > 0 {
		parts = append(parts, terminal.Count(n)+" were there before")
	}
	if a.Rows.Duplicate > 0 {
		parts = append(parts, terminal.WasWere(a.Rows.Duplicate, "further row")+" of the same pairs")
	}
	if len(parts) > 0 {
		text += " (" + strings.Join(parts, ", ") + ")"
	}
	text += j.after()
	if j.rehearsal != nil {
		text = "the rehearsal " + text + "; " + j.rehearsal.words()
	}
	return text
}

// restWords says how many edges a pilot leaves open.
func restWords(pending int64) string {
	return terminal.Some(pending, "edge") + " of the rest " + terminal.Verb(pending, "is", "are") + " pending"
}

// nothingWords says why a job without an edge is done.
func (j *Run) nothingWords() string {
	switch {
	case j.Counts.NoRows():
		return "finished without a call: the input has no rows, which --allow-empty accepts"
	case j.Set.Job.Shard.Count > 0:
		return fmt.Sprintf("finished without a call: none of the input's rows belongs to shard %s", j.Set.Job.Shard)
	}
	return "finished without a call: the input has no edges"
}

// after says how much it took.
func (j *Run) after() string {
	if j.result.idle {
		return ""
	}
	return fmt.Sprintf(", %s in %s", terminal.Some(j.result.stats.Attempts, "call"),
		terminal.Took(time.Since(j.result.began)))
}

func (j *Run) exceptionWords(o outcome) string {
	begin := "finished"
	edges, pending := o.account.Edges(), ""
	placed := o.account.InPlace()
	if o.pilot != nil {
		begin = "the pilot is finished"
		edges = o.pilot.Edges
		placed = edges - o.pilot.Failed
		pending = "; " + restWords(o.account.Pending())
	} else if j.result.idle && j.resumed { // a shard may have nothing to do from the start
		begin = "nothing to do, finished before"
	}
	var parts []string
	if o.failed > 0 {
		parts = append(parts, j.failedWords(o, o.failed))
	}
	if o.rejected > 0 {
		parts = append(parts, RejectedWords(o.rejected, j.see(folder.Rejected), j.Counts))
	}
	text := fmt.Sprintf("%s: %s of %s in place%s; %s%s", begin, terminal.Count(placed), terminal.IsAre(edges, "edge"),
		j.after(), strings.Join(parts, "; "), pending)
	if j.rehearsal != nil {
		text += "; " + j.rehearsal.words()
	}
	return text
}

// RejectedWords says where rejected rows are listed, and why if there is one reason for all of an
// input.
func RejectedWords(rows int64, where string, c source.Counts) string {
	text := fmt.Sprintf("%s rejected, %s", terminal.WasWere(rows, "row"), where)
	if why := c.WhyAllRejected(); why != "" {
		text += " (" + why + ")"
	}
	return text
}

// trouble is what went wrong: the run itself before what came of it.
func (j *Run) trouble(o outcome) error {
	if j.result.err != nil && j.stop().Code() == exit.Unexpected {
		return j.result.err
	}
	return o.trouble
}

func (j *Run) pendingWords(o outcome) string {
	pending := o.account.Pending()
	if pending == 0 {
		return "no edge is pending"
	}
	return fmt.Sprintf("%s of %s %s pending", terminal.Count(pending), terminal.Some(o.account.Edges(), "edge"),
		terminal.Verb(pending, "is", "are"))
}

// stop is how the run of the engine ended.
func (j *Run) stop() Stop { return Stop{Err: j.result.err, Cause: j.result.cause} }

// brakeHint is the command that shows what was refused, or resumes once that is fixed.
func (j *Run) brakeHint(stop *migrate.StopError, failed bool) string {
	l := j.resume()
	if failed {
		l = l.WithWord("--retry-failed")
	}
	b := stop.Brake
	tags := slices.DeleteFunc(slices.Clone(b.Fields),
		func(name string) bool { return !strings.HasPrefix(name, "Tag_") })
	switch {
	case len(tags) == 1:
		return l.String() + " # after creating " + tags[0] + " in the console, if it is not there"
	case len(tags) > 1: // nothing tells which one it is
		return l.String() + " # after creating those of " + strings.Join(tags, ", ") +
			" in the console that are not there"
	case b.Bytes > 0 && stop.Code == http.StatusRequestEntityTooLarge:
		return l.With("chunk-bytes", fmt.Sprint(max(1<<10, b.Bytes/2))).String() + " # smaller calls"
	case !failed:
		return l.String() + " # after fixing what the service says"
	}
	show := j.Line().As("failures", func(flag string) bool { return flag == "state" })
	if j.Set.Service.Rehearse {
		show = show.With("state", j.Dir)
	}
	if stop.Code > 0 {
		show = show.With("code", fmt.Sprint(stop.Code))
	}
	hint := show.String() + " # shows them; when that is fixed: " + l.String()
	if b.Kind == migrate.BrakeNothing || b.Kind == migrate.BrakeRatio {
		hint += "; if it is only the input's beginning: " + j.resume().With("max-failure-ratio", "0").String()
	}
	return hint
}

// failedWords counts failed edges, with their codes, and says where they are listed.
func (j *Run) failedWords(o outcome, n int64) string {
	codes := o.byCode
	if o.pilot != nil && n == o.failed { // if the job has as many, they are the same
		codes = o.ofPilot
	}
	return fmt.Sprintf("%s failed%s, see %s", terminal.Some(n, "edge"), Codes(codes),
		j.path(j.listName(folder.Failed)))
}

// resume is the same command, which resumes. What standard input gave is staged already.
func (j *Run) resume() exit.Line {
	l := j.ResumeLine()
	if slices.Contains(j.Inputs, "-") {
		l = l.From("/dev/null")
	}
	return l
}

// stopHint is the command to run next after a run that was stopped.
func (j *Run) stopHint(o outcome, code exit.Code) string {
	stop, _ := errors.AsType[*migrate.StopError](j.result.err)
	switch {
	case stop != nil && stop.Brake != nil:
		return j.brakeHint(stop, o.account.Failed() > 0)
	case code == exit.Refused:
		return j.resume().String() + " # after fixing that"
	}
	return cmp.Or(j.SilentHint(j.stop()), j.resume().String())
}

// exceptionHint takes failed edges up again, or else sends fixed rows as a job of their own.
func (j *Run) exceptionHint(o outcome) string {
	if j.rehearsal != nil {
		return j.realRun()
	}
	if o.failed > 0 {
		return j.resume().WithWord("--retry-failed").String() + " # after fixing what their codes say"
	}
	if slices.Contains(j.gone, folder.Rejected) {
		return j.doneHint()
	}
	fixed := []string{"fixed." + j.Counts.ListFormat()}
	for i, format := range j.Counts.RejectedIn {
		fixed = append(fixed[:i], "fixed."+format)
	}
	return j.FollowUp(j.Line().Without("fresh", "retry-failed", "only-accounts"), j.Set.Job,
		"-fixed").Of(fixed...).String() +
		" # with the rows of " + j.path(folder.Rejected) + " fixed in " + strings.Join(fixed, " and ")
}

func (j *Run) doneHint() string {
	switch {
	case j.rehearsal != nil:
		return j.realRun()
	case j.Pilot != nil:
		return j.ResumeLine().Without("only-accounts").String()
	}
	return "nothing to run; the report is in " + j.path(folder.Page)
}

// realRun is the command of the run that was rehearsed.
func (j *Run) realRun() string {
	return j.Completed(j.ResumeLine().Without("rehearse")).String()
}
