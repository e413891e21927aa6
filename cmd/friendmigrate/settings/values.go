package settings

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"friendmigrate/source"
)

// Prefix begins the variable of every flag.
const Prefix = "FRIENDMIGRATE_"

// Variable returns the name of a flag's variable, which is read if the flag is not given.
func Variable(flag string) string {
	return Prefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// Values are the flags and variables that settings are read from.
type Values struct {
	// Flags are all values of each flag in order, by its name without dashes. A switch without a
	// value has "true".
	Flags map[string][]string
	Env   map[string]string
}

// Look returns the values of a flag or of its variable, and where they came from, for messages. An
// empty variable counts as unset.
func (v Values) Look(flag string) (values []string, origin string) {
	if values, given := v.Flags[flag]; given {
		return values, "--" + flag
	}
	if value := v.Env[Variable(flag)]; value != "" {
		return []string{value}, Variable(flag)
	}
	return nil, ""
}

// Text returns the last value of a flag or of its variable, or "" if neither is given.
func (v Values) Text(flag string) string {
	values, _ := v.Look(flag)
	if len(values) == 0 {
		return ""
	}
	return values[len(values)-1]
}

// Given reports whether a flag or its variable is set.
func (v Values) Given(flag string) bool {
	values, _ := v.Look(flag)
	return len(values) > 0
}

// Reader collects the errors and warnings about settings.
type Reader struct {
	Values
	flags    []Flag
	root     fs.FS   // root of the file system; nil: none
	absent   []error // missing settings, which are reported first
	problems []error
	warnings []string
}

// Command is a command with settings.
type Command interface {
	Flags() []Flag // each sets one of the settings
	Check(*Reader) // checks combinations of flags, and fills in what follows
}

// ReadInto reads and checks the settings of a command. The memory limit of the container is read
// below root, the root of the file system; nil: there is none. The error joins everything that is
// wrong.
func ReadInto(s Command, v Values, root fs.FS) error {
	r := &Reader{Values: v, root: root}
	for _, f := range s.Flags() {
		f.preset()
		if f.ignored {
			continue
		}
		r.flags = append(r.flags, f)
		values, origin := v.Look(f.Name)
		if _, told := v.Flags[f.Name]; len(values) > 0 && (told || !f.NoVariable) {
			r.wrong(f, origin, f.Set(values))
		}
	}
	s.Check(r)
	return errors.Join(append(r.absent, r.problems...)...)
}

// has reports whether the command has a flag and does not ignore it.
func (r *Reader) has(flag string) bool { return Has(r.flags, flag) }

// wrong adds the error of a flag's value, or the errors that it joins.
func (r *Reader) wrong(f Flag, origin string, err error) {
	if many, joined := err.(interface{ Unwrap() []error }); joined {
		for _, err := range many.Unwrap() {
			r.wrong(f, origin, err)
		}
	} else if err != nil {
		word, _, _ := strings.Cut(f.Value, "|")
		if e, known := errors.AsType[*instead](err); known {
			word = e.value
		}
		r.Refuse(f.Name, word, "%s %w", origin, err)
	}
}

// Add adds an error, if there is one.
func (r *Reader) Add(err error) {
	if err != nil {
		r.problems = append(r.problems, err)
	}
}

// Refused is the error about a flag or variable whose value cannot be used.
type Refused struct {
	error
	Better source.Flag // for a hint; without a value: the hint leaves the flag out
}

// Refuse adds an error about a flag, with a better value for a hint; with "" the hint leaves it
// out.
func (r *Reader) Refuse(flag, better, format string, args ...any) {
	r.Add(&Refused{fmt.Errorf(format, args...), source.Flag{Name: flag, Value: better}})
}

// Refusals returns the flags that an error of ReadInto is about, with better values.
func Refusals(err error) []source.Flag {
	switch e := err.(type) {
	case *Refused:
		return []source.Flag{e.Better}
	case interface{ Unwrap() error }:
		return Refusals(e.Unwrap())
	case interface{ Unwrap() []error }:
		var all []source.Flag
		for _, each := range e.Unwrap() {
			all = append(all, Refusals(each)...)
		}
		return all
	}
	return nil
}

// Problem adds an error that cannot be fixed by the value of one flag.
func (r *Reader) Problem(format string, args ...any) { r.Add(fmt.Errorf(format, args...)) }

func (r *Reader) warn(format string, args ...any) {
	r.warnings = append(r.warnings, fmt.Sprintf(format, args...))
}

// Missing is the error about a required setting that is not given.
type Missing string

func (m Missing) Error() string { return string(m) }

func (r *Reader) missing(format string, args ...any) {
	r.absent = append(r.absent, Missing(fmt.Sprintf(format, args...)))
}
