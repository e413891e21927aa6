package main

import (
	"context"
	"slices"
	"sync"

	"github.com/urfave/cli/v3"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/cmd/friendmigrate/settings"
)

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

// commands lists the commands, in the order of the program's help text.
func commands() []command {
	return []command{
		importCommand(), planCommand(), statusCommand(), failuresCommand(), explainCommand(), undoListCommand(),
		paceCommand(), cleanCommand(), verifyCommand(), exportCommand(), doctorCommand(), simulateCommand(), manifestCommand(),
		completionCommand(),
		{name: "version", usage: "prints the version",
			do: func(p *program, _ context.Context, _ invocation) error { return p.showVersion() }},
		{name: "help", args: "[COMMAND|TOPIC]", usage: "prints this text, or that of a command or a topic",
			do: func(p *program, _ context.Context, in invocation) error { return p.showHelp(in.args...) }},
	}
}

// find is the command of that name; nil if there is none.
func find(name string) *command {
	all := commands()
	if i := slices.IndexFunc(all, func(c command) bool { return c.name == name }); i >= 0 {
		return &all[i]
	}
	return nil
}

// declared are the flags of the command.
func (c command) declared() []settings.Flag {
	if c.flags == nil {
		return nil
	}
	return c.flags(c.name)
}

// flagsOf are the flags of a command, and whether a value follows as a word of its own; nil: there
// is no such command.
func flagsOf(name string) map[string]bool { return knownFlags()[name] }

// knownFlags are the flags of all commands. They never change, and each line and hint asks for them.
var knownFlags = sync.OnceValue(func() map[string]map[string]bool {
	known := map[string]map[string]bool{}
	for _, c := range commands() {
		known[c.name] = map[string]bool{}
		for _, f := range c.declared() {
			known[c.name][f.Name] = f.Kind == settings.Takes
		}
	}
	return known
})

// tree is the command line as the library wants it. The library splits the words and completes them
// in four shells. The rest is ours, since the last line has to name what is wrong and the command
// that was meant, and the library prints usage instead: help, flags, and what is wrong with either.
func (p *program) tree() *cli.Command {
	root := &cli.Command{
		Name: "friendmigrate", Reader: p.Std.In, Writer: p.Std.Out, ErrWriter: p.Std.Err,
		HideVersion: true, HideHelp: true, EnableShellCompletion: true,
		ExitErrHandler: func(context.Context, *cli.Command, error) {}, // the library would end the process
		OnUsageError:   p.usageError, Action: p.noCommand,
		ConfigureShellCompletionCommand: func(c *cli.Command) {
			c.Hidden, c.HideHelp, c.Usage = false, true, completionCommand().usage
			c.OnUsageError = p.usageError
			c.Action = func(context.Context, *cli.Command) error { return p.noShell() }
		},
	}
	for _, c := range commands() {
		if c.do != nil {
			root.Commands = append(root.Commands, p.leaf(c))
		}
	}
	return root
}

func (p *program) leaf(c command) *cli.Command {
	leaf := &cli.Command{Name: c.name, Usage: c.usage, HideHelp: true, EnableShellCompletion: true,
		OnUsageError: p.usageError}
	given := map[string]*rawValue{}
	for _, f := range c.declared() {
		given[f.Name] = &rawValue{optional: f.Kind != settings.Takes}
		leaf.Flags = append(leaf.Flags, &cli.GenericFlag{Name: f.Name, Usage: f.Usage, TakesFile: f.TakesFile,
			Value: given[f.Name]})
	}
	leaf.Action = func(ctx context.Context, l *cli.Command) error {
		in := invocation{values: settings.Values{Flags: map[string][]string{}, Env: p.Env}, args: l.Args().Slice()}
		for name, value := range given {
			if len(value.given) > 0 {
				in.values.Flags[name] = value.given
			}
		}
		return p.invoke(ctx, c, in)
	}
	return leaf
}

// invoke reads the settings and runs the command.
func (p *program) invoke(ctx context.Context, c command, in invocation) (err error) {
	if c.args == "" && len(in.args) > 0 {
		hint := p.Line().Of()
		if _, has := flagsOf(c.name)["accounts"]; has && !hint.Has("accounts") {
			hint = hint.With("accounts", in.args[0])
		}
		return job.Unusable(hint, "%s takes no arguments, but got %q", c.name, in.args[0])
	}
	if c.flags != nil && !c.raw {
		if in.Settings, err = settings.Read(c.name, in.values, p.root); err != nil {
			return exit.Because(exit.Unusable, err)
		}
	}
	return c.do(p, ctx, in)
}

// noCommand answers a call without a command that is known.
func (p *program) noCommand(_ context.Context, c *cli.Command) error {
	if name := c.Args().First(); name != "" {
		return p.unknownCommand(name)
	}
	return p.showHelp()
}

// rawValue keeps what a flag was given, unread: package settings reads it.
type rawValue struct {
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
