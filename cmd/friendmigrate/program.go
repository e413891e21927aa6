package main

import (
	"context"
	"fmt"
	"io/fs"
	"sync/atomic"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/cmd/friendmigrate/progress"
	"friendmigrate/cmd/friendmigrate/settings"
)

// program is one call of the program.
type program struct {
	job.Program
	root    fs.FS         // of the file system, for the container's memory limit
	ending  *exit.Ending  // of a command that has a last line
	message *progress.Log // safe for concurrent use
	over    atomic.Bool   // the last line is written: there is nothing left to be interrupted
}

// command is one command of the program: what the command line, completion and the help text need,
// and what it does.
type command struct {
	name  string
	args  string // what follows the name
	usage string // in one line
	text  string // the help text, without flags and exit codes
	codes string // its exit codes in a sentence; "": the table of all
	flags func(command string) []settings.Flag
	raw   bool // it reads its values itself
	do    func(*program, context.Context, invocation) error
}

// invocation is what the command line asks a command for.
type invocation struct {
	settings.Settings
	values settings.Values // as given
	args   []string
}

// end is the end of a command that has a last line.
func (p *program) end(e exit.Ending, err error) error {
	if err == nil {
		p.ending = &e
	}
	return err
}

// version is set by the linker for a release; else the module's or the commit's is told.
var version string

func (p *program) showVersion() error {
	_, err := fmt.Fprintln(p.Std.Out, p.VersionLine())
	return err
}
