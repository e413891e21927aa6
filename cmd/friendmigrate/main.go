package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/cmd/friendmigrate/progress"
	"friendmigrate/cmd/friendmigrate/terminal"
	"friendmigrate/migrate"
	"friendmigrate/migrate/disk"
)

func main() {
	// net/http tells the standard logger what a service sends without being asked, which may repeat a signature
	log.SetOutput(io.Discard)
	env := environment(os.Environ())
	code := supervise(os.Args, job.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}, env)
	os.Exit(exit.Code(code).Status(env))
}

// environment makes a map of KEY=VALUE words.
func environment(words []string) map[string]string {
	env := make(map[string]string, len(words))
	for _, word := range words {
		if key, value, ok := strings.Cut(word, "="); ok {
			env[key] = value
		}
	}
	return env
}

// echo is how soon after the first signal the same one is still the first: timeout(1) and other
// launchers send a signal to the process and again to its group.
const echo = 200 * time.Millisecond

// supervise runs the program until it has ended or a second signal has come. The first signal lets
// it drain.
func supervise(args []string, std job.Streams, env map[string]string) int {
	// A log reader that has gone away must not end a job of hours: writes then fail, and that is
	// all.
	signal.Ignore(syscall.SIGPIPE)
	signals := exit.Signals()

	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	all := terminal.New(std.Err, env)
	std.Err = all
	p := newProgram(job.Volume{FS: disk.OS{}, Free: disk.Free}, args, std, env)
	done := make(chan int, 1)
	go func() {
		code := p.run(ctx)
		p.over.Store(true)
		p.Linger(ctx)
		done <- code
	}()

	var first os.Signal
	var at time.Time
	for {
		select {
		case code := <-done:
			return code
		case s := <-signals:
			if first == nil || p.over.Load() {
				first, at = s, time.Now()
				cancel(job.Signal{Signal: s})
				p.View.Stopping(again(s))
				continue
			}
			if s == first && time.Since(at) < echo {
				continue
			}
			ending := p.HintOutsidePod(exit.Ending{
				Code: exit.Unfinished,
				What: fmt.Sprintf("ended at once by a second signal (%s); what was sent and not yet recorded is "+
					"sent again by the next run", job.Signal{Signal: s}.Error()),
				Hint: p.ResumeLine().String(),
				Why:  string(migrate.ReasonSignal),
			})
			p.lastMessage(ending)
			p.lastWords(ending, all)
			all.Close()
			return int(ending.Code)
		}
	}
}

// again says how to stop at once after a first signal.
func again(s os.Signal) string {
	if s == os.Interrupt {
		return "press Ctrl-C again to stop now"
	}
	return "a second signal stops it now"
}

// lastMessage tells those who watch that the process ends at once, while the command is still at
// work. It waits for no disk.
func (p *program) lastMessage(e exit.Ending) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = p.message.Write(p.View.Message(e), true) // the last line has to come now
	}()
	select {
	case <-done:
	case <-time.After(time.Second):
	}
}

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
			View: progress.NewView(), Flags: flagsOf, Version: job.VersionOf(version),
		},
		root: os.DirFS("/"), message: new(progress.Log),
	}
	name, _ := job.Split(args)
	if slices.Contains(unattended, name) {
		p.message = progress.Find(env)
	}
	p.View.Begin(progress.Labels{Command: name, Version: p.Version})
	return p
}

// run runs the command, to the last line, and returns its exit code. It ends no process. A bug ends
// it with a code of its own: Go's would say that the flags are wrong.
func (p *program) run(ctx context.Context) (code int) {
	err := migrate.Guard(func() error { return p.start(ctx) })
	p.Screen.Block(nil)
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
	p.lastWords(*p.ending, p.Screen)
	return int(p.ending.Code)
}

// lastWords says how the command ended: in a block to people, else in the last line.
func (p *program) lastWords(e exit.Ending, to *terminal.Screen) {
	if to.Redraws() {
		to.Print(p.View.Snapshot().LastBlock(e))
		return
	}
	to.Line(e.Line())
}

// leave tells those who watch how the command ends: before the last line, which is for people.
func (p *program) leave(e exit.Ending) {
	p.View.End(p.View.Ending(e))
	if err := p.message.Write(p.View.Message(e), false); err != nil {
		p.Screen.Line(err.Error())
	}
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

// end is the end of a command that has a last line.
func (p *program) end(e exit.Ending, err error) error {
	if err == nil {
		e = p.HintOutsidePod(e)
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
