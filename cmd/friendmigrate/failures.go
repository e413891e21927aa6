package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/inspect"
	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/cmd/friendmigrate/terminal"
	"friendmigrate/source"
)

func failuresCommand() command {
	return command{
		name: "failures", flags: settings.Flags, do: (*program).failuresAction,
		usage: "what the service refused: by code with advice, or as a list that import accepts",
		text: `Shows the edges that the service refuses, as they stand in the journal now, of all shards together: a
count, an example and a line of advice for each code, or the list itself, which import accepts with
another --state. It only looks, also while the job runs.

  friendmigrate failures
  friendmigrate failures --code 30003 --output-format csv > unknown-accounts.csv
`,
		codes: "0, also if nothing failed; 2 if there is no job; 1 for anything else",
	}
}

// failuresAction is the command failures.
func (p *program) failuresAction(_ context.Context, in invocation) (err error) {
	set := in.Settings
	jobs, err := inspect.Open(set.State)
	if err != nil {
		return inspectError(err)
	}
	defer func() { err = errors.Join(err, jobs.Close()) }()
	filter := inspect.Filter{Codes: set.Codes, Accounts: set.Account}
	s, err := jobs.Summarize(filter)
	if err != nil {
		return err
	}
	if s.Edges == 0 && len(set.Codes)+len(set.Account) > 0 {
		if p.ending, err = noneOfThose(jobs, set.Codes); err != nil {
			return err
		}
	}
	if set.Form != settings.FormSummary {
		return p.listFailures(jobs, filter, set)
	}
	if set.JSON {
		return terminal.WriteJSON(p.Std.Out, s)
	}
	if p.ending == nil {
		p.ending = failuresEnding(p.Line(), s, set, jobs.ListFormat(), retryLine(p.Args, jobs, set))
	}
	p.ending.What += withoutMissing(jobs)
	return terminal.WriteText(p.Std.Out, s.Text())
}

// noneOfThose is the ending where a filter takes nothing. It says which codes there are.
func noneOfThose(jobs inspect.Jobs, asked []int) (*exit.Ending, error) {
	all, err := jobs.Summarize(inspect.Filter{})
	edges := map[int]int64{}
	for _, c := range all.Codes {
		edges[c.Code] = c.Edges
	}
	text := "no edge that --code and --account name failed"
	if codes := job.Codes(edges); codes != "" {
		text += "; others did" + codes
	}
	if meant := settings.MeantCode(asked); meant != "" {
		text += "; " + meant
	}
	return &exit.Ending{What: text}, err
}

// withoutMissing says of which shards nothing is known here.
func withoutMissing(jobs inspect.Jobs) string {
	missing := jobs.Missing()
	if len(missing) == 0 {
		return ""
	}
	return fmt.Sprintf("; %d of %d shards have no state here, so this is without them", len(missing), missing[0].Count)
}

// failuresEnding says how to get at the list.
func failuresEnding(line exit.Line, s *inspect.Summary, set settings.Settings, format,
	retry string) *exit.Ending {
	which := ""
	if len(set.Codes)+len(set.Account) > 0 {
		which = " that --code and --account name"
	}
	if s.Edges == 0 {
		return &exit.Ending{What: "no edge failed"}
	}
	return &exit.Ending{
		What: fmt.Sprintf("%s%s failed, with %s", terminal.Some(s.Edges, "edge"), which, terminal.Some(int64(len(s.Codes)),
			"code")),
		Hint: line.With("output-format", format).String() + " # the list itself; after fixing what their codes say: " +
			retry,
	}
}

// mostNamed is how many inputs a hint names. Those of a folder are many.
const mostNamed = 5

// retryLine is the command that takes the edges of these codes up again, but for the flags that
// name the service, which no state knows.
func retryLine(args []string, jobs inspect.Jobs, set settings.Settings) string {
	l := exit.Parse(args[0], "import", nil, nil)
	if state := filepath.Clean(set.State); state != settings.DefaultState {
		l = l.With("state", state)
	}
	again, ok := jobs.Again()
	if !ok || len(again.Inputs) > mostNamed {
		again.Inputs = []string{"INPUT"}
	}
	l = again.On(l)
	if len(set.Codes) == 0 {
		return l.With("retry-failed", "").String()
	}
	var codes []string
	for _, code := range set.Codes {
		codes = append(codes, strconv.Itoa(code))
	}
	return l.WithWord("--retry-failed=" + strings.Join(codes, ",")).String()
}

func (p *program) listFailures(jobs inspect.Jobs, filter inspect.Filter, set settings.Settings) error {
	out := terminal.List(p.Std.Out)
	integers, err := jobs.List(out, set.Form, os.TempDir(), filter)
	if err := errors.Join(err, out.Close()); err != nil {
		if errors.Is(err, source.ErrNotCSV) {
			return &exit.Error{Code: exit.Unusable, Err: err, Hint: p.Line().With("output-format",
				settings.FormJSONL).String()}
		}
		return err
	}
	if len(integers) > 0 {
		p.ending = &exit.Ending{
			What: "some custom fields of the list are integers",
			Hint: exit.Parse(p.Args[0], "import", nil, nil).With("integer-tags",
				strings.Join(integers, ",")).With("state", filepath.Clean(set.State)+"-failed").Of("LIST.csv").String(),
		}
	}
	return nil
}
