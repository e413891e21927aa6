package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/invocation"
	"friendmigrate/cmd/friendmigrate/sampling"
	"friendmigrate/cmd/friendmigrate/screen"
	"friendmigrate/cmd/friendmigrate/verify"
	"friendmigrate/migrate"
	"friendmigrate/sink"
)

// verified is what a verify came to, to be put in words.
type verified struct {
	job *verifyJob
	verify.Totals
	lists   verify.Lists
	stopped error
	cause   error
	took    time.Duration
}

// judge finds the exit code and puts the ending in words.
func (r *verified) judge() exit.Ending {
	codes := []exit.Code{stopCode(r.stopped)}
	if r.stopped == nil && !r.Done() {
		codes = append(codes, exit.Unfinished)
	}
	if r.Missing+r.Different > 0 {
		codes = append(codes, exit.Different)
	}
	e := exit.Ending{Code: exit.Gravest(codes...)}
	switch e.Code {
	case exit.Done:
		e.What, e.Hint = r.doneWords(), "nothing to run"
	case exit.Different:
		e.What, e.Hint = r.differentWords(), r.differentHint()
	default:
		e.What, e.Hint = r.stoppedWords(stopInfo), r.resumeHint()
		e.Public, e.Why = r.stoppedWords(publicInfo), stopWhy(r.stopped)
	}
	return e
}

// subject says what was asked about.
func (r *verified) subject() string {
	if drawn, all := r.job.verify.Drawn(); drawn < all {
		return fmt.Sprintf("%s drawn from %s", screen.Some(drawn, "edge"), screen.Count(all))
	}
	return screen.Some(r.Edges, "edge")
}

func (r *verified) after() string {
	calls := r.job.client.Stats().Attempts
	if calls == 0 {
		return ""
	}
	return fmt.Sprintf(", %s in %s", screen.Some(calls, "call"), screen.Took(r.took))
}

func (r *verified) doneWords() string {
	if r.Edges == 0 {
		return "there is nothing to verify: no edge is expected"
	}
	with := ""
	if r.job.set.Fields {
		with = " with their fields"
	}
	return fmt.Sprintf("verified: all %s are in place%s%s%s", r.subject(), with, r.after(), r.worth())
}

// worth says what the sample tells of the whole.
func (r *verified) worth() string {
	drawn, all := r.job.verify.Drawn()
	if drawn >= all {
		return ""
	}
	bound := sampling.Bound(drawn, r.Missing+r.Different)
	return fmt.Sprintf("; with 95 %% confidence at most %.3g %% of all are not in place, %s (%s; seed %d)", 100*bound, screen.Some(int64(bound*float64(all)), "edge"), sampling.Name, r.job.verify.Seed)
}

func (r *verified) found() string {
	var parts []string
	if r.Missing > 0 {
		parts = append(parts, fmt.Sprintf("%s missing, see %s", isAre(r.Missing, "edge"), r.lists.Missing))
	}
	if r.Different > 0 {
		parts = append(parts, fmt.Sprintf("%s different, see %s", isAre(r.Different, "edge"), r.lists.Different))
	}
	return strings.Join(parts, "; ")
}

// isAre says "1 edge is" or "2 edges are".
func isAre(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun + " is"
	}
	return screen.Some(n, noun) + " are"
}

func (r *verified) differentWords() string {
	return fmt.Sprintf("verified %s%s: %s%s", r.subject(), r.after(), r.found(), r.worth())
}

// differentHint is the import of what is missing, as a job of its own. Importing what is different is of use only where that overwrites.
func (r *verified) differentHint() string {
	if drawn, all := r.job.verify.Drawn(); drawn < all {
		return r.job.line.Without("sample").String() + " # finds all of them"
	}
	if r.Missing == 0 {
		return r.lineAs("doctor").With("probe", "FROM,TO").String() + " # with two test accounts: importing " + r.lists.Different +
			" helps only if this app overwrites on re-import, which this tells"
	}
	l := r.lineAs("import").Without("map", "format", "default-add-source", "integer-tags", "mutual", "duplicates")
	l = r.job.p.followUp(l, r.job.set.Job, "-missing").Of(r.lists.Missing)
	if tags := r.lists.IntegerTags; len(tags) > 0 {
		l = l.With("integer-tags", strings.Join(tags, ","))
	}
	if r.Different > 0 {
		return l.String() + " # importing " + r.lists.Different + " helps only if this app overwrites on re-import, which friendmigrate doctor --probe tells"
	}
	return l.String()
}

// lineAs is the command line with another command, for the same app.
func (r *verified) lineAs(command string) invocation.Line {
	has := map[string]bool{}
	for _, f := range leafNamed(command).Flags {
		has[f.Names()[0]] = true
	}
	return r.job.line.Without("json", "sample").As(command, func(flag string) bool { return has[flag] })
}

func (r *verified) stoppedWords(info func(*migrate.StopError) string) string {
	text := "not finished"
	var stop *migrate.StopError
	switch {
	case errors.As(r.stopped, &stop):
		text = stopText(stop, r.cause, info)
	case r.stopped != nil:
		text = r.stopped.Error()
	}
	if found := r.found(); found != "" {
		text += "; so far " + found
	}
	for _, code := range r.Codes() {
		known, _ := sink.LookupCode(code)
		about := fmt.Sprintf("code %d, %s", code, known.Advice)
		if code < 100 {
			about = "the friend list could not be read as one"
		}
		text += fmt.Sprintf("; %s without a verdict (%s)", isAre(r.NoVerdict[code], "edge"), about)
	}
	if r.Pending > 0 {
		text += fmt.Sprintf("; %s of %s still to be asked about", screen.Count(r.Pending), isAre(r.Edges, "edge"))
	}
	return text
}

// stopText says why the engine stopped.
func stopText(stop *migrate.StopError, cause error, info func(*migrate.StopError) string) string {
	text := "stopped: " + info(stop)
	switch s := (signalled{}); {
	case stop.Reason == migrate.ReasonSignal && errors.As(cause, &s):
		text = "stopped by " + s.Error()
	case stop.Reason == migrate.ReasonSignal:
		text = "stopped by a signal"
	case stop.Reason == migrate.ReasonDuration:
		text = "stopped after --max-duration"
	case stop.Reason == migrate.ReasonUnanswered:
		text = "not finished: some calls never got an answer"
	}
	if stop.Hint != "" {
		text += "; " + stop.Hint
	}
	return text
}

func (r *verified) resumeHint() string {
	l := resumeLine(r.job.p.args)
	if contains(r.job.inputs, "-") && !r.job.own {
		l = l.From("/dev/null")
	}
	return l.String()
}

// verifyReport is the result for programs.
type verifyReport struct {
	Version   int              `json:"version"`
	Shard     string           `json:"shard,omitempty"`
	Edges     int64            `json:"edges"`
	InPlace   int64            `json:"inPlace"`
	Missing   int64            `json:"missing"`
	Different int64            `json:"different"`
	NoVerdict map[string]int64 `json:"noVerdict"` // by code
	Pending   int64            `json:"pending"`
	Calls     int64            `json:"calls"` // of this run
	Fields    bool             `json:"fields"`
	Sample    *sampleReport    `json:"sample,omitempty"`
	Lists     []string         `json:"lists"`
	Code      int              `json:"code"`
	What      string           `json:"what"`
	Hint      string           `json:"hint"`
	Shards    []verifyReport   `json:"shards,omitempty"` // of a verify of all shards: those that were asked about

	tags []string // custom fields of the lists that are integers

	ending exit.Ending // with what only the termination message needs
}

// sampleReport says what a sample is worth.
type sampleReport struct {
	Drawn      int64   `json:"drawn"`
	Of         int64   `json:"of"`
	Seed       string  `json:"seed"`
	BadAtMost  float64 `json:"badAtMost"` // share of all
	Confidence float64 `json:"confidence"`
	Bound      string  `json:"bound"`
}

func (r *verified) report(e exit.Ending) verifyReport {
	out := verifyReport{
		Version: 1, Edges: r.Edges, InPlace: r.InPlace, Missing: r.Missing, Different: r.Different, NoVerdict: map[string]int64{}, Pending: r.Pending,
		Calls: r.job.client.Stats().Attempts, Fields: r.job.set.Fields, Lists: []string{r.lists.Missing, r.lists.Different}, Code: int(e.Code), What: e.What, Hint: e.Hint, ending: e, tags: r.lists.IntegerTags,
	}
	for code, n := range r.NoVerdict {
		out.NoVerdict[fmt.Sprint(code)] = n
	}
	if drawn, all := r.job.verify.Drawn(); drawn < all {
		out.Sample = &sampleReport{
			Drawn: drawn, Of: all, Seed: fmt.Sprint(r.job.verify.Seed), BadAtMost: sampling.Bound(drawn, r.Missing+r.Different), Confidence: sampling.Confidence, Bound: sampling.Name,
		}
	}
	return out
}
