package simulator

import (
	"bytes"
	"cmp"
	_ "embed" // of flags.txt
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

// Flag is the text form of one field of Config, for a command line.
type Flag struct {
	Name  string // without dashes
	Value string // the kind of value: DURATION, SHARE, ...; empty: a switch, which needs no value
	Usage string
	Group string // heading for flags that belong together
	Set   func(text string) error
}

//go:embed flags.txt
var flagTable string

// Flags returns the flags that flags.txt describes: one for every field of c but SDKAppID, Key,
// Identifier, Accounts and the hooks. Set replaces the whole field of c; a wrong text changes
// nothing. It reads a value @FILE from the file, an entry from each line.
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
			field := reflect.ValueOf(c).Elem().FieldByName(words[len(words)-1])
			flags = append(flags, Flag{Name: words[0], Value: value, Group: group, Set: setter(field, value)})
		}
	}
	return flags
}

// shareFlags returns the flags that set the shares of faults.
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

// setShares replaces the shares of the faults of one kind. text is SHARE, or a list of CODE=SHARE
// or NAME=SHARE with commas.
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
		v, err := parseShare(share)
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

// setter returns a function that sets a field from its text, unless the text is wrong.
func setter(field reflect.Value, value string) func(text string) error {
	return func(text string) error {
		fresh := reflect.New(field.Type()).Elem()
		err := read(fresh, value, text)
		if err == nil {
			field.Set(fresh)
		}
		return err
	}
}

// read sets v from its text. value is the description of the value in flags.txt.
func read(v reflect.Value, value, text string) (err error) {
	switch into := v.Addr().Interface().(type) {
	case *string:
		*into = text
		return nil
	case *time.Duration:
		if *into, err = time.ParseDuration(text); err != nil || *into < 0 {
			return fmt.Errorf("%q is not a duration such as 1m30s", text)
		}
		return nil
	case *Set:
		*into, err = members(value, text)
		return err
	case *Window, *Span:
		return readRange(v, value, text)
	case *Outage: // FROM-TO[=FAULT]
		when, fault, given := strings.Cut(text, "=")
		into.Fault.Kind = FaultRefuse
		if err = readRange(v.FieldByName("Window"), value, when); err == nil && given {
			into.Fault, err = ParseFault(fault)
		}
		return err
	case *Change: // TIME=VALUE
		when, what, ok := strings.Cut(text, "=")
		if !ok {
			return fmt.Errorf("%q is not TIME=VALUE", text)
		}
		return cmp.Or(read(v.Field(0), value, when), read(v.Field(1), value, what))
	}
	switch v.Kind() {
	case reflect.Slice:
		for _, part := range split(text) {
			one := reflect.New(v.Type().Elem()).Elem()
			if err := read(one, value, part); err != nil {
				return err
			}
			v.Set(reflect.Append(v, one))
		}
		return nil
	case reflect.Bool, reflect.Uint8:
		return choose(v, value, text)
	}
	if value == "SHARE" {
		share, err := parseShare(text)
		v.SetFloat(share)
		return err
	}
	if json.Unmarshal([]byte(text), v.Addr().Interface()) != nil || v.CanFloat() && v.Float() < 0 {
		return fmt.Errorf("%q is not such a number", text)
	}
	return nil
}

// readRange reads FROM-TO. A range without TO has no end.
func readRange(v reflect.Value, value, text string) error {
	first, last, ok := strings.Cut(text, "-")
	from, to := v.Field(0), v.Field(1)
	err := read(from, value, first)
	if err == nil && last != "" {
		err = read(to, value, last)
	}
	if _, calls := v.Interface().(Span); calls && from.Int() < 1 {
		return fmt.Errorf("%q is not of the form 100-150, counted from 1", text)
	}
	if err != nil || !ok || last != "" && to.Int() <= from.Int() {
		return fmt.Errorf("%q is not of the form FROM-TO", text)
	}
	return nil
}

// choose sets v from one of the words of value: the first is the zero value, and so on. A switch
// needs no value.
func choose(v reflect.Value, value, text string) error {
	if value == "" {
		on, err := strconv.ParseBool(cmp.Or(text, "true"))
		if v.SetBool(on); err != nil {
			return fmt.Errorf("%q is not true or false", text)
		}
		return nil
	}
	words := strings.Split(value, "|")
	at := slices.Index(words, text)
	switch {
	case at < 0:
		return fmt.Errorf("%q is not one of %s", text, strings.Join(words, " "))
	case v.Kind() == reflect.Bool:
		v.SetBool(at == 1)
	default:
		v.SetUint(uint64(at))
	}
	return nil
}

// parseShare reads a share: 0.05 or 5%.
func parseShare(text string) (float64, error) {
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

// members reads a list, or the lines of a file with @. For APIs it accepts only their names, and an
// empty text means all of them.
func members(value, text string) (Set, error) {
	file, isFile := strings.CutPrefix(text, "@")
	switch {
	case value == "API,..." && text == "":
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

func split(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' })
}
