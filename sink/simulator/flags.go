package simulator

import (
	"bytes"
	"cmp"
	_ "embed" // of flags.txt
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strconv"
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

// The functions here read the texts of flags.

func plain(text string) (string, error) { return text, nil }

// toggle reads true or false; nothing is true.
func toggle(text string) (bool, error) {
	v, err := strconv.ParseBool(cmp.Or(text, "true"))
	if err != nil {
		err = fmt.Errorf("%q is not true or false", text)
	}
	return v, err
}

// numeral reads a number; one with a fraction must not be negative.
func numeral[N int | int64 | uint64 | float64](text string) (v N, err error) {
	f, fraction := any(&v).(*float64)
	if json.Unmarshal([]byte(text), &v) != nil || fraction && *f < 0 {
		err = fmt.Errorf("%q is not such a number", text)
	}
	return v, err
}

func duration(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%q is not a duration such as 1m30s", text)
	}
	return d, nil
}

// portion reads a share: 0.05 or 5%.
func portion(text string) (float64, error) {
	digits, percent := strings.CutSuffix(text, "%")
	v, err := strconv.ParseFloat(digits, 64)
	if percent {
		v /= 100
	}
	if err != nil || !(v >= 0 && v <= 1) {
		return 0, fmt.Errorf("%q is not a share such as 0.05 or 5%%", text)
	}
	return v, nil
}

// interval reads FROM-TO; without TO it has no end.
func interval[T int64 | time.Duration](text string, parse func(string) (T, error), like string) (
	r Range[T], err error) {
	first, last, ok := strings.Cut(text, "-")
	r.From, err = parse(first)
	if err == nil && last != "" {
		r.To, err = parse(last)
	}
	if err != nil || !ok || last != "" && r.To <= r.From {
		err = fmt.Errorf("%q is not of the form %s", text, like)
	}
	return r, err
}

func window(text string) (Window, error) { return interval(text, duration, "10s-30s") }

func calls(text string) (Span, error) {
	s, err := interval(text, numeral[int64], "100-150")
	if err == nil && s.From < 1 {
		err = errors.New("calls are counted from 1")
	}
	return s, err
}

// outage reads FROM-TO[=FAULT].
func outage(text string) (o Outage, err error) {
	when, fault, given := strings.Cut(text, "=")
	o.Fault.Kind = FaultRefuse
	if o.Window, err = window(when); err == nil && given {
		o.Fault, err = ParseFault(fault)
	}
	return o, err
}

// change reads TIME=VALUE.
func change[T any](parse func(string) (T, error)) func(string) (Change[T], error) {
	return func(text string) (c Change[T], err error) {
		when, what, ok := strings.Cut(text, "=")
		if !ok {
			return c, fmt.Errorf("%q is not TIME=VALUE", text)
		}
		if c.At, err = duration(when); err == nil {
			c.To, err = parse(what)
		}
		return c, err
	}
}

func keyFile(text string) (string, error) {
	key, err := readText(text)
	return strings.TrimSpace(key), err
}

// commas reads several values with commas between them; nothing is an empty list.
func commas[T any](parse func(string) (T, error)) func(string) ([]T, error) {
	return func(text string) (all []T, err error) {
		for _, part := range split(text) {
			v, err := parse(part)
			if err != nil {
				return nil, err
			}
			all = append(all, v)
		}
		return all, nil
	}
}

// members reads a list, or with @ the lines of a file. Of the APIs' names it takes no others, and
// nothing stands for all of them, as any does of tags.
func members(value string) func(text string) (Set, error) {
	return func(text string) (Set, error) {
		file, isFile := strings.CutPrefix(text, "@")
		switch {
		case value == "API,..." && text == "", strings.HasPrefix(value, "any|") && text == "any":
			return nil, nil
		case isFile:
			content, err := readText(file)
			s := NewSet(strings.Split(strings.ReplaceAll(content, "\r\n", "\n"), "\n")...)
			delete(s, "")
			return s, err
		}
		s := NewSet(split(text)...)
		for name := range s {
			if value == "API,..." && !slices.Contains(apiNames(), name) {
				return nil, fmt.Errorf("%q is not one of %s", name, strings.Join(apiNames(), " "))
			}
		}
		return s, nil
	}
}

func apiNames() (names []string) {
	for _, c := range commands {
		names = append(names, c.name)
	}
	slices.Sort(names)
	return names
}

func readText(file string) (string, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("read list: %w", err)
	}
	return string(bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))), nil
}

// split cuts at commas.
func split(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' })
}
