package verify

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/inspect"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/cmd/friendmigrate/terminal"
	"friendmigrate/sink"
	"friendmigrate/source"
	"friendmigrate/source/stage"
)

// ending returns the exit code and the message of the end.
func (r *Result) ending() exit.Ending {
	code := r.Stop.Code()
	if r.Pending > 0 {
		code = exit.Gravest(code, exit.Unfinished)
	}
	if r.Failed+r.Rejected > 0 {
		code = exit.Gravest(code, exit.Exceptions)
	}
	// missing edges matter more than an unfinished verify
	if r.Missing+r.Different > 0 && exit.Gravest(code, exit.Unfinished) == exit.Unfinished {
		code = exit.Different
	}
	switch {
	case !r.done():
		e := r.Stop.Ending(code, func(why string) string {
			text := why
			if r.Pending < r.Edges {
				text += "; so far " + r.Verified.String()
			}
			if text += r.facts(); r.Unasked > 0 {
				text += fmt.Sprintf("; %s of %s still to be asked about", terminal.Count(r.Unasked),
					terminal.IsAre(r.Pending, "pending edge"))
			}
			return text
		})
		e.Hint = r.resume()
		return e
	case code == exit.Done && r.Edges == 0:
		return exit.Ending{What: "verified: there is no edge to ask about", Hint: exit.NothingToRun}
	case code == exit.Done:
		return r.allInPlace()
	}
	return exit.Ending{Code: code, Hint: r.next(code),
		What: fmt.Sprintf("verified %s%s: %s%s", r.subject(), r.after(), r.Verified.String(), r.facts())}
}

// allInPlace returns the ending of a verify that found every edge in place, with its fields as far
// as the service shows them.
func (r *Result) allInPlace() exit.Ending {
	all, with, hint := "all "+r.subject()+" are", " with their fields", exit.NothingToRun
	if r.InPlace == 1 {
		all, with = r.subject()+" is", " with its fields"
	}
	if !r.Set.Fields || r.Unread > 0 {
		with = ""
	}
	if r.Unread > 0 {
		hint = r.resume() + " # reads the fields again"
	}
	return exit.Ending{What: fmt.Sprintf("verified: %s in place%s%s%s", all, with, r.after(), r.facts()), Hint: hint}
}

// subject returns what was asked about, for messages.
func (r *Result) subject() string {
	text := terminal.Some(r.Edges, "edge")
	switch s := r.Sample; {
	case s != nil && s.Of == 0:
		return "nothing (the job has no edge in place)"
	case s != nil:
		text = fmt.Sprintf("%s drawn from %s", terminal.Some(s.Drawn, "edge"), terminal.Count(s.Of))
	case r.Pending > 0:
		text = terminal.Count(r.Edges-r.Pending) + " of " + text
	}
	if n := int64(len(r.Parts)); n > 1 {
		text += " of " + terminal.Some(n, "shard")
	}
	return text
}

func (r *Result) after() string {
	if r.Calls == 0 {
		return ""
	}
	return fmt.Sprintf(", %s in %s", terminal.Some(r.Calls, "call"), terminal.Took(r.Took))
}

// facts returns further facts, each after a semicolon, and the paths of the lists.
func (r *Result) facts() (text string) {
	add := func(n int64, format string, args ...any) {
		if n > 0 {
			text += "; " + fmt.Sprintf(format, args...)
		}
	}
	for _, by := range []map[int]int64{r.MissingBy, r.NoVerdict} {
		for _, code := range slices.Sorted(maps.Keys(by)) {
			known, _ := sink.LookupCode(code)
			add(by[code], "%s answered with code %d (%s)", terminal.WasWere(by[code], "edge"), code, known.EdgeAdvice())
		}
	}
	if r.There != nil {
		add(*r.There, "%s that failed %s there after all", terminal.Count(*r.There),
			terminal.Verb(*r.There, "is", "are"))
	}
	add(r.Perhaps, "%s of the missing may have been deleted by undo, by calls that got no answer",
		terminal.Count(r.Perhaps))
	add(r.Unread, "the fields of %s were not compared: friend_get does not show what friend_check found",
		terminal.Some(r.Unread, "edge"))
	if s := r.Sample; s != nil {
		add(s.Drawn, "with 95 %% confidence at most %.3g %% of all are not in place, %s (%s; seed %s)", 100*s.BadAtMost,
			terminal.Some(int64(s.BadAtMost*float64(s.Of)), "edge"), s.Bound, s.Seed)
	}
	var lists []string
	for _, p := range r.Parts {
		if why := p.Counts.WhyAllRejected(); p.Found.Rejected > 0 && why != "" {
			add(1, "%s", why)
		}
		lists = append(lists, p.Seen()...)
	}
	if more := len(lists) - 1; more > 1 && len(r.Parts) > 1 {
		lists = []string{fmt.Sprintf("%s and %d more lists", lists[0], more)}
	}
	add(int64(len(lists)), "see %s", strings.Join(lists, ", "))
	return text
}

// next returns the command to run after a finished verify.
func (r *Result) next(code exit.Code) string {
	i := slices.IndexFunc(r.Parts, func(p *Part) bool {
		return code == exit.Unfinished && p.Found.Pending > 0 || code == exit.Exceptions &&
			(p.Found.Failed > 0 || r.Failed == 0 && p.Found.Rejected > 0)
	})
	part := r.Parts[max(0, i)]
	switch {
	case code == exit.Different:
		return r.differentHint()
	case part.undone != nil && (code == exit.Unfinished || r.Failed > 0):
		return r.Without(part.sameJob("undo"), "only-accounts").String() + inspect.AfterUndo
	case code == exit.Unfinished:
		return part.continueJob().String()
	case r.Failed > 0:
		return part.continueJob().WithWord("--retry-failed").String() + " # " + terminal.AfterFixing(r.Failed)
	}
	l := r.FollowUp(part.continueJob(), part.Set.Job, "-fixed").From("").Of("fixed." + part.Counts.ListFormat())
	return l.String() + " # with " + part.rejectedPath() + ", fixed"
}

// differentHint returns the command that imports the lost edges or, if none is, updates the
// different ones, in a separate job.
func (r *Result) differentHint() string {
	if r.Sample != nil {
		return r.Without(r.Line(), "sample").String() + " # finds all of them"
	}
	var lists, different, tags []string
	for _, p := range r.Parts {
		tags = append(tags, p.Lists.IntegerTags...)
		if p.Found.Lost() > 0 {
			lists = append(lists, p.Lists.Missing)
		}
		if p.Lists.Updatable {
			different = append(different, p.Lists.Different)
		}
	}
	command, suffix, then := "import", "-missing", ""
	switch {
	case len(lists)+len(different) == 0 && r.Different == 0:
		return exit.NothingToRun + ": what is missing was deleted by undo"
	case len(lists)+len(different) == 0: // friend_update cannot set what differs
		return r.as("doctor").With("probe", "FROM,TO").String() + " # with two test accounts: " +
			"tells whether importing the list again would help"
	case len(lists) == 0:
		command, suffix, lists = "update", "-update", different
	case len(different) > 0:
		then = " # then " + strings.Join(different, " ")
	}
	l := r.Without(r.as(command), "map", "format", "default-add-source", "integer-tags", "mutual", "duplicates")
	l = r.FollowUp(l, r.Set.Job, suffix).Of(lists...)
	if command == "import" && r.Parts[0].updates() { // its rows may have none
		l = l.With("default-add-source", "AddSource_Type_WORD")
	}
	if slices.Sort(tags); len(tags) > 0 {
		l = l.With("integer-tags", strings.Join(slices.Compact(tags), ","))
	}
	return l.String() + then
}

// as returns the command line with another command, for the same app.
func (r *Result) as(command string) exit.CommandLine {
	return r.As(r.Line(), command, "json", "sample", "fields")
}

// resume returns the command that continues the verify.
func (r *Result) resume() string {
	l := r.ResumeLine()
	if slices.Contains(r.Inputs, source.Standard) && !r.Parts[0].own {
		l = l.From("/dev/null")
	}
	if errors.Is(r.Stop.Err, stage.ErrDamaged) && len(r.Inputs) == 0 {
		l = r.Parts[0].Again().On(l) // it cannot be built again without
	}
	return cmp.Or(r.SilentHint(r.Stop), l.String())
}

// continueJob returns the command that continues the job.
func (p *Part) continueJob() exit.CommandLine {
	again := inspect.AgainOf(p.Journal, p.Counts)
	l := p.sameJob(again.Command)
	if len(p.Inputs) > 0 {
		return l.Of(p.Inputs...)
	}
	if slices.Contains(again.Inputs, source.Standard) {
		return again.On(l).From("/dev/null")
	}
	return again.On(l)
}

// sameJob returns the command line with another command on the job in the same folder.
func (p *Part) sameJob(command string) exit.CommandLine {
	l := p.As(p.Line(), command, "json", "sample", "fields")
	if shard := p.Set.Job.Shard; shard.Count > 0 && !settings.ShardByVariable(p.Env) {
		l = l.With("shard", shard.String())
	}
	return l
}
