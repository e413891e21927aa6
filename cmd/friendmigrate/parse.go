package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/urfave/cli/v3"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/cmd/friendmigrate/progress"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/migrate"
)

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
	for _, c := range p.commands {
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
		if _, has := p.Flags(c.name)["accounts"]; has && !hint.Has("accounts") {
			hint = hint.With("accounts", in.args[0])
		}
		return job.Unusable(hint, "%s takes no arguments, but got %q", c.name, in.args[0])
	}
	if c.flags == nil {
		if in.Settings, err = settings.Read(c.name, in.values, p.root); err != nil {
			return exit.Because(exit.Unusable, err)
		}
	}
	if strings.Contains(c.args, "INPUT") {
		for i, name := range in.args {
			in.args[i] = settings.Path(name)
		}
	}
	// failures and explain read the journal of an undo as that of a job, for what it could not delete.
	if whole, is := folder.JobOf(in.State); is && in.State != "" && c.name != "failures" && c.name != "explain" {
		return job.Unusable(p.Line().With("state", whole),
			"%q is the undo or the verify of a job: the state folder of both is %q", in.State, whole)
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
	nearest := migrate.Nearest(name, max(2, len(name)/3), known...)
	owner, takes := p.ownerOf(name)
	_, noFile := os.Lstat(p.Args[at])
	switch {
	case c.Root() == c:
		e.Err = fmt.Errorf("unknown flag %s: flags come after the command", typed)
		e.Hint = exit.Parse(p.Args[0], "help", nil, nil).String() + " # lists the commands"
	case name == "secret-key":
		e.Err = fmt.Errorf("unknown flag %s: a key is never a flag, because everybody on a machine sees command lines;"+
			" give the file that holds it with --secret-key-file, or set the variable %s", typed, settings.KeyVariable)
		e.Hint = exit.Parse(p.Args[0], c.Name, nil, nil).With("secret-key-file", "FILE").String() +
			" # and the rest of the line"
	case owner != "":
		e.Err = fmt.Errorf("unknown flag %s: %s has none, it is a flag of %s", typed, c.Name, owner)
		e.Hint = p.LineOf(p.without(at, takes, known)).String() + " # without it"
	case nearest == "" && (noFile == nil || c.Name == "explain"):
		e.Err = fmt.Errorf("unknown flag %s: what begins with a dash and is no flag belongs after --", typed)
		line, before := p.LineOf(p.without(at, false, known)), len(p.LineOf(p.Args[:at]).Inputs())
		e.Hint = line.Of(slices.Insert(slices.Clone(line.Inputs()), before, p.Args[at])...).String()
	case nearest == "":
		e.Err = fmt.Errorf("unknown flag %s: %s has none like it", typed, c.Name)
		e.Hint = p.LineOf(p.without(at, true, known)).String() + " # without it; " + p.Help() + " lists the flags"
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

// ownerOf returns a command that has a flag, import if it does, and whether the flag takes a value;
// "" if no command has it.
func (p *program) ownerOf(flag string) (owner string, takes bool) {
	for _, c := range append([]command{*p.find("import")}, p.commands...) {
		if takes, has := p.Flags(c.name)[flag]; has {
			return c.name, takes
		}
	}
	return "", false
}

// without returns the arguments without the unknown flag at a place and, if it takes a value, the
// word after it, which may be that value, and even a key. It leaves out everything from a second
// unknown flag on.
func (p *program) without(at int, takes bool, known []string) []string {
	rest := p.Args[at+1:]
	if takes && len(rest) > 0 && flagName(rest[0]) == "" && !strings.Contains(p.Args[at], "=") {
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

// mistyped returns a warning for each variable that is not read but whose name is that of a flag,
// or close to a variable that is. The flags of simulate and accounts are considered only for these
// commands: some of their names are short, and Kubernetes sets variables such as
// FRIENDMIGRATE_PORT, which is close to that of accounts --import.
func (p *program) mistyped() (warnings []string) {
	known := map[string]bool{settings.KeyVariable: true, settings.Variable("shards"): true, progress.Variable: true}
	only := map[string]string{} // flags that have no variable
	command, _ := job.Split(p.Args)
	for _, c := range p.commands {
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
	c := p.find(name)
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

// noShell handles completion without a shell that it knows.
func (p *program) noShell() error {
	return &exit.Error{
		Code: exit.Unusable,
		Err:  errors.New("completion needs the name of a shell: bash, zsh, fish or pwsh"),
		Hint: exit.Parse(p.Args[0], completionName, nil, nil).Of("bash").String(),
	}
}
