package simulator

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
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
	if text == "" {
		return true, nil
	}
	v, err := strconv.ParseBool(text)
	if err != nil {
		err = fmt.Errorf("%q is not true or false", text)
	}
	return v, err
}

func number[N int | int64 | uint64 | float64](text string) (v N, err error) {
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

// window reads FROM-TO; without TO it has no end.
func window(text string) (Window, error) {
	from, to, ok := strings.Cut(text, "-")
	var w Window
	var err, endErr error
	w.From, err = duration(from)
	if to != "" {
		w.To, endErr = duration(to)
	}
	if err := errors.Join(err, endErr); err != nil || !ok || w.To != 0 && w.To <= w.From {
		return Window{}, fmt.Errorf("%q is not a window such as 10s-30s", text)
	}
	return w, nil
}

// callSpan reads N-M; without M it has no end.
func callSpan(text string) (Span, error) {
	from, to, ok := strings.Cut(text, "-")
	var s Span
	var err, endErr error
	s.From, err = number[int64](from)
	if to != "" {
		s.To, endErr = number[int64](to)
	}
	if errors.Join(err, endErr) != nil || !ok || s.From < 1 || to != "" && s.To <= s.From {
		return Span{}, fmt.Errorf("%q is not a span of calls such as 100-150", text)
	}
	return s, nil
}

// outage reads FROM-TO[=FAULT].
func outage(text string) (Outage, error) {
	when, fault, given := strings.Cut(text, "=")
	o := Outage{Fault: Fault{Kind: FaultRefuse}}
	var err error
	if o.Window, err = window(when); err == nil && given {
		o.Fault, err = ParseFault(fault)
	}
	return o, err
}

// keyChange reads TIME=FILE.
func keyChange(text string) (k KeyChange, err error) {
	at, file, err := pair(text)
	if err == nil {
		k.At, err = duration(at)
	}
	if err == nil {
		k.Key, err = readText(file)
	}
	k.Key = strings.TrimSpace(k.Key)
	return k, err
}

// limitChange reads TIME=N.
func limitChange(text string) (l LimitChange, err error) {
	at, limit, err := pair(text)
	if err == nil {
		l.At, err = duration(at)
	}
	if err == nil {
		l.Limit, err = number[float64](limit)
	}
	return l, err
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

// shares reads KEY=SHARE,... where the key is a code or a name of faults of a class.
func shares[K comparable](kind FaultKind, key func(Fault) K) func(string) (map[K]float64, error) {
	return func(text string) (map[K]float64, error) {
		m := map[K]float64{}
		for _, part := range split(text) {
			name, share, err := pair(part)
			if err != nil {
				return nil, err
			}
			f, err := ParseFault(faultNames[kind] + ":" + name)
			if err != nil {
				return nil, err
			}
			v, err := portion(share)
			if err != nil {
				return nil, err
			}
			m[key(f)] += v
		}
		return m, nil
	}
}

// choice is a flag with one of some words: the first is the zero value, and so on.
func choice[T ~uint8](name, words, usage string, into *T) Flag {
	return flag(name, words, usage, into, func(text string) (T, error) {
		i, err := word(words, text)
		return T(i), err
	})
}

// either is a flag with one of two words: the second is true.
func either(name, words, usage string, into *bool) Flag {
	return flag(name, words, usage, into, func(text string) (bool, error) {
		i, err := word(words, text)
		return i == 1, err
	})
}

func word(words, text string) (int, error) {
	i := slices.Index(strings.Split(words, "|"), text)
	if i < 0 {
		return 0, fmt.Errorf("%q is not one of %s", text, strings.ReplaceAll(words, "|", " "))
	}
	return i, nil
}

// set reads a list, or with @ the lines of a file.
func set(text string) (Set, error) {
	file, ok := strings.CutPrefix(text, "@")
	if !ok {
		return NewSet(split(text)...), nil
	}
	content, err := readText(file)
	if err != nil {
		return nil, err
	}
	s := NewSet(strings.Split(strings.ReplaceAll(content, "\r\n", "\n"), "\n")...)
	delete(s, "")
	return s, nil
}

// tags is set, or any for no set at all.
func tags(text string) (Set, error) {
	if text == "any" {
		return nil, nil
	}
	return set(text)
}

// apis reads names of APIs; nothing is all of them.
func apis(text string) (Set, error) {
	names := split(text)
	for _, name := range names {
		if !slices.Contains(apiNames(), name) {
			return nil, fmt.Errorf("%q is not one of %s", name, strings.Join(apiNames(), " "))
		}
	}
	if len(names) == 0 {
		return nil, nil
	}
	return NewSet(names...), nil
}

func apiNames() (names []string) {
	for c := range maps.Values(commands) {
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

// split cuts at commas; nothing is an empty list.
func split(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, ",")
}

// pair reads KEY=VALUE.
func pair(text string) (key, value string, err error) {
	key, value, ok := strings.Cut(text, "=")
	if !ok {
		err = fmt.Errorf("%q is not KEY=VALUE", text)
	}
	return key, value, err
}
