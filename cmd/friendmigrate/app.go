package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/cmd/friendmigrate/progress"
	"friendmigrate/cmd/friendmigrate/terminal"
	"friendmigrate/migrate"
)

// program is one call of the program.
type program struct {
	job.Program
	root    fs.FS         // of the file system, for the container's memory limit
	ending  *exit.Ending  // of a command that has a last line
	message *progress.Log // safe for concurrent use
	over    atomic.Bool   // the last line is written: there is nothing left to be interrupted
}

// unattended are the commands that run where nobody looks on.
var unattended = []string{"import", "verify", "export"}

func newProgram(on job.Volume, args []string, std job.Streams, env map[string]string) *program {
	p := &program{
		Program: job.Program{
			Began: time.Now(), Std: std, Env: env, Volume: on, Screen: terminal.New(std.Err, env), Args: args,
			View: progress.NewView(), Flags: flagsOf, Version: programVersion(),
		},
		root: os.DirFS("/"), message: new(progress.Log),
	}
	name, _ := job.Split(args)
	if slices.Contains(unattended, name) {
		p.message = progress.Find(env)
	}
	p.View.Begin(progress.Job{Command: name, Version: p.Version})
	return p
}

// run runs the command, to the last line, and returns its exit code. It ends no process. A bug ends
// it with a code of its own: Go's would say that the flags are wrong.
func (p *program) run(ctx context.Context) (code int) {
	err := migrate.Guard(func() error { return p.start(ctx) })
	p.Screen.EndBlock()
	p.ShowStack(err)
	if p.ending == nil || p.ending.Code != exit.Unexpected { // else it speaks of them
		err = errors.Join(err, p.Bug())
	}
	if err != nil {
		ending := p.Failure(err)
		p.ending = &ending
	}
	if p.ending == nil {
		return int(exit.Done)
	}
	p.leave(*p.ending)
	p.Screen.Line(p.ending.Line())
	return int(p.ending.Code)
}

// leave tells those who watch how the command ends: before the last line, which is for people.
func (p *program) leave(e exit.Ending) {
	p.View.End(p.View.Ending(e))
	if err := p.message.Write(p.View.Message(e), false); err != nil {
		p.Screen.Line(err.Error())
	}
}

// end is the end of a command that has a last line.
func (p *program) end(e exit.Ending, err error) error {
	if err == nil {
		p.ending = &e
	}
	return err
}

// start runs the command, or what --help and --version ask for in any place of the line.
func (p *program) start(ctx context.Context) error {
	name, rest := job.Split(p.Args)
	line := p.Line()
	switch {
	case slices.Contains(rest, completionFlag): // the shell asks what may follow
		if p.complete() {
			return nil
		}
	case name == completionName && slices.Equal(rest, []string{"fish"}):
		return p.fishCompletion(ctx)
	case name == "--help" || name == "-h":
		return p.showHelp(rest...)
	case name == "--version" || line.Has("version"):
		return p.showVersion()
	case flagName(name) == "" && (line.Has("help") || line.Has("h")):
		return p.showHelp(name)
	}
	for _, w := range p.mistyped() {
		p.Screen.Line("warning: " + w)
	}
	return p.tree().Run(ctx, p.Args)
}
