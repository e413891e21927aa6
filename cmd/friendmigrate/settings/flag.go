package settings

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"friendmigrate/sink"
)

// Flag declares a flag of a command: its syntax, its help text, and the setter of its setting.
type Flag struct {
	Name       string // without dashes
	Kind       Kind
	Value      string // placeholder of the value, for the help text
	Default    string // for the help text
	Usage      string
	Group      string
	NoVariable bool     // read from the command line only
	Hidden     bool     // accepted, but not in the help text
	Words      []string // values that the shell completes
	Set        Setter

	commands string // commands that have it, separated by spaces
	initial  string // default value; "": the setting stays unchanged
	ignored  bool   // accepted, but not read
}

// Kind says whether a flag takes a value.
type Kind uint8

// The kinds of flag.
const (
	Takes    Kind = iota // --flag value, --flag=value
	Switch               // --flag, --flag=false
	Optional             // --flag, --flag=value; never --flag value
)

// Groups of flags that the code refers to, by their headings in the help text.
const (
	groupService    = "the service"
	groupInput      = "the rows"
	groupObjects    = "object storage (s3://)"
	groupJob        = "the job"
	groupStop       = "stopping early"
	groupMonitoring = "being watched"
)

// WithDefault returns a flag whose setting has a default. The syntax is that of the help text,
// without dashes: "name VALUE", "name[=VALUE]", or "name" for a switch.
func WithDefault(syntax, value string, set Setter, usage string) Flag {
	f := Described(syntax, value, set, usage)
	f.initial = value
	return f
}

// Plain returns a flag without a default. Its setting stays unchanged unless the flag is given.
func Plain(syntax string, set Setter, usage string) Flag {
	return Described(syntax, "", set, usage)
}

// Described returns a flag whose setting stays unchanged unless the flag is given. words says in
// the help text what is used then.
func Described(syntax, words string, set Setter, usage string) Flag {
	f := Flag{Name: syntax, Kind: Switch, Default: words, Usage: usage, Set: set}
	if name, value, takes := strings.Cut(syntax, " "); takes {
		f.Name, f.Kind, f.Value = name, Takes, value
	} else if name, value, optional := strings.Cut(syntax, "[="); optional {
		f.Name, f.Kind, f.Value = name, Optional, strings.TrimSuffix(value, "]")
	}
	return f
}

// Choose returns a flag whose value is one of some words. The first is its default.
func Choose(syntax string, to *string, usage string, words ...string) Flag {
	return WithDefault(syntax, words[0], choice(to, words...), usage).among(words...)
}

// among returns the flag with values that the shell completes.
func (f Flag) among(words ...string) Flag {
	f.Words = words
	return f
}

// of returns the flag with the commands that have it, separated by spaces.
func (f Flag) of(commands string) Flag {
	f.commands = commands
	return f
}

func (f Flag) belongs(command string) bool {
	return slices.Contains(strings.Fields(f.commands), command)
}

// withoutVariable returns the flag without its variable, which would stay set for later runs.
func (f Flag) withoutVariable() Flag {
	f.NoVariable = true
	return f
}

// Group puts flags under a heading of the help text.
func Group(name string, flags ...Flag) []Flag {
	for i := range flags {
		flags[i].Group = name
	}
	return flags
}

// group is like Group. It also sets the commands of flags that have none.
func group(name, commands string, flags ...Flag) []Flag {
	for i := range flags {
		flags[i].commands = cmp.Or(flags[i].commands, commands)
	}
	return Group(name, flags...)
}

// in reports whether the flag or its group has one of the names.
func (f Flag) in(names ...string) bool {
	return slices.Contains(names, f.Name) || slices.Contains(names, f.Group)
}

// Has reports whether one of the flags has the name.
func Has(flags []Flag, name string) bool {
	return slices.ContainsFunc(flags, func(f Flag) bool { return f.Name == name })
}

// Only returns the flags that have one of the names, or whose group has.
func Only(flags []Flag, names ...string) []Flag {
	return slices.DeleteFunc(slices.Clone(flags), func(f Flag) bool { return !f.in(names...) })
}

// codes returns the ResultCodes that one edge can fail with.
func codes() (words []string) {
	for _, c := range sink.Codes() {
		if c.Level&sink.OnItem != 0 {
			words = append(words, strconv.Itoa(c.Code))
		}
	}
	return words
}
