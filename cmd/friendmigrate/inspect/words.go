package inspect

import (
	"cmp"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/report"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/cmd/friendmigrate/terminal"
	"friendmigrate/source/stage"
)

// Summarized returns a summary in words, with the commands that print the list and that send these
// edges again.
func (jobs Jobs) Summarized(s *Summary, f Filter, line exit.CommandLine, state string) (e exit.Ending, err error) {
	which := ""
	if len(f.Codes)+len(f.Accounts) > 0 {
		which = " that --code and --account name"
	}
	switch {
	case s.Edges > 0:
		e.What = fmt.Sprintf("%s%s failed, with %s", terminal.Some(s.Edges, "edge"), which,
			terminal.Some(int64(len(s.Codes)), "code"))
		e.Hint = line.With("output-format", jobs.ListFormat()).String() +
			" # the list itself" + jobs.retry(line, state, s.Edges, f.Codes)
	case which == "":
		e.What = "no edge failed"
	default:
		if e.What, err = jobs.othersFailed("no edge" + which + " failed"); err != nil {
			return e, err
		}
		if meant := settings.MeantCode(f.Codes); meant != "" {
			e.What += "; " + meant
		}
	}
	e.What += jobs.Without()
	return e, nil
}

// othersFailed adds the codes that exist if the filter takes no failure.
func (jobs Jobs) othersFailed(text string) (string, error) {
	all, err := jobs.Summarize(Filter{})
	if err != nil {
		return "", err
	}
	edges := map[int]int64{}
	for _, c := range all.Codes {
		edges[c.Code] = c.Edges
	}
	if codes := report.Codes(edges); codes != "" {
		text += "; others did" + codes
	}
	return text, nil
}

// Without returns a text that names the shards without a state here; "" if all have one.
func (jobs Jobs) Without() string {
	missing := jobs.Missing()
	if len(missing) == 0 {
		return ""
	}
	return fmt.Sprintf("; %d of %d shards have no state here, so this is without them", len(missing), missing[0].Count)
}

// retry returns when the failed edges of these codes can be sent again, and the command that does,
// after a semicolon, unless the job was undone. The command lacks the flags for the service,
// because the state does not record them.
func (jobs Jobs) retry(line exit.CommandLine, state string, failed int64, codes []int) string {
	again, each := jobs.Again(), ": "
	if again.Undone {
		return ""
	}
	l := line.As(again.Command, func(string) bool { return false })
	if again.Command == "undo" { // state is the folder inside that of the job
		state, again = filepath.Join(state, ".."), Again{Shard: again.Shard}
		l = l.With("yes", "")
	}
	if whole, is := folder.WholeOf(state); is {
		state = whole
	}
	if state = filepath.Clean(state); state != settings.DefaultState {
		l = l.With("state", state)
	}
	if again.Shard.Count > 0 {
		l, each = l.With("shard", again.Shard.String()), ", for each shard that has some: "
	}
	retry := "--retry-failed"
	for i, code := range codes {
		retry += map[bool]string{true: "=", false: ","}[i == 0] + strconv.Itoa(code)
	}
	return "; " + terminal.AfterFixing(failed) + each + again.On(l).WithWord(retry).String()
}

// Next returns the command to run after the report r. The joint report has none of its own if its
// shards have ended well or some have no state.
func (jobs Jobs) Next(r report.Report, line exit.CommandLine) string {
	again, missing := jobs.Again(), jobs.Missing()
	switch l := again.On(onState(line, again.Command)); {
	case r.Ending.Hint != "" || jobs[0].Shard.Count == 0 || r.Undone != nil:
		return r.Ending.Hint
	case len(missing) > 0:
		return l.With("shard", missing[0].String()).String()
	case r.Verified == nil && r.Ending.Code == int(exit.Done) && r.Pending() == 0:
		return onState(line, "verify").With("fields", "").String() + " # proves it"
	}
	return ""
}

// onState returns the line with another command on the same state.
func onState(line exit.CommandLine, command string) exit.CommandLine {
	return line.As(command, func(flag string) bool { return flag == "state" })
}

// stageAgain returns the command that stages the input of the account's shard again, with a
// comment. After an undo there may be none.
func (jobs Jobs) stageAgain(from string, line exit.CommandLine) string {
	const without = "without it only edges that failed and rows of the lists are known"
	jobs = slices.DeleteFunc(slices.Clone(jobs), func(j *Job) bool { return !j.has(from) })
	again := jobs.Again()
	if again.Undone {
		return exit.NothingToRun + ": the staged input is gone, and " + without
	}
	l := again.On(onState(line, again.Command))
	if shard := jobs[0].Shard; shard.Count > 0 {
		l = l.With("shard", shard.String())
	}
	return l.String() + " # stages the input again: " + without
}

// Explained returns a tally in words.
func (jobs Jobs) Explained(t Tally, from, to string, line exit.CommandLine) exit.Ending {
	missing := jobs.Missing()
	about := from
	if to != "" {
		about += " -> " + to
	}
	e, elsewhere := exit.Ending{}, false
	if t.Gone {
		e.Hint = jobs.stageAgain(from, line)
	}
	if len(missing) > 0 {
		if its := (settings.Shard{Index: stage.ShardOf(from, missing[0].Count),
			Count: missing[0].Count}); slices.Contains(missing, its) {
			elsewhere = true
			about += fmt.Sprintf(" (of shard %s, which has no state here)", its)
		}
	}
	if t.Found() == 0 {
		e.Code, e.What = exit.Unusable, about+": the job knows nothing of it"
		if t.Gone {
			e.What = about + ": no edge that failed and no row of the lists"
		}
		if e.Hint = cmp.Or(e.Hint, exit.NothingToRun+": ids are compared byte by byte"); elsewhere {
			e.Hint = exit.NothingToRun + ": its shard has to be asked"
		}
		return e
	}
	var parts []string
	for _, kind := range slices.Sorted(maps.Keys(t.ByKind)) {
		parts = append(parts, fmt.Sprintf("%s %s", terminal.Count(t.ByKind[kind]), kind))
	}
	e.What = about + ": "
	if !t.Gone && !elsewhere {
		e.What += terminal.Some(t.Edges(), "edge") + " in the plan; "
	}
	e.What += "found " + strings.Join(parts, ", ")
	if t.Deleted > 0 {
		e.What += "; since then undo has deleted " + terminal.Some(t.Deleted, "edge") + " of these"
	}
	var codes []exit.Code
	if t.ByKind[Failed]+t.ByKind[Rejected]+t.Deleted > 0 {
		codes = append(codes, exit.Exceptions)
	}
	if t.Perhaps > 0 {
		e.What += "; calls of undo that got no answer have perhaps deleted " + terminal.Some(t.Perhaps, "edge")
	}
	if t.ByKind[Pending]+t.Perhaps > 0 {
		codes = append(codes, exit.Unfinished)
	}
	if e.Code = exit.Gravest(codes...); e.Code == exit.Done && t.Edges() == 0 {
		e.Code = exit.Unusable // rows of a list alone tell nothing of an edge
	}
	return e
}
