package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/cmd/friendmigrate/terminal"
	"friendmigrate/cmd/friendmigrate/verify"
	"friendmigrate/migrate/disk"
	"friendmigrate/sink"
)

func verifyCommand() command {
	return command{
		name: "verify", args: "[INPUT...]", flags: settings.Flags, do: (*program).verifyAction,
		usage: "asks the service whether every edge is in place",
		text: `Asks the service whether it has every edge that the job in --state counts as in place, and which it has
of those that failed: by friend_check, 1000 friends of an account in a call, or with --fields by
friend_get alone. It does not ask about edges that the job has not sent: they are pending. INPUT, if
named, has to be the job's. All edges of an INPUT that no job knows are expected (give it a --state of its
own). It changes nothing. missing.csv and different.csv in --state list what is not as it should be, as
inputs of import (.jsonl where an input was). It verifies all shards of a job, one after the other at the
whole rate, or one with --shard. After an interruption the same command continues; after the end it begins
anew.
`,
	}
}

// verifyAction is the command verify.
func (p *program) verifyAction(ctx context.Context, in invocation) error {
	j := &job.Job{Program: &p.Program, Inputs: in.args, Done: "asked", Suffix: "-verify", FS: disk.OS{},
		Set: in.Settings}
	j.Begin("verify", in.MaxDuration)
	if err := j.Ready(ctx); err != nil {
		return err
	}
	reads := p.Reads(in.values, in.args, in.Rows.Format)
	r, ending, err := verify.Do(ctx, j, reads,
		func(r *verify.Result) exit.Ending { return p.Outside(verified{r}.ending()) })
	if err == nil && in.JSON {
		err = terminal.WriteJSON(p.Std.Out, r.JSON())
	}
	return p.end(ending, err)
}

// verified puts what a verify came to into words.
type verified struct{ *verify.Result }

func (v verified) ending() exit.Ending {
	code := v.Stop.Code()
	if v.Pending > 0 {
		code = exit.Gravest(code, exit.Unfinished)
	}
	if v.Failed+v.Rejected > 0 {
		code = exit.Gravest(code, exit.Exceptions)
	}
	// what is missing comes before what is not finished
	if v.Missing+v.Different > 0 && exit.Gravest(code, exit.Unfinished) == exit.Unfinished {
		code = exit.Different
	}
	switch {
	case !v.Done():
		e := v.Stop.Ending(code, func(why string) string {
			text := why
			if v.Pending < v.Edges {
				text += "; so far " + v.Verified.String()
			}
			if text += v.facts(); v.Unasked > 0 {
				text += fmt.Sprintf("; %s of %s still to be asked about", terminal.Count(v.Unasked),
					terminal.IsAre(v.Edges, "edge"))
			}
			return text
		})
		e.Hint = v.Resume()
		return e
	case code == exit.Done && v.Edges == 0:
		return exit.Ending{What: "verified: there is no edge to ask about", Hint: exit.NothingToRun}
	case code == exit.Done:
		all, with := "all "+v.subject()+" are", ""
		if v.Edges == 1 {
			all = "1 edge is"
		}
		if v.Set.Fields {
			with = " with their fields"
		}
		return exit.Ending{What: fmt.Sprintf("verified: %s in place%s%s%s", all, with, v.after(), v.facts()),
			Hint: exit.NothingToRun}
	}
	return exit.Ending{Code: code, Hint: v.Next(code),
		What: fmt.Sprintf("verified %s%s: %s%s", v.subject(), v.after(), v.Verified.String(), v.facts())}
}

// subject says what was asked about.
func (v verified) subject() string {
	text := terminal.Some(v.Edges, "edge")
	if s := v.Sample; s != nil {
		text = fmt.Sprintf("%s drawn from %s", terminal.Some(s.Drawn, "edge"), terminal.Count(s.Of))
	}
	if n := int64(len(v.Parts)); n > 1 {
		text += " of " + terminal.Some(n, "shard")
	}
	return text
}

func (v verified) after() string {
	if v.Calls == 0 {
		return ""
	}
	return fmt.Sprintf(", %s in %s", terminal.Some(v.Calls, "call"), terminal.Took(v.Took))
}

// facts are what else there is to know, each behind a semicolon, and where the lists are.
func (v verified) facts() (text string) {
	add := func(n int64, format string, args ...any) {
		if n > 0 {
			text += "; " + fmt.Sprintf(format, args...)
		}
	}
	for _, by := range []map[int]int64{v.MissingBy, v.NoVerdict} {
		for _, code := range slices.Sorted(maps.Keys(by)) {
			known, _ := sink.LookupCode(code)
			add(by[code], "%s answered with code %d (%s)", terminal.WasWere(by[code], "edge"), code, known.Advice)
		}
	}
	if v.There != nil {
		add(*v.There, "%s that failed %s there after all", terminal.Count(*v.There),
			terminal.Verb(*v.There, "is", "are"))
	}
	add(v.Unread, "friend_get does not show the fields of %s that friend_check found", terminal.Some(v.Unread, "edge"))
	if s := v.Sample; s != nil {
		add(s.Drawn, "with 95 %% confidence at most %.3g %% of all are not in place, %s (%s; seed %s)", 100*s.BadAtMost,
			terminal.Some(int64(s.BadAtMost*float64(s.Of)), "edge"), s.Bound, s.Seed)
	}
	var lists []string
	for _, p := range v.Parts {
		if why := p.Counts.WhyAllRejected(); p.Found.Rejected > 0 && why != "" {
			add(1, "%s", why)
		}
		lists = append(lists, p.Seen()...)
	}
	if more := len(lists) - 1; more > 1 && len(v.Parts) > 1 {
		lists = []string{fmt.Sprintf("%s and %d more lists", lists[0], more)}
	}
	add(int64(len(lists)), "see %s", strings.Join(lists, ", "))
	return text
}
