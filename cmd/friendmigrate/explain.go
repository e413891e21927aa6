package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/inspect"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/cmd/friendmigrate/terminal"
	"friendmigrate/source/stage"
)

func explainCommand() command {
	return command{
		name: "explain", args: "FROM [TO]", flags: settings.Flags, do: (*program).explainAction,
		usage: "what happened to one account or one edge",
		text: `Tells from the state alone what became of the edges of one From_Account, or of the one edge to TO: outcome,
code, text, attempts, time and line of the input, and which rows that name it were rejected, changed, or
lost against another row of the same pair. It only looks, also while the job runs. With --json it prints
an object for each finding, one a line.
`,
		codes: "0 if all of it is in place; 3 if an edge failed or a row was rejected; 4 if an edge is " +
			"pending; 2 if the job knows nothing of it, or there is no job; 1 for anything else",
	}
}

// explainAction is the command explain.
func (p *program) explainAction(ctx context.Context, in invocation) (err error) {
	set := in.Settings
	words := append(slices.Clone(in.args), "", "")
	from, to := words[0], words[1]
	if n := len(in.args); n < 1 || n > 2 || from == "" || n == 2 && to == "" {
		err := fmt.Errorf("explain takes a From_Account and, for one edge, a To_Account; it got %d arguments", n)
		return &exit.Error{Code: exit.Unusable, Err: err, Hint: p.Line().Of("FROM", "TO").String()}
	}
	jobs, err := inspect.Open(set.State)
	if err != nil {
		return inspectError(err)
	}
	defer func() { err = errors.Join(err, jobs.Close()) }()
	tally, err := jobs.Explain(ctx, from, to, func(f inspect.Finding) error {
		if set.JSON {
			return terminal.WriteJSONLine(p.Std.Out, f)
		}
		return terminal.WriteText(p.Std.Out, f.Text())
	})
	if err != nil {
		if stopped := p.Stopped(ctx, "stopped by %w"); stopped != nil {
			return stopped
		}
		return err
	}
	p.ending = explained(tally, jobs.Missing(), from, to)
	return nil
}

// explained puts a tally in words.
func explained(t inspect.Tally, missing []settings.Shard, from, to string) *exit.Ending {
	about := from
	if to != "" {
		about += " -> " + to
	}
	e := &exit.Ending{}
	if t.Gone {
		e.Hint = exit.NothingToRun + "; the staged input is gone, so of edges that did not fail nothing can be told"
	}
	if len(missing) > 0 {
		if its := (settings.Shard{Index: stage.ShardOf(from, missing[0].Count),
			Count: missing[0].Count}); slices.Contains(missing, its) {
			about += fmt.Sprintf(" (of shard %s, which has no state here)", its)
		}
	}
	if t.Found() == 0 {
		e.Code, e.What = exit.Unusable, about+": the job knows nothing of it"
		return e
	}
	var parts []string
	for _, kind := range slices.Sorted(maps.Keys(t.ByKind)) {
		parts = append(parts, fmt.Sprintf("%s %s", terminal.Count(t.ByKind[kind]), kind))
	}
	e.What = fmt.Sprintf("%s: %s in the plan; found %s", about, terminal.Some(t.Edges(), "edge"),
		strings.Join(parts, ", "))
	var codes []exit.Code
	if t.ByKind[inspect.Failed]+t.ByKind[inspect.Rejected] > 0 {
		codes = append(codes, exit.Exceptions)
	}
	if t.ByKind[inspect.Pending] > 0 {
		codes = append(codes, exit.Unfinished)
	}
	e.Code = exit.Gravest(codes...)
	return e
}
