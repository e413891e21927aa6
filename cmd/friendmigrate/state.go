package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/inspect"
	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/cmd/friendmigrate/plan"
	"friendmigrate/cmd/friendmigrate/report"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/cmd/friendmigrate/terminal"
	"friendmigrate/migrate"
	"friendmigrate/migrate/disk"
	"friendmigrate/source"
	"friendmigrate/source/stage"
)

// openJobs opens the states in --state for reading, calls do with them and closes them.
func openJobs(in invocation, do func(inspect.Jobs) error) error {
	jobs, err := inspect.Open(in.State)
	if err != nil {
		return err
	}
	return errors.Join(do(jobs), jobs.Close())
}

func (p *program) statusAction(ctx context.Context, in invocation) error {
	set := in.Settings
	if set.Watch {
		return p.watchStatus(ctx, set)
	}
	s, err := inspect.ReadStatus(set.State, time.Now(), false)
	if err != nil {
		return err
	}
	if set.JSON {
		return terminal.WriteJSON(p.Std.Out, s)
	}
	return terminal.WriteText(p.Std.Out, s.Text())
}

// watchStatus shows the status each second until the job has ended: on a terminal in the same
// place, else as a line.
func (p *program) watchStatus(ctx context.Context, set settings.Settings) error {
	screen := terminal.New(p.Std.Out, p.Env)
	defer screen.EndBlock()
	show := func(s *inspect.Status) error { return terminal.WriteText(p.Std.Out, s.Line()+"\n") }
	switch {
	case set.JSON:
		show = func(s *inspect.Status) error { return terminal.WriteJSONLine(p.Std.Out, s) }
	case screen.Redraws():
		show = func(s *inspect.Status) error {
			screen.Block(s.Block(screen.Columns() - 1))
			return nil
		}
	}
	tick := time.NewTicker(job.Tick)
	defer tick.Stop()
	for {
		s, err := inspect.ReadStatus(set.State, time.Now(), true)
		if err != nil {
			return err
		}
		if err := show(s); err != nil || s.Ended() || terminal.Unread(p.Std.Out) {
			return err
		}
		select {
		case <-ctx.Done():
			return p.Stopped(ctx, "stopped watching by %w; the job is not touched by that")
		case <-tick.C:
		}
	}
}

func (p *program) failuresAction(_ context.Context, in invocation) error {
	return openJobs(in, func(jobs inspect.Jobs) error {
		filter := inspect.Filter{Codes: in.Codes, Accounts: in.Account}
		s, err := jobs.Summarize(filter)
		if err != nil {
			return err
		}
		words, err := jobs.Summarized(s, filter, p.Line(), in.State)
		switch {
		case err != nil:
			return err
		case s.Edges == 0:
			p.ending = &words
		}
		switch {
		case in.Form != settings.FormSummary:
			return p.listFailures(jobs, filter, in)
		case in.JSON:
			return terminal.WriteJSON(p.Std.Out, s)
		}
		return p.end(words, terminal.WriteText(p.Std.Out, s.Text()))
	})
}

func (p *program) listFailures(jobs inspect.Jobs, filter inspect.Filter, in invocation) error {
	out := terminal.List(p.Std.Out)
	integers, err := jobs.List(out, in.Form, os.TempDir(), filter)
	switch err := errors.Join(err, out.Close()); {
	case errors.Is(err, source.ErrNotCSV):
		return &exit.Error{Code: exit.Unusable, Err: err, Hint: p.Line().With("output-format",
			settings.FormJSONL).String()}
	case err != nil:
		return err
	}
	if len(integers) > 0 {
		l := exit.Parse(p.Args[0], "import", nil, nil).With("integer-tags", strings.Join(integers, ","))
		p.ending = &exit.Ending{
			What: "some custom fields of the list are integers",
			Hint: p.FollowUp(l, in.Job, "-failed").Of("LIST.csv").String(),
		}
	}
	return nil
}

func (p *program) explainAction(ctx context.Context, in invocation) error {
	words := append(slices.Clone(in.args), "", "")
	from, to := words[0], words[1]
	if n := len(in.args); n < 1 || n > 2 || from == "" || n == 2 && to == "" {
		return job.Unusable(p.Line().Of("FROM", "TO"),
			"explain takes a From_Account and, for one edge, a To_Account, neither of them empty; it got %q", in.args)
	}
	return openJobs(in, func(jobs inspect.Jobs) error {
		tally, err := jobs.Explain(ctx, from, to, func(f inspect.Finding) error {
			if in.JSON {
				return terminal.WriteJSONLine(p.Std.Out, f)
			}
			return terminal.WriteText(p.Std.Out, f.Text())
		})
		if stopped := p.Stopped(ctx, "stopped by %w"); err != nil && stopped != nil {
			return stopped
		}
		if errors.Is(err, stage.ErrDamaged) { // only verify marks it, to be built again
			state := func(flag string) bool { return flag == "state" }
			return exit.Errorf(exit.Unexpected, jobs.Again().On(p.Line().As("verify", state)).String(), "%w", err)
		}
		return p.end(jobs.Explained(tally, from, to, p.Line()), err)
	})
}

func (p *program) reportAction(_ context.Context, in invocation) error {
	var r report.Report
	read := func(jobs inspect.Jobs) (err error) {
		if r, err = jobs.Report(p.VersionLine()); err == nil {
			r.Ending.Hint = jobs.Next(r, p.Line())
		}
		return err
	}
	// A run records its end and then writes its report. What was written here over that report, of
	// the moment before, is written again.
	for written := false; ; written = true {
		if err := openJobs(in, read); err != nil {
			return err
		}
		if written && r.Ending.Running {
			break
		}
		if err := job.WriteReport(p.Volume.FS, in.State, r); err != nil {
			return err
		}
		if !r.Ending.Running {
			break
		}
	}
	if in.JSON {
		return terminal.WriteJSON(p.Std.Out, r)
	}
	return terminal.WriteText(p.Std.Out, r.Arrived()+"\nwritten: "+filepath.Join(in.State, folder.Report)+
		"\nwritten: "+filepath.Join(in.State, folder.Page)+"\n")
}

func (p *program) cleanAction(_ context.Context, in invocation) error {
	set := in.Settings
	planned, err := plan.Clean(set.State)
	if err != nil {
		return err
	}
	places, err := folder.Find(set.State)
	if planned && errors.Is(err, folder.ErrNoJob) {
		p.ending = &exit.Ending{What: "removed what a killed plan left; there is no job"}
		return nil
	}
	if err != nil {
		return err
	}
	cleaned, aside, err := folder.Clean(places)
	if errors.Is(err, folder.ErrUnfinished) {
		return &exit.Error{Code: exit.Unusable, Err: err, Hint: p.As(p.Line(), "status").String() +
			" # shows what is left; to give the job up, remove its folder"}
	}
	if err != nil {
		return err
	}
	e := exit.Ending{What: "there was no staged input to remove"}
	if planned {
		e.What = "removed what a killed plan left"
	}
	if len(cleaned) > 0 {
		e.What = "removed the staged input; the journal, the lists and the report stay"
	}
	if len(aside) > 0 {
		e.What += "; states that --fresh set aside may hold staged input too: " + strings.Join(aside, ", ")
		e.Hint = p.Line().With("state", aside[0]).String()
	}
	p.ending = &e
	return nil
}

func (p *program) paceAction(_ context.Context, in invocation) error {
	rate := 0.0
	if len(in.args) > 0 && in.args[0] != "pause" && in.args[0] != "resume" {
		var err error // before the count: after -1, flags are arguments, too
		if rate, err = p.parsePace(in.args[0]); err != nil {
			return err
		}
	}
	if len(in.args) > 1 {
		return job.Unusable(p.Line().Of(in.args[0]), "pace takes one argument, but got %q too", in.args[1])
	}
	if _, err := folder.Find(in.State); err != nil && !folder.Known(in.State) {
		return err
	}
	if whole, is := folder.WholeOf(in.State); is {
		return job.Unusable(p.Line().With("state", whole), "%q is one shard of a job: a pace is set for all of them, "+
			"and each takes its share", in.State)
	}
	now, err := folder.ReadPace(in.State)
	if len(in.args) == 0 {
		if err != nil {
			return exit.Errorf(exit.Unexpected, p.Line().Of("resume").String()+" # then --rate holds", "%w", err)
		}
		return p.showPace(now)
	}
	unpauses := false
	switch in.args[0] { // a file that cannot be read is written again
	case "pause":
		now.Paused = true
	case "resume":
		if !now.Paused {
			now.Rate = 0
		}
		now.Paused = false
	default:
		unpauses, now = now.Paused, folder.Pace{Rate: rate}
	}
	now.At = time.Now().UTC()
	if err := now.Write(disk.OS{}, in.State); err != nil {
		return fmt.Errorf("set the pace: %w", err)
	}
	if unpauses {
		p.Screen.Line("that ends the pause")
	}
	return p.showPace(now)
}

// parsePace reads a RATE.
func (p *program) parsePace(word string) (float64, error) {
	rate, err := settings.ParseRate(word)
	if err != nil {
		hint := cmp.Or(migrate.Nearest(word, 2, "pause", "resume"), "RATE")
		at := slices.Index(p.Args, word)
		line := p.LineOf(slices.Delete(slices.Clone(p.Args), at, at+1)).Of(hint)
		return 0, job.Unusable(line, "the pace %w; it can be pause or resume, too", err)
	}
	if text := settings.WarnOfRate("the pace", rate); text != "" {
		p.Screen.Line("warning: " + text)
	}
	return rate, nil
}

// showPace prints the pace that is set.
func (p *program) showPace(now folder.Pace) error {
	return terminal.WriteText(p.Std.Out, "set: "+cmp.Or(now.String(), "nothing, so --rate holds")+
		"\nwhat runs on this state obeys within 2 seconds; friendmigrate status shows its speed\n")
}
