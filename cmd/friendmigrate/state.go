package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/inspect"
	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/cmd/friendmigrate/plan"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/cmd/friendmigrate/terminal"
	"friendmigrate/migrate"
	"friendmigrate/migrate/disk"
)

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
	cleaned, aside, err := folder.Clean(places, set.Unfinished)
	if errors.Is(err, folder.ErrUnfinished) {
		return &exit.Error{Code: exit.Unusable, Err: err, Hint: p.Line().With("unfinished", "").String() +
			" # if it is given up, or its input is still there"}
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
		return p.showPace(in.State, now)
	}
	switch word := in.args[0]; word { // a file that cannot be read is written again
	case "pause":
		now.Paused = true
	case "resume":
		if !now.Paused {
			now.Rate = 0
		}
		now.Paused = false
	default:
		if now, err = p.parsePace(word); err != nil {
			return err
		}
	}
	now.At = time.Now().UTC()
	if err := now.Write(disk.OS{}, in.State); err != nil {
		return fmt.Errorf("set the pace: %w", err)
	}
	return p.showPace(in.State, now)
}

// parsePace reads a RATE, which also ends a pause.
func (p *program) parsePace(word string) (folder.Pace, error) {
	rate, err := settings.ParseRate(word)
	if err != nil {
		hint := cmp.Or(migrate.Nearest(word, 2, "pause", "resume"), "RATE")
		return folder.Pace{}, job.Unusable(p.Line().Of(hint), "the pace %w; it can be pause or resume, too", err)
	}
	if text := settings.WarnOfRate("the pace", rate); text != "" {
		p.Screen.Line("warning: " + text)
	}
	return folder.Pace{Rate: rate}, nil
}

// showPace prints the pace that is set and how fast running commands may send.
func (p *program) showPace(base string, now folder.Pace) error {
	return terminal.WriteText(p.Std.Out, inspect.Pace(base, now)+"\n")
}
