package simulator

import (
	_ "embed" // of flags.txt
	"fmt"
	"maps"
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
	group := ""
	for line := range strings.Lines(strings.ReplaceAll(table, "APINAMES", strings.Join(apiNames(), " "))) {
		words := strings.Fields(line)
		switch {
		case len(words) == 0:
		case words[0] == "#":
			group = strings.Join(words[1:], " ")
		case words[0] == "FAULTS":
			flags = append(flags, c.shareFlags(group)...)
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

// shareFlags are the flags that give faults their shares.
func (c *Config) shareFlags(group string) (flags []Flag) {
	for kind, k := range faultKinds {
		set := func(applied bool) func(string) error {
			return func(text string) error { return c.setShares(FaultKind(kind), applied, text) }
		}
		if k.flag != "" {
			flags = append(flags, Flag{k.flag, k.value, k.usage, group, set(false)})
		}
		if k.flag != "" && !k.always {
			flags = append(flags,
				Flag{k.flag + "-applied", k.value, "the same although the call was done", group, set(true)})
		}
	}
	return flags
}

// setShares gives faults of one kind their shares, in place of those that they had: SHARE, or
// CODE=SHARE or NAME=SHARE with commas between them.
func (c *Config) setShares(kind FaultKind, applied bool, text string) error {
	shares := maps.Clone(c.Shares)
	maps.DeleteFunc(shares, func(text string, _ float64) bool {
		f, _ := ParseFault(text)
		return f.Kind == kind && f.Applied == applied
	})
	for _, part := range split(text) {
		fault, share := Fault{Kind: kind}, part
		if which, v, ok := strings.Cut(part, "="); ok || faultKinds[kind].value != "SHARE" {
			share = v
			if err := faultKinds[kind].read(&fault, which); err != nil {
				return fmt.Errorf("%q: %w", which, err)
			}
		}
		v, err := portion(share)
		if err != nil {
			return err
		}
		if shares == nil {
			shares = map[string]float64{}
		}
		fault.Applied = applied
		shares[fault.String()] += v
	}
	c.Shares = shares
	return nil
}

// setter sets a field to what a text says; value is what its flag's value is.
func (c *Config) setter(field any, value string) func(text string) error {
	switch into := field.(type) {
	case *string:
		return set(into, plain)
	case *int:
		return set(into, numeral)
	case *int64:
		return set(into, numeral)
	case *uint64:
		return set(into, numeral)
	case *float64:
		if value == "SHARE" {
			return set(into, portion)
		}
		return set(into, numeral)
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
	case *[]Change[string]:
		return set(into, commas(change(keyFile)))
	case *[]Change[float64]:
		return set(into, commas(change(numeral[float64])))
	case *Set:
		return set(into, members(value))
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
