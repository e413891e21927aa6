package settings

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"friendmigrate/migrate"
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
	Flags map[string][]string // by name without dashes, every value given, in order; a switch without a value has "true"
	Env   map[string]string
}

// Text is the value of a flag, or of its variable; "" if it is not given.
func (v Values) Text(flag string) string { return (&reader{Values: v}).text(flag, "") }

// reader reads values and gathers what is wrong with them.
type reader struct {
	Values
	real     bool // the command has no --rehearse
	problems []error
	warnings []string
}

func (r *reader) err() error { return errors.Join(r.problems...) }

func (r *reader) problem(format string, args ...any) {
	r.problems = append(r.problems, fmt.Errorf(format, args...))
}

func (r *reader) warn(format string, args ...any) {
	r.warnings = append(r.warnings, fmt.Sprintf(format, args...))
}

// Refused is the error of a flag, or its variable, whose value cannot be used.
type Refused struct {
	error
	Better source.Flag // for a hint; without a value: the flag has no place there
}

func (r *reader) refuse(name, better, format string, args ...any) {
	r.problems = append(r.problems, &Refused{fmt.Errorf(format, args...), source.Flag{Name: name, Value: better}})
}

// word stands in a hint for a value that only the user knows.
func word(flag string) string {
	f, _ := find(flag)
	return cmp.Or(f.Value, "VALUE")
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

// Missing is the error of a setting that has to be given.
type Missing string

func (m Missing) Error() string { return string(m) }

func (r *reader) missing(format string, args ...any) {
	r.problems = append(r.problems, Missing(fmt.Sprintf(format, args...)))
}

// look finds the values of a flag and says where they came from, for messages.
func (r *reader) look(name string) (values []string, origin string) {
	if values, given := r.Flags[name]; given {
		return values, "--" + name
	}
	if f, known := find(name); known && f.NoVariable {
		return nil, ""
	}
	if value := r.Env[Variable(name)]; value != "" {
		return []string{value}, Variable(name)
	}
	return nil, ""
}

// given reports whether a flag or its variable is set.
func (r *reader) given(name string) bool {
	values, _ := r.look(name)
	return len(values) > 0
}

// last is the value that holds where a flag is given several times.
func (r *reader) last(name string) (value, origin string, ok bool) {
	values, origin := r.look(name)
	if len(values) == 0 {
		return "", "", false
	}
	return values[len(values)-1], origin, true
}

func (r *reader) text(name, fallback string) string {
	value, origin, ok := r.last(name)
	switch {
	case ok && value == "": // of a script's variable that is not set, say; to pass over it would do something else
		r.refuse(name, word(name), "%s is empty", origin)
	case ok:
		return value
	}
	return fallback
}

func (r *reader) turnedOn(name string) bool {
	value, origin, ok := r.last(name)
	if !ok {
		return false
	}
	on, err := strconv.ParseBool(value)
	if err != nil {
		r.refuse(name, "true", "%s is %q: it is on or off, so true or false", origin, value)
	}
	return on
}

func (r *reader) choice(name string, choices ...string) string {
	value, origin, ok := r.last(name)
	if !ok {
		return choices[0]
	}
	if !slices.Contains(choices, value) {
		r.refuse(name, cmp.Or(migrate.Nearest(value, 2, choices...), choices[0]), "%s is %q: it can be %s", origin, value, strings.Join(choices, ", "))
	}
	return value
}

func (r *reader) whole(name string, fallback, least, most int64) int64 {
	value, origin, ok := r.last(name)
	if !ok {
		return fallback
	}
	n, err := strconv.ParseInt(value, 10, 64)
	bound := word(name)
	if fallback > 0 { // else nobody but the user knows a value
		bound = strconv.FormatInt(min(max(n, least), most), 10)
	}
	switch {
	case err != nil:
		r.refuse(name, word(name), "%s is %q: a whole number is needed", origin, value)
	case n < least:
		r.refuse(name, bound, "%s is %d: at least %d is needed", origin, n, least)
	case n > most:
		r.refuse(name, bound, "%s is %d: at most %d is possible", origin, n, most)
	}
	return n
}

func (r *reader) number(name string, fallback, least, most float64) float64 {
	value, origin, ok := r.last(name)
	if !ok {
		return fallback
	}
	n, err := strconv.ParseFloat(value, 64)
	switch {
	case err != nil || math.IsNaN(n) || math.IsInf(n, 0):
		r.refuse(name, word(name), "%s is %q: a number is needed", origin, value)
	case n < least || n > most:
		r.refuse(name, fmt.Sprint(min(max(n, least), most)), "%s is %q: it goes from %g to %g", origin, value, least, most)
	}
	return n
}

func (r *reader) duration(name string, fallback, least, most time.Duration) time.Duration {
	value, origin, ok := r.last(name)
	if !ok {
		return fallback
	}
	d, err := time.ParseDuration(value)
	switch {
	case err != nil && value != "" && strings.Trim(value, "0123456789") == "":
		r.refuse(name, value+"s", "%s is %q: a time with its unit is needed, such as 30s, 15m or 24h", origin, value)
	case err != nil:
		r.refuse(name, word(name), "%s is %q: a time with its unit is needed, such as 30s, 15m or 24h", origin, value)
	case d < least:
		r.refuse(name, least.String(), "%s is %s: at least %s is needed", origin, value, least)
	case d > most:
		r.refuse(name, most.String(), "%s is %s: at most %s is possible", origin, value, most)
	}
	return d
}

func (r *reader) size(name string, fallback, least, most int64) int64 {
	value, origin, ok := r.last(name)
	if !ok {
		return fallback
	}
	n, err := ParseSize(value)
	switch {
	case err != nil:
		r.refuse(name, word(name), "%s is %q: a size is needed, such as 256MiB", origin, value)
	case n < least:
		r.refuse(name, strconv.FormatInt(least, 10), "%s is %s: at least %s is needed", origin, value, FormatSize(least))
	case n > most:
		r.refuse(name, strconv.FormatInt(most, 10), "%s is %s: at most %s is possible", origin, value, FormatSize(most))
	}
	return n
}

// list reads values that are separated by commas or by giving the flag again.
func (r *reader) list(name string) []string {
	values, origin := r.look(name)
	var items []string
	for _, value := range values {
		for item := range strings.SplitSeq(value, ",") {
			if item = strings.TrimLeft(item, " \t\r\n"); name != "map" { // a header may end in a space
				item = strings.TrimSpace(item)
			}
			if item = strings.TrimRight(item, "\r\n"); item != "" {
				items = append(items, item)
			}
		}
	}
	if len(values) > 0 && len(items) == 0 {
		r.refuse(name, word(name), "%s is empty", origin)
	}
	return items
}
