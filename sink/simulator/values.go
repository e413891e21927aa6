package simulator

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

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
func interval[T int64 | time.Duration](text string, parse func(string) (T, error), like string) (r Range[T], err error) {
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
