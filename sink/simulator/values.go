package simulator

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The readers of flags' values: each returns the Set of a Flag, which leaves the field as it was if
// the text is wrong.

func plain(into *string) func(string) error {
	return func(text string) error {
		*into = text
		return nil
	}
}

// toggle reads true or false; nothing is true.
func toggle(into *bool) func(string) error {
	return func(text string) error {
		if text == "" {
			text = "true"
		}
		v, err := strconv.ParseBool(text)
		if err != nil {
			return fmt.Errorf("%q is not true or false", text)
		}
		*into = v
		return nil
	}
}

func number[N int | int64 | uint64 | float64](into *N) func(string) error {
	return func(text string) error {
		var v N
		var err error
		switch p := any(&v).(type) {
		case *int:
			*p, err = strconv.Atoi(text)
		case *int64:
			*p, err = strconv.ParseInt(text, 10, 64)
		case *uint64:
			*p, err = strconv.ParseUint(text, 10, 64)
		case *float64:
			*p, err = strconv.ParseFloat(text, 64)
			if err == nil && !(*p >= 0 && *p <= 1e9) {
				err = strconv.ErrRange
			}
		}
		if err != nil {
			return fmt.Errorf("%q is not such a number", text)
		}
		*into = v
		return nil
	}
}

func duration(into *time.Duration) func(string) error {
	return func(text string) error {
		d, err := time.ParseDuration(text)
		if err != nil || d < 0 {
			return fmt.Errorf("%q is not a duration such as 1m30s", text)
		}
		*into = d
		return nil
	}
}

// portion reads a share: 0.05 or 5%.
func portion(into *float64) func(string) error {
	return func(text string) error {
		digits, percent := strings.CutSuffix(text, "%")
		v, err := strconv.ParseFloat(digits, 64)
		if percent {
			v /= 100
		}
		if err != nil || !(v >= 0 && v <= 1) {
			return fmt.Errorf("%q is not a share such as 0.05 or 5%%", text)
		}
		*into = v
		return nil
	}
}

// window reads FROM-TO; without TO it has no end.
func window(into *Window) func(string) error {
	return func(text string) error {
		from, to, ok := strings.Cut(text, "-")
		var w Window
		if err := duration(&w.From)(from); err != nil {
			return err
		}
		if to != "" {
			if err := duration(&w.To)(to); err != nil {
				return err
			}
		}
		if !ok || w.To != 0 && w.To <= w.From {
			return fmt.Errorf("%q is not a window such as 10s-30s", text)
		}
		*into = w
		return nil
	}
}

// spans reads N-M,...; without M one has no end.
func spans(into *[]Span) func(string) error {
	return func(text string) error {
		var list []Span
		for _, part := range split(text) {
			var s Span
			from, to, ok := strings.Cut(part, "-")
			err := number(&s.From)(from)
			if err == nil && to != "" {
				err = number(&s.To)(to)
			}
			if err != nil || !ok || s.From < 1 || to != "" && s.To <= s.From {
				return fmt.Errorf("%q is not a span of calls such as 100-150", part)
			}
			list = append(list, s)
		}
		*into = list
		return nil
	}
}

func times(into *[]time.Duration) func(string) error {
	return func(text string) error {
		var list []time.Duration
		for _, part := range split(text) {
			var d time.Duration
			if err := duration(&d)(part); err != nil {
				return err
			}
			list = append(list, d)
		}
		*into = list
		return nil
	}
}

// choice reads one of some words: the first is the zero value, and so on.
func choice[T ~uint8 | ~bool](into *T, words ...string) func(string) error {
	return func(text string) error {
		i := slices.Index(words, text)
		if i < 0 {
			return fmt.Errorf("%q is not one of %s", text, strings.Join(words, " "))
		}
		switch p := any(into).(type) {
		case *bool:
			*p = i == 1
		case *Reimport:
			*p = Reimport(i)
		case *DuplicateTo:
			*p = DuplicateTo(i)
		case *SelfTo:
			*p = SelfTo(i)
		case *Order:
			*p = Order(i)
		}
		return nil
	}
}

func set(into *Set) func(string) error {
	return func(text string) error {
		s, err := readSet(text)
		if err == nil {
			*into = s
		}
		return err
	}
}

// readSet reads a list, or with @ the lines of a file.
func readSet(text string) (Set, error) {
	file, ok := strings.CutPrefix(text, "@")
	if !ok {
		return NewSet(split(text)...), nil
	}
	content, err := readText(file)
	if err != nil {
		return nil, err
	}
	s := Set{}
	for line := range strings.Lines(content) {
		if line = strings.TrimRight(line, "\r\n"); line != "" {
			s[line] = struct{}{}
		}
	}
	return s, nil
}

func readText(file string) (string, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("read list: %w", err)
	}
	return string(bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))), nil
}

// split cuts at commas; nothing is an empty list.
func split(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, ",")
}

// pairs reads KEY=VALUE,...
func pairs(text string, each func(key, value string) error) error {
	for _, part := range split(text) {
		key, value, ok := strings.Cut(part, "=")
		if !ok {
			return fmt.Errorf("%q is not KEY=VALUE", part)
		}
		if err := each(key, value); err != nil {
			return err
		}
	}
	return nil
}

func apis(into *Set) func(string) error {
	return func(text string) error {
		if text == "" {
			*into = nil
			return nil
		}
		known := []string{apiImport, apiCheck, apiGet, apiUpdate, apiDelete, apiAccountCheck, apiAccountImport,
			apiAccountsImport}
		for _, name := range split(text) {
			if !slices.Contains(known, name) {
				return fmt.Errorf("%q is not one of %s", name, strings.Join(known, " "))
			}
		}
		*into = NewSet(split(text)...)
		return nil
	}
}

func code(text string) (int, error) {
	var c int
	err := number(&c)(text)
	return c, err
}

func status(text string) (int, error) {
	c, err := code(text)
	if err == nil && (c < 200 || c > 599) {
		err = fmt.Errorf("%q is not an HTTP status", text)
	}
	return c, err
}

func oneOf(names []string) func(string) (string, error) {
	return func(text string) (string, error) {
		if !slices.Contains(names, text) {
			return "", fmt.Errorf("%q is not one of %s", text, strings.Join(names, " "))
		}
		return text, nil
	}
}
