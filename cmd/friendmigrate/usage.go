package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/urfave/cli/v3"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/cmd/friendmigrate/progress"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/migrate"
)

// flagName is the name in a word such as --name=value; empty if the word is no flag.
func flagName(word string) string {
	if !strings.HasPrefix(word, "-") {
		return ""
	}
	name, _, _ := strings.Cut(strings.TrimLeft(word, "-"), "=")
	return name
}

// usageError is what the library says of a flag that it cannot read, with the flag as it was typed
// and, where a known one is close, the command line that was meant. A value is not repeated in the
// error: it may be a key.
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
		return p.unknownCommand(command) // the library reads the flags first
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
	case name == "secret-key":
		e.Err = fmt.Errorf("unknown flag %s: a key is never a flag, because everybody on a machine sees command lines;"+
			" give the file that holds it with --secret-key-file, or set the variable %s", typed, settings.KeyVariable)
		e.Hint = exit.Parse(p.Args[0], c.Name, nil, nil).With("secret-key-file", "FILE").String() +
			" # and the rest of the line"
	case nearest == "":
		e.Err = fmt.Errorf("unknown flag %s: %s has none like it", typed, c.Name)
	default:
		e.Err = fmt.Errorf("unknown flag %s; did you mean --%s?", typed, nearest)
		more := slices.ContainsFunc(p.Args[at+1:], func(word string) bool {
			return flagName(word) != "" &&
				!slices.Contains(known, flagName(word))
		})
		if !more && nearest != "secret-key-file" { // what an unknown flag is given may be a key
			e.Hint = p.corrected(at, "--"+nearest+strings.TrimPrefix(p.Args[at], typed))
		}
	}
	return e
}

// corrected is the command line with another word in one place.
func (p *program) corrected(at int, word string) string {
	args := slices.Clone(p.Args)
	args[at] = word
	return p.LineOf(args).String()
}

// unknownCommand names the command that was meant, if one is close.
func (p *program) unknownCommand(name string) error {
	e := &exit.Error{Code: exit.Unusable, Err: fmt.Errorf("unknown command %q", name)}
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

// mistyped finds variables whose names are close to that of one that is read. The knobs of simulate
// count only there: their names are short, and Kubernetes gives a container variables such as
// FRIENDMIGRATE_PORT.
func (p *program) mistyped() (warnings []string) {
	known := map[string]bool{settings.KeyVariable: true, settings.Variable("shards"): true, progress.Variable: true}
	command, _ := job.Split(p.Args)
	for name, flags := range knownFlags() {
		for flag := range flags {
			if name != "simulate" || command == name {
				known[settings.Variable(flag)] = true
			}
		}
	}
	names := slices.Sorted(maps.Keys(known))
	for _, name := range slices.Sorted(maps.Keys(p.Env)) {
		if nearest := migrate.Nearest(name, 2, names...); nearest != "" && !known[name] {
			warnings = append(warnings, fmt.Sprintf("the variable %s is not read; did you mean %s?", name, nearest))
		}
	}
	return warnings
}
