package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"slices"
	"strings"
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
	// net/http tells the standard logger what a service sends without being asked, which may repeat
	// a signature
	log.SetOutput(io.Discard)
	// os.Getwd trusts PWD, in which a symlink may have another parent than the working folder has
	os.Unsetenv("PWD")
	env := environment(os.Environ())
	code := supervise(os.Args, job.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}, env)
	os.Exit(exit.Code(code).Status(env))
}

// environment returns a map of KEY=VALUE words.
func environment(words []string) map[string]string {
	env := make(map[string]string, len(words))
	for _, word := range words {
		if key, value, ok := strings.Cut(word, "="); ok {
			env[key] = value
		}
	}
	return env
}

// echo is the time after a signal in which the same signal, or SIGHUP beside it, does not count as
// a second one: timeout(1) sends a signal to the process and again to its process group, and
// systemd sends both SIGTERM and SIGHUP when it ends a login session.
const echo = 200 * time.Millisecond

// supervise runs the program until it ends or a second signal comes. After the first signal the
// program finishes the calls in flight.
func supervise(args []string, std job.Streams, env map[string]string) int {
	// A log reader that has gone away must not end a job of hours: writes then fail, but nothing
	// else happens.
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
				p.View.Stopping(howToStopNow(s))
				continue
			}
			same := s == first || s == syscall.SIGHUP || first == syscall.SIGHUP
			if same && time.Since(at) < echo {
				continue
			}
			ending := p.HintOutsidePod(exit.Ending{
				Code: exit.Unfinished,
				What: fmt.Sprintf("ended at once by a second signal (%s); the counts may be a second old; what was "+
					"sent and not yet recorded is sent again by the next run", job.Signal{Signal: s}.Error()),
				Hint: p.ResumeLine().String(),
				Why:  string(migrate.ReasonSignal),
			})
			atMostASecond(func() { _ = p.message.Write(p.View.Message(ending), true) })
			atMostASecond(func() {
				p.lastWords(ending, all)
				all.Close()
			})
			return int(ending.Code)
		}
	}
}

// howToStopNow returns a text on how to stop at once after a first signal.
func howToStopNow(s os.Signal) string {
	if s == os.Interrupt {
		return "press Ctrl-C again to stop now"
	}
	return "a second signal stops it now"
}

// atMostASecond calls f, and waits no longer for a slow disk or for a terminal that nobody reads.
func atMostASecond(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
	case <-time.After(time.Second):
	}
}

// unattended lists the commands that usually run without a person watching.
var unattended = []string{"import", "verify", "update", "undo", "accounts", "export"}

func newProgram(on job.Volume, args []string, std job.Streams, env map[string]string) *program {
	p := &program{
		Program: job.Program{
			Began: time.Now(), Std: std, Env: env, Volume: on, Screen: terminal.New(std.Err, env), Args: args,
			View: progress.NewView(), Flags: flagsOf, Version: job.VersionOf(version),
		},
		commands: allCommands(), root: os.DirFS("/"), message: new(progress.Log),
	}
	name, _ := job.Split(args)
	// What export writes is data, of which nothing may be lost.
	if name != "export" || slices.ContainsFunc(args, func(arg string) bool { return arg == "--help" || arg == "-h" }) {
		p.Std.Out = terminal.Results(std.Out)
	}
	if slices.Contains(unattended, name) {
		p.message = progress.Find(env)
	}
	p.View.Begin(progress.Labels{Command: name, Version: p.Version})
	return p
}

// run runs the command up to its last line and returns its exit code. It ends no process. A bug
// gets an exit code of its own, since that of Go would mean unusable flags.
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

// lastWords writes how the command ended: as a block for people, else as the last line.
func (p *program) lastWords(e exit.Ending, to *terminal.Screen) {
	if to.Redraws() {
		to.Print(p.View.Snapshot().LastBlock(e))
		return
	}
	to.Line(e.LastLine())
}

// leave tells those who watch how the command ends. It comes before the last line, which is for
// people.
func (p *program) leave(e exit.Ending) {
	p.View.End(p.View.Ending(e))
	if err := p.message.Write(p.View.Message(e), false); err != nil {
		p.Screen.Line(err.Error())
	}
}

// start runs the command, or --help or --version if they are anywhere in the line.
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
