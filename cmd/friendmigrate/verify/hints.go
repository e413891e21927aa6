package verify

import (
	"cmp"
	"slices"
	"strings"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/inspect"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/source"
)

// Next is the command for what a finished verify has found.
func (r *Result) Next(code exit.Code) string {
	i := slices.IndexFunc(r.Parts, func(p *Part) bool {
		return code == exit.Exceptions && p.Found.Failed > 0 || code == exit.Unfinished && p.Found.Pending > 0
	})
	part := r.Parts[max(0, i)]
	switch {
	case code == exit.Different:
		return r.differentHint()
	case code == exit.Unfinished:
		return part.continueJob().String()
	case r.Failed > 0:
		return part.continueJob().WithWord("--retry-failed").String() + " # after fixing what their codes say"
	}
	return r.as("plan").Of(part.continueJob().Inputs()...).String() + " # says why rows were rejected"
}

// differentHint imports what is missing, or else updates what is different, as a job of its own.
func (r *Result) differentHint() string {
	if r.Sample != nil {
		return r.Line().Without("sample").String() + " # finds all of them"
	}
	var lists, different, tags []string
	for _, p := range r.Parts {
		tags = append(tags, p.Lists.IntegerTags...)
		if p.Found.Missing > 0 {
			lists = append(lists, p.Lists.Missing)
		}
		if p.Lists.Updatable {
			different = append(different, p.Lists.Different)
		}
	}
	command, suffix, then := "import", "-missing", ""
	switch {
	case r.Missing == 0 && len(different) == 0: // friend_update cannot set what differs
		return r.as("doctor").With("probe", "FROM,TO").String() + " # with two test accounts: " +
			"tells whether importing the list again would help"
	case r.Missing == 0:
		command, suffix, lists = "update", "-update", different
	case len(different) > 0:
		then = " # then " + strings.Join(different, " ")
	}
	l := r.as(command).Without("map", "format", "default-add-source", "integer-tags", "mutual", "duplicates")
	l = r.FollowUp(l, r.Set.Job, suffix).Of(lists...)
	if slices.Sort(tags); len(tags) > 0 {
		l = l.With("integer-tags", strings.Join(slices.Compact(tags), ","))
	}
	return l.String() + then
}

// as is the command line with another command, for the same app.
func (r *Result) as(command string) exit.Line {
	return r.As(r.Line(), command, "json", "sample", "fields")
}

// Resume is the command that continues.
func (r *Result) Resume() string {
	l := r.ResumeLine()
	if slices.Contains(r.Inputs, source.Standard) && !r.Parts[0].own {
		l = l.From("/dev/null")
	}
	return cmp.Or(r.SilentHint(r.Stop), l.String())
}

// continueJob is the import that continues the job.
func (p *Part) continueJob() exit.Line {
	l := p.As(p.Line(), "import", "json", "sample", "fields")
	if shard := p.Set.Job.Shard; shard.Count > 0 && !settings.ShardByVariable(p.Env) {
		l = l.With("shard", shard.String())
	}
	if len(p.Inputs) > 0 {
		return l.Of(p.Inputs...)
	}
	again := inspect.AgainOf(p.Journal, p.Counts)
	if slices.Contains(again.Inputs, source.Standard) {
		return again.On(l).From("/dev/null")
	}
	return again.On(l)
}
