package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"friendmigrate/cmd/friendmigrate/doctor"
	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/cmd/friendmigrate/terminal"
	"friendmigrate/migrate"
	"friendmigrate/migrate/disk"
	"friendmigrate/sink"
	"friendmigrate/source/accountlist"
)

func (p *program) doctorAction(ctx context.Context, in invocation) error {
	j := &job.Job{Program: &p.Program, Set: in.Settings, FS: disk.OS{}}
	if err := j.Ready(ctx); err != nil {
		return err
	}
	var list *accountlist.File
	if in.Accounts != "" {
		var err error
		if list, err = p.OpenAccounts(ctx, "--accounts", in.Accounts); err != nil {
			return err
		}
		err = p.Reads(in.values, nil, "").CheckFile("--missing-out", in.MissingOut, folder.AccountsHeader)
		hint := p.Line().With("missing-out", "FILE").String()
		if err := job.WouldOverwrite(err, hint); err != nil {
			return err
		}
	}
	text := bufio.NewWriter(p.Std.Out) // keeps its first error
	if in.JSON {
		text.Reset(io.Discard)
	}
	r, err := doctor.Do(ctx, j, list, func(c doctor.Check) { showCheck(text, c) })
	stop, _ := errors.AsType[*migrate.StopError](err)
	if err != nil && stop == nil {
		return err
	}
	if r.Probe != nil {
		fmt.Fprintln(text, "the app, by a probe:")
		r.Probe.Write(text)
	}
	for _, note := range sink.Notes() {
		fmt.Fprintf(text, "note: %s\n", note)
	}
	ending := p.doctorEnding(ctx, in.State, r, stop)
	if !in.JSON {
		return p.end(ending, text.Flush())
	}
	r.Code, r.What = int(ending.Code), ending.What
	return p.end(ending, terminal.WriteJSON(p.Std.Out, r))
}

// showCheck prints a check at once.
func showCheck(to *bufio.Writer, c doctor.Check) {
	fmt.Fprintf(to, "%-8s %-12s %s\n", c.Level, c.Name, terminal.Clean(c.Saw))
	if c.Fix != "" {
		fmt.Fprintf(to, "%-8s %-12s -> %s\n", "", "", terminal.Clean(c.Fix))
	}
	_ = to.Flush()
}

// doctorEnding returns the ending of doctor. stop is why the checks ended early; nil: they did not.
func (p *program) doctorEnding(
	ctx context.Context, state string, r doctor.Report, stop *migrate.StopError,
) exit.Ending {
	e := exit.Ending{Code: doctor.Code(r.Checks), Hint: p.Line().String() + " # after fixing that"}
	if stop != nil {
		e.Code = exit.Gravest(e.Code, job.Stop{Err: stop}.Code())
	}
	var failed, warned []string
	for _, c := range r.Checks {
		switch c.Level {
		case doctor.Failed:
			failed = append(failed, strings.TrimSuffix(c.Name+": "+c.Saw+"; "+c.Fix, "; "))
		case doctor.Warning:
			warned = append(warned, c.Name)
		}
	}
	switch cause := context.Cause(ctx); {
	case cause != nil:
		e.Code, e.Hint = exit.Gravest(e.Code, exit.Unfinished), p.Line().String()
		e.What = fmt.Sprintf("stopped by %v", cause)
	case len(failed) > 0:
		e.What = failed[0]
	case stop != nil:
		e.What = strings.TrimSuffix(stop.Info+"; "+stop.Hint, "; ")
	default:
		e.What = "everything that a run needs is there"
		if len(warned) > 0 {
			e.What += "; warnings to look at: " + strings.Join(warned, ", ")
		}
		e.Hint = p.Line().As("plan", func(string) bool { return false }).Of("INPUT").String()
		if r.Probe != nil && r.Probe.Already && folder.Known(state) { // it has left evidence there
			undo := p.As(p.Line(), "undo", "json")
			if places, err := folder.Find(state); err == nil && places[0].Shard.Count > 0 { // undo takes one at a time
				undo = undo.With("shard", places[0].Shard.String())
			}
			e.Hint = undo.String()
		}
	}
	return e
}
