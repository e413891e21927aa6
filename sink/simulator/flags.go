package simulator

import (
	_ "embed" // of flags.txt
	"fmt"
	"reflect"
	"strings"
	"time"
)

// Flag is the text form of one field of Config, for a command line.
type Flag struct {
	Name  string // without dashes
	Value string // what the value is: DURATION, SHARE, ...; empty: a switch, which may stand alone
	Usage string
	Group string // of flags that belong together
	Set   func(text string) error
}

//go:embed flags.txt
var flagTable string

// Flags lists the flags that flags.txt describes: one for every field of c but SDKAppID, Key,
// Identifier, Accounts and the hooks. Set writes into c, each time the whole field; a wrong text
// changes nothing. It reads the file of a value @FILE, a line for each entry.
func (c *Config) Flags() (flags []Flag) {
	_, table, _ := strings.Cut(flagTable, "\n\n")
	names := strings.NewReplacer("BODYKINDS", strings.Join(BodyKinds(), " "),
		"RAWKINDS", strings.Join(RawKinds(), " "), "APINAMES", strings.Join(apiNames(), " "))
	group := ""
	for line := range strings.Lines(names.Replace(table)) {
		words := strings.Fields(line)
		switch {
		case len(words) == 0:
		case words[0] == "#":
			group = strings.Join(words[1:], " ")
		case line[0] == ' ':
			f := &flags[len(flags)-1]
			f.Usage = strings.TrimSpace(f.Usage + " " + strings.Join(words, " "))
		default:
			value := strings.Join(words[1:len(words)-1], " ")
			field := reflect.ValueOf(c).Elem().FieldByName(words[len(words)-1]).Addr().Interface()
			flags = append(flags, Flag{Name: words[0], Value: value, Group: group, Set: c.setter(field, value)})
		}
	}
	return flags
}

// setter sets a field to what a text says; value is what its flag's value is.
func (c *Config) setter(field any, value string) func(text string) error {
	switch into := field.(type) {
	case *string:
		return set(into, plain)
	case *int:
		return set(into, number)
	case *int64:
		return set(into, number)
	case *uint64:
		return set(into, number)
	case *float64:
		if value == "SHARE" {
			return set(into, portion)
		}
		return set(into, number)
	case *time.Duration:
		return set(into, duration)
	case *[]time.Duration:
		return set(into, commas(duration))
	case *Window:
		return set(into, window)
	case *[]Span:
		return set(into, commas(calls))
	case *[]Outage:
		return set(into, commas(outage))
	case *[]KeyChange:
		return set(into, commas(keyChange))
	case *[]LimitChange:
		return set(into, commas(limitChange))
	case *Set:
		return set(into, members(value))
	case *map[int]float64:
		return set(into, shares(c.kindIn(field), func(f Fault) int { return f.Code }))
	case *map[string]float64:
		return set(into, shares(c.kindIn(field), func(f Fault) string { return f.Name }))
	case *bool:
		if value == "" {
			return set(into, toggle)
		}
	}
	return choice(reflect.ValueOf(field).Elem(), strings.Split(value, "|"))
}

// set sets a field to what parse makes of a text, if that is no error.
func set[T any](into *T, parse func(string) (T, error)) func(text string) error {
	return func(text string) error {
		v, err := parse(text)
		if err == nil {
			*into = v
		}
		return err
	}
}

// choice sets a field to one of some words: the first is the zero value, and so on. Of a bool the
// second is true.
func choice(into reflect.Value, words []string) func(text string) error {
	return func(text string) error {
		for i, w := range words {
			if w != text {
				continue
			}
			if into.Kind() == reflect.Bool {
				into.SetBool(i == 1)
			} else {
				into.SetUint(uint64(i))
			}
			return nil
		}
		return fmt.Errorf("%q is not one of %s", text, strings.Join(words, " "))
	}
}
