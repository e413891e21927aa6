package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/urfave/cli/v3"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/cmd/friendmigrate/manifest"
	"friendmigrate/cmd/friendmigrate/progress"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/migrate"
)

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

// commands lists the commands, in the order of the program's help text.
func commands() []command {
	return []command{
		{name: "accounts", args: "[INPUT...]", do: (*program).accountsAction,
			usage: "asks which accounts of both sides exist; --import imports those that do not"},
		{name: "import", args: "INPUT...", do: operate(importing),
			usage: "the job: validate, group, send, record, report. Run it again to resume"},
		{name: "plan", args: "INPUT...", do: (*program).planAction,
			usage: "the same reading and checking, nothing sent: what an import would take"},
		{name: "update", args: "INPUT...", do: operate(updating),
			usage: "sets Remark, GroupName and custom fields of friends that exist"},
		{name: "status", do: (*program).statusAction, usage: "where the job stands, also while it runs"},
		{name: "failures", do: (*program).failuresAction,
			usage: "what the service refused: by code with advice, or as a list that import accepts"},
		{name: "explain", args: "FROM [TO]", do: (*program).explainAction,
			usage: "what happened to one account or one edge"},
		{name: "report", do: (*program).reportAction,
			usage: "writes report.json and report.html again, for shards a joint one"},
		{name: "undo", do: (*program).undoAction, usage: "deletes exactly the edges that this job imported"},
		{name: "pace", args: "[RATE|pause|resume]", do: (*program).paceAction,
			usage: "shows or changes how fast the job sends, while it runs"},
		{name: "clean", do: (*program).cleanAction,
			usage: "removes the staged input of a finished job, keeps lists and report"},
		{name: "verify", args: "[INPUT...]", do: (*program).verifyAction,
			usage: "asks the service whether every edge is in place"},
		{name: "export", do: (*program).exportAction,
			usage: "writes the friend lists of many accounts as a file that import accepts"},
		{name: "doctor", do: (*program).doctorAction,
			usage: "finds out before a long run whether it will work"},
		{name: "simulate", do: (*program).simulateAction, usage: "serves a simulated Chat on a port"},
		{name: "manifest", args: "[-- FLAGS OF IMPORT...]", flags: new(manifest.Options).Flags,
			do: (*program).manifestAction, usage: "prints Kubernetes YAML of an import, for kubectl apply -f -"},
		{name: completionName, args: "SHELL", usage: completionUsage},
		{name: "version", usage: "prints the version",
			do: func(p *program, _ context.Context, _ invocation) error { return p.showVersion() }},
		{name: "help", args: "[COMMAND|TOPIC]", usage: "prints this text, or that of a command or a topic",
			do: func(p *program, _ context.Context, in invocation) error { return p.showHelp(in.args...) }},
	}
}

func find(name string) *command {
	all := commands()
	if i := slices.IndexFunc(all, func(c command) bool { return c.name == name }); i >= 0 {
		return &all[i]
	}
	return nil
}

func (c command) declared() []settings.Flag {
	if c.flags != nil {
		return c.flags()
	}
	return settings.Flags(c.name)
}

// flagsOf returns the flags of a command, and for each whether its value may be a word of its own.
// It returns nil for an unknown command.
func flagsOf(name string) map[string]bool { return knownFlags()[name] }

// knownFlags returns the flags of all commands. They never change, and every command line and hint
// needs them.
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

// tree returns the commands in the form that the cli library needs. The library splits the words
// and completes them in four shells. Help, flags and their errors are handled here, because the
// library would print its usage text, but the last line has to name what is wrong and the command
// that was meant.
func (p *program) tree() *cli.Command {
	root := &cli.Command{
		Name: "friendmigrate", Reader: p.Std.In, Writer: p.Std.Out, ErrWriter: p.Std.Err,
		HideVersion: true, HideHelp: true, EnableShellCompletion: true,
		ExitErrHandler: func(context.Context, *cli.Command, error) {}, // otherwise the library ends the process
		OnUsageError:   p.usageError, Action: p.noCommand,
		ConfigureShellCompletionCommand: func(c *cli.Command) {
			c.Hidden, c.HideHelp, c.Usage = false, true, completionUsage
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
		leaf.Flags = append(leaf.Flags, &cli.GenericFlag{Name: f.Name, Usage: f.Usage, Value: given[f.Name]})
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
	if c.flags == nil {
		if in.Settings, err = settings.Read(c.name, in.values, p.root); err != nil {
			return exit.Because(exit.Unusable, err)
		}
	}
	return c.do(p, ctx, in)
}

// noCommand handles a call without a known command.
func (p *program) noCommand(_ context.Context, c *cli.Command) error {
	if name := c.Args().First(); name != "" {
		return p.unknownCommand(name)
	}
	return p.showHelp()
}

// rawValue keeps the values of a flag as they were given. Package settings reads them.
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

// IsBoolFlag reports whether the flag may be given without a value.
func (v *rawValue) IsBoolFlag() bool { return v.optional }

// flagName returns the name in a word such as --name=value, or "" if the word is no flag.
func flagName(word string) string {
	if !strings.HasPrefix(word, "-") {
		return ""
	}
	name, _, _ := strings.Cut(strings.TrimLeft(word, "-"), "=")
	return name
}

// usageError returns the error for a flag that the library cannot read. It names the flag as it was
// typed and, if a known flag is close, hints at the command line that was probably meant. It does
// not repeat a value, which may be a key.
func (p *program) usageError(_ context.Context, c *cli.Command, err error, _ bool) error {
	_, name, unknown := strings.Cut(err.Error(), "provided but not defined: -")
	at := slices.IndexFunc(p.Args, func(word string) bool { return flagName(word) == name })
	if last := p.Args[len(p.Args)-1]; !unknown && flagName(last) != "" { // nothing follows it
		return job.Unusable(p.Line().With(flagName(last), "VALUE"), "flag needs an argument: %s", last)
	}
	if !unknown || name == "" || at < 0 {
		return exit.Because(exit.Unusable, err)
	}
	if command, _ := job.Split(p.Args); c.Root() == c && flagName(command) == "" {
		return p.unknownCommand(command) // the library reads the flags before the command
	}
	typed, _, _ := strings.Cut(p.Args[at], "=")
	e := &exit.Error{Code: exit.Unusable}
	var known []string
	for _, f := range c.Flags {
		known = append(known, f.Names()...)
	}
	nearest := migrate.Nearest(name, max(2, len(name)/2), known...)
	switch {
	case c.Root() == c:
		e.Err = fmt.Errorf("unknown flag %s: flags stand behind the command", typed)
		e.Hint = exit.Parse(p.Args[0], "help", nil, nil).String() + " # lists the commands"
	case name == "secret-key":
		e.Err = fmt.Errorf("unknown flag %s: a key is never a flag, because everybody on a machine sees command lines;"+
			" give the file that holds it with --secret-key-file, or set the variable %s", typed, settings.KeyVariable)
		e.Hint = exit.Parse(p.Args[0], c.Name, nil, nil).With("secret-key-file", "FILE").String() +
			" # and the rest of the line"
	case nearest == "":
		e.Err = fmt.Errorf("unknown flag %s: %s has none like it", typed, c.Name)
		e.Hint = p.LineOf(p.without(at, known)).String() + " # without it; " + p.Help() + " lists the flags"
	default:
		e.Err = fmt.Errorf("unknown flag %s; did you mean --%s?", typed, nearest)
		more := slices.ContainsFunc(p.Args[at+1:], func(word string) bool {
			return flagName(word) != "" && !slices.Contains(known, flagName(word))
		})
		e.Hint = p.corrected(at, "--"+nearest+strings.TrimPrefix(p.Args[at], typed))
		if more || nearest == "secret-key-file" { // the value of an unknown flag may be a key
			e.Hint = p.LineOf(p.Args[:at]).With(nearest, "VALUE").String() + " # and the rest of the line"
		}
	}
	return e
}

// without returns the arguments without the unknown flag at a place and without the word after it,
// which may be its value, and even a key. It leaves out everything from a second unknown flag on.
func (p *program) without(at int, known []string) []string {
	rest := p.Args[at+1:]
	if len(rest) > 0 && flagName(rest[0]) == "" && !strings.Contains(p.Args[at], "=") {
		rest = rest[1:]
	}
	end := slices.IndexFunc(rest, func(word string) bool {
		return flagName(word) != "" && !slices.Contains(known, flagName(word))
	})
	if end >= 0 {
		rest = rest[:end]
	}
	return slices.Concat(p.Args[:at], rest)
}

// corrected returns the command line with one word replaced.
func (p *program) corrected(at int, word string) string {
	args := slices.Clone(p.Args)
	args[at] = word
	return p.LineOf(args).String()
}

// unknownCommand returns an error that names the command that was probably meant, if one is close.
func (p *program) unknownCommand(name string) error {
	e := &exit.Error{Code: exit.Unusable, Err: fmt.Errorf("unknown command %q", name),
		Hint: exit.Parse(p.Args[0], "help", nil, nil).String() + " # lists the commands"}
	known := topics()
	for _, c := range commands() {
		known = append(known, c.name)
	}
	if nearest := migrate.Nearest(name, max(2, len(name)/2), known...); nearest != "" {
		e.Err = fmt.Errorf("%w; did you mean %q?", e.Err, nearest)
		e.Hint = p.corrected(slices.Index(p.Args, name), nearest)
	}
	return e
}

// mistyped returns a warning for each variable that is not read but whose name is that of a flag,
// or close to a variable that is. The flags of simulate and accounts are considered only for these
// commands: some of their names are short, and Kubernetes sets variables such as
// FRIENDMIGRATE_PORT, which is close to that of accounts --import.
func (p *program) mistyped() (warnings []string) {
	known := map[string]bool{settings.KeyVariable: true, settings.Variable("shards"): true, progress.Variable: true}
	only := map[string]string{} // flags that have no variable
	command, _ := job.Split(p.Args)
	for _, c := range commands() {
		for _, f := range c.declared() {
			switch name := settings.Variable(f.Name); {
			case f.NoVariable:
				only[name] = f.Name
			case c.name != "simulate" && c.name != "accounts" || command == c.name:
				known[name] = true
			}
		}
	}
	names := slices.Sorted(maps.Keys(known))
	for _, name := range slices.Sorted(maps.Keys(p.Env)) {
		if flag := only[name]; flag != "" {
			warnings = append(warnings, fmt.Sprintf("the variable %s is not read: it exists "+
				"only as the flag --%s", name, flag))
		} else if nearest := migrate.Nearest(name, 2, names...); nearest != "" && !known[name] {
			warnings = append(warnings, fmt.Sprintf("the variable %s is not read; did you mean %s?", name, nearest))
		}
	}
	return warnings
}

// complete prints the possible values of the flag before completionFlag, with which the shell asks.
// ok is false if there is no such flag; then the library completes. For a flag that takes a file it
// prints nothing, so that the shell completes files.
func (p *program) complete() (ok bool) {
	name, rest := job.Split(p.Args)
	at := slices.Index(rest, completionFlag)
	c := find(name)
	if c == nil || at < 1 {
		return false
	}
	for _, f := range c.declared() {
		if "--"+f.Name == rest[at-1] && f.Kind == settings.Takes {
			fmt.Fprint(p.Std.Out, strings.Join(append(f.Words, ""), "\n"))
			return true
		}
	}
	return false
}

// fishCompletion prints the library's script for fish, changed so that fish also completes files.
func (p *program) fishCompletion(ctx context.Context) error {
	var script bytes.Buffer
	c := p.tree()
	c.Writer = &script
	if err := c.Run(ctx, p.Args); err != nil {
		return err
	}
	_, err := io.WriteString(p.Std.Out, strings.Replace(script.String(), " -f -a ", " -a ", 1))
	return err
}
