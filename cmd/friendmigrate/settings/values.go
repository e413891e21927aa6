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

// Variable is the name of the variable that is read where a flag is not given.
func Variable(flag string) string {
	return Prefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// Values is where settings come from.
type Values struct {
	Flags map[string][]string // by name without dashes, every value, in order; a switch without a value has "true"
	Env   map[string]string
}

// Look finds the values of a flag, or of its variable, and says where they came from, for messages.
// An empty variable is none.
func (v Values) Look(flag string) (values []string, origin string) {
	if values, given := v.Flags[flag]; given {
		return values, "--" + flag
	}
	if value := v.Env[Variable(flag)]; value != "" {
		return []string{value}, Variable(flag)
	}
	return nil, ""
}

// Text is the value of a flag, or of its variable; "" if it is not given.
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

// Reader gathers what is wrong with settings.
type Reader struct {
	Values
	flags    []Flag
	root     fs.FS   // of the file system; nil: none
	absent   []error // settings that are missing, which are said first
	problems []error
	warnings []string
}

// Command is the settings of a command.
type Command interface {
	Flags() []Flag // each sets one of the settings
	Check(*Reader) // what several flags say together, and what follows from them
}

// ReadInto reads and checks the settings of a command. root is the root of the file system (nil:
// none), for the memory limit of the container. The error says everything that is wrong.
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

// has reports whether the command has a flag that means something to it.
func (r *Reader) has(flag string) bool { return Has(r.flags, flag) }

// wrong adds what is wrong with the value of a flag: one error, or several that are joined.
func (r *Reader) wrong(f Flag, origin string, err error) {
	if many, joined := err.(interface{ Unwrap() []error }); joined {
		for _, err := range many.Unwrap() {
			r.wrong(f, origin, err)
		}
	} else if err != nil {
		word, _, _ := strings.Cut(f.Value, "|")
		e, known := errors.AsType[*instead](err)
		if known && !(e.bound && (f.Default == "" || f.Default == "off")) { // else nobody but the user knows a value
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

// Refused is the error of a flag, or its variable, whose value cannot be used.
type Refused struct {
	error
	Better source.Flag // for a hint; without a value: the flag has no place there
}

// Refuse adds the error of a flag with a better value for it; "" leaves it out.
func (r *Reader) Refuse(flag, better, format string, args ...any) {
	r.Add(&Refused{fmt.Errorf(format, args...), source.Flag{Name: flag, Value: better}})
}

// Refusals are the flags that an error of settings is about.
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

// Problem adds an error that no value of one flag puts right.
func (r *Reader) Problem(format string, args ...any) { r.Add(fmt.Errorf(format, args...)) }

func (r *Reader) warn(format string, args ...any) {
	r.warnings = append(r.warnings, fmt.Sprintf(format, args...))
}

// Missing is the error of a setting that has to be given.
type Missing string

func (m Missing) Error() string { return string(m) }

func (r *Reader) missing(format string, args ...any) {
	r.absent = append(r.absent, Missing(fmt.Sprintf(format, args...)))
}
