package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/urfave/cli/v3"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/cmd/friendmigrate/manifest"
	"friendmigrate/cmd/friendmigrate/progress"
	"friendmigrate/cmd/friendmigrate/settings"
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
	case name == completionCommand && slices.Equal(rest, []string{"fish"}):
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
	return p.command().Run(ctx, p.Args)
}

// leafNamed finds a command by its name; nil if there is none.
func leafNamed(name string) *cli.Command {
	for _, c := range new(program).command().Commands {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// flagsOf are the flags of a command, and whether a value follows as a word of its own; nil: there
// is no such command.
func flagsOf(command string) map[string]bool { return knownFlags()[command] }

// knownFlags are the flags of all commands. They never change, and each line and hint asks for them.
var knownFlags = sync.OnceValue(func() map[string]map[string]bool {
	known := map[string]map[string]bool{}
	for _, c := range new(program).command().Commands {
		flags := map[string]bool{}
		for _, f := range c.Flags {
			g, ok := f.(*cli.GenericFlag)
			flags[f.Names()[0]] = ok && !g.Value.(*rawValue).optional
		}
		known[c.Name] = flags
	}
	return known
})

// command is the tree of commands.
func (p *program) command() *cli.Command {
	usage := func(_ context.Context, c *cli.Command, err error, _ bool) error { return p.usageError(c, err) }
	root := &cli.Command{
		Name:                  "friendmigrate",
		Usage:                 "moves a social graph into Tencent Chat",
		Reader:                p.Std.In,
		Writer:                p.Std.Out,
		ErrWriter:             p.Std.Err,
		HideVersion:           true,
		HideHelp:              true, // help.go has its own, whose errors count
		EnableShellCompletion: true,
		ExitErrHandler:        func(context.Context, *cli.Command, error) {}, // the library would end the process
		OnUsageError:          usage,
		Action:                p.noCommand,
		ConfigureShellCompletionCommand: func(c *cli.Command) {
			c.Hidden = false
			c.Usage = completionUsage
			c.Action, c.OnUsageError, c.HideHelp = p.noShell, usage, true
		},
	}
	root.Commands = []*cli.Command{
		p.leaf("import", "the job: validate, group, send, checkpoint, report. Run it again to resume", importHelp,
			settings.Flags("import"), p.importAction),
		p.leaf("plan", "the same reading and checking, nothing sent: what an import would take", planHelp,
			settings.Flags("plan"), p.planAction),
		p.leaf("status", "where the job stands, also while it runs", statusHelp, settings.Flags("status"),
			p.statusAction),
		p.leaf("failures", "what the service refused: by code with advice, or as a list that import accepts",
			failuresHelp, settings.Flags("failures"), p.failuresAction),
		p.leaf("explain", "what happened to one account or one edge", explainHelp, settings.Flags("explain"),
			p.explainAction),
		p.leaf("undo-list", "which pairs this job created, as requests of friend_delete", undoListHelp,
			settings.Flags("undo-list"), p.undoListAction),
		p.leaf("pace", "shows or changes how fast the job sends, while it runs", paceHelp, settings.Flags("pace"),
			p.paceAction),
		p.leaf("clean", "removes the staged input of a finished job, keeps lists and report", cleanHelp,
			settings.Flags("clean"), p.cleanAction),
		p.leaf("verify", "asks the service whether every edge is in place", verifyHelp, settings.Flags("verify"),
			p.verifyAction),
		p.leaf("export", "writes the friend lists of many accounts as a file that import accepts", exportHelp,
			settings.Flags("export"), p.exportAction),
		p.leaf("doctor", "finds out before a long run whether it will work", doctorHelp, settings.Flags("doctor"),
			p.doctorAction),
		p.leaf("simulate", "serves a simulated Chat on a port", simulateHelp, settings.Flags("simulate"),
			p.simulateAction),
		p.leaf("manifest", "prints Kubernetes YAML of an import, for kubectl apply -f -", manifestHelp,
			new(manifest.Options).Flags(), p.manifestAction),
		p.leaf("version", "prints the version", nil, nil,
			func(context.Context, *cli.Command) error { return p.showVersion() }),
		p.leaf("help", "prints the help text of the program, of a command or of a topic", nil, nil,
			func(_ context.Context, c *cli.Command) error { return p.showHelp(c.Args().Slice()...) }),
	}
	for _, c := range root.Commands {
		c.OnUsageError = usage
	}
	return root
}

// leaf is one command. Its help text is written when somebody asks for it: writing all of them would
// take most of the time of a short run.
func (p *program) leaf(
	name, usage string, help func() string, flags []settings.Flag, action cli.ActionFunc,
) *cli.Command {
	c := &cli.Command{Name: name, Usage: usage, HideHelp: true, Action: action, EnableShellCompletion: true}
	if help != nil {
		c.Metadata = map[string]any{helpText: help}
	}
	for _, f := range flags {
		c.Flags = append(c.Flags, &cli.GenericFlag{Name: f.Name, Usage: f.Usage, Category: f.Group,
			TakesFile: f.TakesFile, Value: &rawValue{declared: f, optional: f.Kind != settings.Takes}})
	}
	return c
}

// noCommand answers a call without a command that is known.
func (p *program) noCommand(_ context.Context, c *cli.Command) error {
	if name := c.Args().First(); name != "" {
		return p.unknownCommand(name)
	}
	return p.showHelp()
}

// values gathers what the flags of a command were given.
func (p *program) values(c *cli.Command) settings.Values {
	v := settings.Values{Flags: map[string][]string{}, Env: p.Env}
	for _, f := range c.Flags {
		if g, ok := f.(*cli.GenericFlag); ok {
			if raw, ok := g.Value.(*rawValue); ok && len(raw.given) > 0 {
				v.Flags[g.Name] = raw.given
			}
		}
	}
	return v
}

// declaredFlags are the flags of a command as they were declared.
func declaredFlags(c *cli.Command) (flags []settings.Flag) {
	for _, f := range c.Flags {
		if g, ok := f.(*cli.GenericFlag); ok {
			flags = append(flags, g.Value.(*rawValue).declared)
		}
	}
	return flags
}

// rawValue keeps what a flag was given, unread: package settings reads it.
type rawValue struct {
	declared settings.Flag
	optional bool
	given    []string
}

func (v *rawValue) Set(s string) error {
	v.given = append(v.given, s)
	return nil
}

func (v *rawValue) String() string { return "" }

func (v *rawValue) Get() any { return v.given }

// IsBoolFlag lets "--flag" stand without a value.
func (v *rawValue) IsBoolFlag() bool { return v.optional }
