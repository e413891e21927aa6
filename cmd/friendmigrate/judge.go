package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/invocation"
	"friendmigrate/cmd/friendmigrate/screen"
	"friendmigrate/migrate"
	"friendmigrate/source"
)

// judge finds the exit code and puts the ending in words.
func (j *importJob) judge(o outcome) exit.Ending {
	codes := []exit.Code{stopCode(j.result.err)}
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
		e.What, e.Hint = j.p.meaning(err)+"; "+j.pendingWords(o), j.p.hint(err, e.Code)
	default:
		e.What, e.Hint = j.stopWords(o, stopInfo), j.stopHint(o, e.Code)
		e.Public, e.Why = j.stopWords(o, publicInfo), stopWhy(j.result.err)
	}
	return e
}

// stopCode is the exit code of an engine that ended before its plan was done.
func stopCode(err error) exit.Code {
	var stop *migrate.StopError
	var known *exit.Error
	switch {
	case err == nil:
		return exit.Done
	case errors.As(err, &stop):
		switch stop.Reason {
		case migrate.ReasonSignal, migrate.ReasonDuration, migrate.ReasonOutage, migrate.ReasonThrottled, migrate.ReasonSilent,
			migrate.ReasonUnanswered:
			return exit.Unfinished
		case migrate.ReasonThreshold, migrate.ReasonSystematic:
			return exit.Systematic
		case migrate.ReasonRefused:
			return exit.Refused
		}
	case errors.As(err, &known):
		return known.Code
	}
	return exit.Unexpected
}

func (j *importJob) doneWords(o outcome) string {
	a := o.account
	if o.pilot != nil && o.pilot.Edges == 0 {
		return fmt.Sprintf("the pilot is finished without a call: shard %s has no edge of its accounts; %s",
			j.set.Job.Shard, restWords(a.Pending()))
	}
	if o.pilot != nil {
		named := screen.Some(o.pilot.Accounts-o.pilot.Unknown, "account")
		return fmt.Sprintf("the pilot is finished: all %s of %s %s in place%s; %s",
			screen.Some(o.pilot.Edges, "edge"), named, screen.Verb(o.pilot.Edges, "is", "are"), j.after(), restWords(a.Pending()))
	}
	if a.Edges() == 0 {
		return j.nothingWords()
	}
	begin := "finished"
	if j.result.idle {
		begin = "nothing to do"
	}
	text := fmt.Sprintf("%s: all %s in place", begin, screen.IsAre(a.Edges(), "edge"))
	var parts []string
	if n := a.Rows.Already + a.Added.Already; n > 0 {
		parts = append(parts, screen.Count(n)+" were there before")
	}
	if a.Rows.Duplicate > 0 {
		parts = append(parts, screen.WasWere(a.Rows.Duplicate, "further row")+" of the same pairs")
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
	return screen.Some(pending, "edge") + " of the rest " + screen.Verb(pending, "is", "are") + " pending"
}

// nothingWords says why a job without an edge is done.
func (j *importJob) nothingWords() string {
	switch {
	case j.counts.NoRows():
		return "finished without a call: the input has no rows, which --allow-empty accepts"
	case j.set.Job.Shard.Count > 0:
		return fmt.Sprintf("finished without a call: none of the input's rows belongs to shard %s", j.set.Job.Shard)
	}
	return "finished without a call: the input has no edges"
}

// after says how much it took.
func (j *importJob) after() string {
	if j.result.idle {
		return ""
	}
	return fmt.Sprintf(", %s in %s", screen.Some(j.result.stats.Attempts, "call"), screen.Took(time.Since(j.result.began)))
}

func (j *importJob) exceptionWords(o outcome) string {
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
		parts = append(parts, rejectedWords(o.rejected, j.see(folder.Rejected), j.counts))
	}
	text := fmt.Sprintf("%s: %s of %s in place%s; %s%s", begin, screen.Count(placed), screen.IsAre(edges, "edge"), j.after(), strings.Join(parts, "; "), pending)
	if j.rehearsal != nil {
		text += "; " + j.rehearsal.words()
	}
	return text
}

// rejectedWords says where rejected rows are listed, and why if there is one reason for all of an
// input.
func rejectedWords(rows int64, where string, c source.Counts) string {
	text := fmt.Sprintf("%s rejected, %s", screen.WasWere(rows, "row"), where)
	if why := c.WhyAllRejected(); why != "" {
		text += " (" + why + ")"
	}
	return text
}

// trouble is what went wrong: the run itself before what came of it.
func (j *importJob) trouble(o outcome) error {
	if j.result.err != nil && stopCode(j.result.err) == exit.Unexpected {
		return j.result.err
	}
	return o.trouble
}

func (j *importJob) pendingWords(o outcome) string {
	pending := o.account.Pending()
	if pending == 0 {
		return "no edge is pending"
	}
	return fmt.Sprintf("%s of %s %s pending", screen.Count(pending), screen.Some(o.account.Edges(), "edge"), screen.Verb(pending, "is", "are"))
}

// stopInfo is what was seen, with the words of the service.
func stopInfo(stop *migrate.StopError) string {
	switch {
	case stop.Brake == nil:
		return stop.Info
	case stop.Brake.Text == "":
		return brakeWords(stop)
	}
	return fmt.Sprintf("%s; the service says %q", brakeWords(stop), stop.Brake.Text)
}

// publicInfo is stopInfo without those: they may name accounts.
func publicInfo(stop *migrate.StopError) string {
	if stop.Brake != nil {
		return brakeWords(stop)
	}
	with := ""
	if stop.Code != 0 {
		with = fmt.Sprintf(" (code %d)", stop.Code)
	}
	switch stop.Reason {
	case migrate.ReasonOutage:
		return "nothing got through for as long as --outage-timeout says" + with
	case migrate.ReasonThrottled:
		return "every call was refused as too frequent for as long as --outage-timeout says" + with
	case migrate.ReasonSilent:
		return "nobody has answered"
	case migrate.ReasonRefused:
		return "calls are refused" + with
	}
	return stop.Info
}

// stopWhy is the reason in one word; "" if the engine has none.
func stopWhy(err error) string {
	if stop := (*migrate.StopError)(nil); errors.As(err, &stop) {
		return string(stop.Reason)
	}
	return ""
}

// stopWords says why it stopped; info chooses how much of what was seen.
func (j *importJob) stopWords(o outcome, info func(*migrate.StopError) string) string {
	var stop *migrate.StopError
	if !errors.As(j.result.err, &stop) {
		return fmt.Sprintf("%v; %s", j.result.err, j.pendingWords(o))
	}
	text := "stopped"
	switch stop.Reason {
	case migrate.ReasonSignal:
		text += " by a signal"
		if s := (signalled{}); errors.As(j.result.cause, &s) {
			text = "stopped by " + s.Error()
		}
	case migrate.ReasonDuration:
		text += " after --max-duration"
	case migrate.ReasonUnanswered:
		text = "not finished: " + info(stop)
	default:
		text += ": " + info(stop)
	}
	if stop.Hint != "" {
		text += "; " + stop.Hint
	}
	if n := o.account.Failed(); n > 0 {
		text += "; " + j.failedWords(o, n)
	}
	return text + "; " + j.pendingWords(o)
}

// resume is the same command, which resumes. What standard input gave is staged already.
func (j *importJob) resume() invocation.Line {
	l := resumeLine(j.p.args)
	if contains(j.inputs, "-") {
		l = l.From("/dev/null")
	}
	return l
}

// stopHint is the command to run next after a run that was stopped.
func (j *importJob) stopHint(o outcome, code exit.Code) string {
	stop, _ := errors.AsType[*migrate.StopError](j.result.err)
	switch {
	case stop != nil && stop.Brake != nil:
		return j.brakeHint(stop, o.account.Failed() > 0)
	case code == exit.Refused:
		return j.resume().String() + " # after fixing that"
	}
	return cmp.Or(silentHint(j.p.args, j.result.err), j.resume().String())
}

// exceptionHint takes failed edges up again, or else sends fixed rows as a job of their own.
func (j *importJob) exceptionHint(o outcome) string {
	if j.rehearsal != nil {
		return j.realRun()
	}
	if o.failed > 0 {
		return j.resume().WithWord("--retry-failed").String() + " # after fixing what their codes say"
	}
	if slices.Contains(j.gone, folder.Rejected) {
		return j.doneHint()
	}
	fixed := []string{"fixed." + j.counts.ListFormat()}
	for i, format := range j.counts.RejectedIn {
		fixed = append(fixed[:i], "fixed."+format)
	}
	return j.p.followUp(j.line.Without("fresh", "retry-failed", "only-accounts"), j.set.Job, "-fixed").Of(fixed...).String() +
		" # with the rows of " + j.path(folder.Rejected) + " fixed in " + strings.Join(fixed, " and ")
}

func (j *importJob) doneHint() string {
	switch {
	case j.rehearsal != nil:
		return j.realRun()
	case j.pilot != nil:
		return resumeLine(j.p.args).Without("only-accounts").String()
	}
	return "nothing to run; the report is in " + j.path(folder.Page)
}

// realRun is the command of the run that was rehearsed.
func (j *importJob) realRun() string {
	return j.p.completed(resumeLine(j.p.args).Without("rehearse")).String()
}
