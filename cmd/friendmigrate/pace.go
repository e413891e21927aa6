package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/urfave/cli/v3"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/inspect"
	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/cmd/friendmigrate/terminal"
	"friendmigrate/migrate"
	"friendmigrate/migrate/disk"
)

func paceHelp() string {
	return `friendmigrate pace [flags] [RATE|pause|resume]

Changes how fast the job in --state sends, while it runs. A running import, verify, accounts, update
or undo obeys within 2 seconds, and later runs too.

  RATE     calls per second, of all shards together, in place of --rate
  pause    no call leaves any more; those under way are seen through
  resume   ends a pause, or else a RATE that was set, so that --rate holds again

Without an argument it prints what is set and how fast the job sends. It needs no credentials.

In Kubernetes: kubectl exec POD -- friendmigrate pace 50

` + flagHelp(settings.Flags("pace")) + variableHelp("Every flag") +
		`Exit codes: 0; 2 if there is no such folder or RATE cannot be read; 1 for anything else.
`
}

// paceAction is the command pace.
func (p *program) paceAction(_ context.Context, c *cli.Command) error {
	set, err := settings.Read("pace", p.values(c), p.root)
	if err != nil {
		return exit.Because(exit.Unusable, err)
	}
	if c.Args().Len() > 1 {
		return job.Unusable(p.Line().Of(c.Args().First()), "pace takes one argument, but got %q too", c.Args().Get(1))
	}
	if !folder.Known(set.State) {
		return inspectError(fmt.Errorf("%w in %q", folder.ErrNoJob, set.State))
	}
	now, err := folder.ReadPace(set.State)
	if !c.Args().Present() {
		return errors.Join(err, p.showPace(set.State, now))
	}
	switch word := c.Args().First(); word { // a file that cannot be read is written anew
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
	if err := now.Write(disk.OS{}, set.State); err != nil {
		return fmt.Errorf("set the pace: %w", err)
	}
	return p.showPace(set.State, now)
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

// showPace prints what is set and how fast what runs may send.
func (p *program) showPace(base string, now folder.Pace) error {
	text := "set: " + now.String()
	if now.String() == "" {
		text = "set: nothing, so --rate holds"
	}
	running, err := folder.Running(base)
	if err != nil {
		return err
	}
	switch {
	case !running:
		text += "\nno run is on; the next one obeys"
	case now.Paused:
		text += "\nno call leaves within 2 seconds from now; those under way are seen through"
	default:
		text += "\nthe run obeys within 2 seconds"
		if s, err := inspect.ReadStatus(base, time.Now(), true); err == nil && s.PerSecond > 0 {
			text += fmt.Sprintf("; it sends %.0f calls per second now", s.PerSecond)
		}
	}
	return terminal.WriteText(p.Std.Out, text+"\n")
}
