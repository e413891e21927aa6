package main

import (
	"context"
	"fmt"
	"io/fs"
	"slices"
	"sync/atomic"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/cmd/friendmigrate/progress"
	"friendmigrate/cmd/friendmigrate/settings"
)

type program struct {
	job.Program
	commands []command     // all that there are
	root     fs.FS         // the root of the file system, for the memory limit of the container
	ending   *exit.Ending  // of a command that has a last line
	message  *progress.Log // safe for concurrent use
	over     atomic.Bool   // the last line is written, so nothing is left to interrupt
}

// command is one command of the program. Its help text is topics/commands/NAME.txt.
type command struct {
	name  string
	args  string                 // what follows the name
	usage string                 // in one line
	flags func() []settings.Flag // flags that it reads itself; nil: package settings declares and reads them
	do    func(*program, context.Context, invocation) error
}

// invocation is what the command line asks a command for.
type invocation struct {
	settings.Settings
	values settings.Values // as given
	args   []string
}

func (p *program) find(name string) *command {
	i := slices.IndexFunc(p.commands, func(c command) bool { return c.name == name })
	if i < 0 {
		return nil
	}
	return &p.commands[i]
}

func (c command) declared() []settings.Flag {
	if c.flags != nil {
		return c.flags()
	}
	return settings.Flags(c.name)
}

// corrected returns the command line with one word replaced.
func (p *program) corrected(at int, word string) string {
	args := slices.Clone(p.Args)
	args[at] = word
	return p.LineOf(args).String()
}

// end ends a command that has a last line.
func (p *program) end(e exit.Ending, err error) error {
	if err == nil {
		e = p.HintOutsidePod(e)
		p.ending = &e
	}
	return err
}

// version is set by the linker for a release. Otherwise the version of the module or the commit is
// used.
var version string

func (p *program) showVersion() error {
	_, err := fmt.Fprintln(p.Std.Out, p.VersionLine())
	return err
}
