package settings

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"friendmigrate/migrate"
	"friendmigrate/source/objects"
)

// Setter sets a setting from the values of a flag, of which there is at least one. Its error is
// printed after the name of the flag or the variable. The setting is unspecified after an error.
type Setter func(values []string) error

var errEmpty = errors.New("is empty")

// Last returns a Setter for a flag whose last value counts.
func Last(set func(value string) error) Setter {
	return func(values []string) error { return set(values[len(values)-1]) }
}

// instead is an error with a better value, for a hint. With "" the hint leaves the flag out.
type instead struct {
	error
	value string
}

// Instead adds to an error the value that a hint should show; with "" the hint leaves the flag out.
// For an error without one the hint shows the placeholder of the flag's syntax, since only the user
// knows the value.
func Instead(value string, err error) error { return &instead{error: err, value: value} }

// File returns a Setter for the path of a file or folder. See Path.
func File(to *string) Setter {
	set := Text(to)
	return func(values []string) error {
		err := set(values)
		if err == nil && objects.IsName(strings.ToLower(*to)) {
			err = fmt.Errorf("is %q: it takes what is on this machine's disk", *to)
		}
		*to = Path(*to)
		return err
	}
}

// Path returns a path that the user gave without "..", except at its beginning, so that all that use
// it mean one file: the kernel follows a symlink before "..", and filepath.Join removes its name. Path
// does as the kernel where the folder exists, and as filepath.Join where it does not.
func Path(name string) string {
	at := strings.LastIndex("/"+name+"/", "/../")
	if at < 0 || objects.IsName(name) {
		return name
	}
	folder, rest := name[:at+len("..")], name[at+len(".."):]
	if resolved, err := filepath.EvalSymlinks(folder); err == nil {
		folder = resolved
	}
	if folder = filepath.Clean(folder); folder == "/" && rest != "" {
		return rest
	}
	return folder + rest // not joined: "./-" is a file, and "-" is not
}

// Each returns a Setter that passes every value to set. It joins the errors.
func Each(set func(value string) error) Setter {
	return func(values []string) error {
		var all []error
		for _, value := range values {
			all = append(all, set(value))
		}
		return errors.Join(all...)
	}
}

// Text returns a Setter for a path, a URL or a name. It refuses "", which may come from an unset
// variable of a script: ignoring it would do something else than was meant. So would using a
// control character, such as the CR that a file with line ends of Windows leaves in a variable.
func Text(to *string) Setter {
	return Last(func(value string) error {
		if value == "" {
			return errEmpty
		}
		if *to = value; !strings.ContainsFunc(value, unicode.IsControl) {
			return nil
		}
		*to = strings.Join(strings.FieldsFunc(value, unicode.IsControl), "") // so that nothing else is reported
		if *to == "" || strings.Contains(*to, "@") || looksLikeKey(*to) {    // a password perhaps
			return errors.New("has a control character in it (its value is not shown)")
		}
		return Instead(*to, fmt.Errorf("is %q, which has a control character in it", value))
	})
}

// Checked returns a Setter for a text that check accepts.
func Checked(to *string, check func(string) error) Setter {
	return Last(quoted(func(value string) error {
		*to = value
		return check(value)
	}))
}

// quoted adds a refused value to its error.
func quoted(set func(string) error) func(string) error {
	return func(value string) error {
		if err := set(value); err != nil {
			return fmt.Errorf("is %q: %w", value, err)
		}
		return nil
	}
}

// On returns a Setter for a switch.
func On(to *bool) Setter {
	return Last(func(value string) error {
		on, err := strconv.ParseBool(value)
		if err != nil {
			return Instead("true", fmt.Errorf("is %q: it is on or off, so true or false", value))
		}
		*to = on
		return nil
	})
}

func choice(to *string, choices ...string) Setter {
	return Checked(to, func(value string) error {
		if !slices.Contains(choices, value) {
			return Instead(cmp.Or(migrate.Nearest(value, 2, choices...), choices[0]),
				fmt.Errorf("it can be %s", strings.Join(choices, ", ")))
		}
		return nil
	})
}

type whole interface{ ~int | ~int64 | ~uint64 }

// Whole returns a Setter for a whole number from least to most.
func Whole[N whole](to *N, least, most int64) Setter {
	parse := func(s string) (int64, error) { return strconv.ParseInt(s, 10, 64) }
	write := func(n int64) string { return strconv.FormatInt(n, 10) }
	return within(to, parse, write, least, most, "a whole number is needed")
}

// Duration returns a Setter for a time from least to most.
func Duration(to *time.Duration, least, most time.Duration) Setter {
	parse := func(s string) (int64, error) { d, err := time.ParseDuration(s); return int64(d), err }
	write := func(n int64) string { return time.Duration(n).String() }
	set := within(to, parse, write, int64(least), int64(most),
		"a time with its unit is needed, such as 30s, 15m or 24h")
	return Last(func(value string) error {
		err := set([]string{value})
		if n, whole := strconv.Atoi(value); err != nil && whole == nil && n > 0 {
			err = Instead(value+"s", err) // its unit is missing
		}
		return err
	})
}

// size returns a Setter for a number of bytes from least to most.
func size[N whole](to *N, least, most int64) Setter {
	return within(to, ParseSize, FormatSize, least, most, "a size is needed, such as 256MiB")
}

// within returns a Setter for a value from least to most. parse reads the value, write formats a
// bound for messages, and needed says what is needed if parse fails.
func within[N whole | float64, V int64 | float64](
	to *N, parse func(string) (V, error), write func(V) string, least, most V, needed string,
) Setter {
	return Last(func(value string) error {
		n, err := parse(value)
		switch {
		case err != nil:
			return fmt.Errorf("is %q: %s", value, needed)
		case n < least:
			return fmt.Errorf("is %s: at least %s is needed", value, write(least))
		case n > most:
			return fmt.Errorf("is %s: at most %s is possible", value, write(most))
		}
		*to = N(n)
		return nil
	})
}

func number(to *float64, least, most float64) Setter {
	parse := func(s string) (n float64, err error) {
		if n, err = strconv.ParseFloat(s, 64); math.IsNaN(n) {
			err = strconv.ErrSyntax
		}
		return n, err
	}
	write := func(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }
	return within(to, parse, write, least, most, "a number is needed")
}

// list returns a Setter for values that are separated by commas or given in several flags.
func list(to *[]string) Setter {
	return func(values []string) (err error) {
		*to, err = items(values, strings.TrimSpace)
		return err
	}
}

// mapping returns a Setter for pairs NAME=HEADER.
func mapping(to *map[string]string) Setter {
	// A header may end in a space.
	trim := func(s string) string { return strings.TrimRight(strings.TrimLeft(s, " \t\r\n"), "\r\n") }
	return func(values []string) error {
		pairs, err := items(values, trim)
		all := []error{err}
		*to = nil
		for _, pair := range pairs {
			name, header, found := strings.Cut(pair, "=")
			name = strings.TrimSpace(name)
			if !found || name == "" || header == "" {
				all = append(all, fmt.Errorf("has %q: it is NAME=HEADER, the API's name and the header in the input, "+
					"such as From_Account=uid", pair))
				continue
			}
			if other, twice := (*to)[name]; twice && other != header {
				all = append(all, fmt.Errorf("names two headers for %s: %q and %q", name, other, header))
			}
			if *to == nil {
				*to = map[string]string{}
			}
			(*to)[name] = header
		}
		return errors.Join(all...)
	}
}

func items(values []string, trim func(string) string) (all []string, err error) {
	for item := range strings.SplitSeq(strings.Join(values, ","), ",") {
		if item = trim(item); item != "" {
			all = append(all, item)
		}
	}
	if len(all) == 0 {
		return nil, errEmpty
	}
	return all, nil
}

// ParseSize parses a number of bytes with or without a unit: kB, MB and GB are powers of 1000; KiB,
// MiB, GiB and their short forms (K, Ki and so on) are powers of 1024.
func ParseSize(s string) (int64, error) {
	digits := strings.TrimRight(s, "BbKkMmGgTtIi ")
	unit := strings.ToLower(strings.TrimSpace(s[len(digits):]))
	factor, known := map[string]float64{
		"": 1, "b": 1, "kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12,
		"k": 1 << 10, "ki": 1 << 10, "kib": 1 << 10, "m": 1 << 20, "mi": 1 << 20, "mib": 1 << 20,
		"g": 1 << 30, "gi": 1 << 30, "gib": 1 << 30, "t": 1 << 40, "ti": 1 << 40, "tib": 1 << 40,
	}[unit]
	n, err := strconv.ParseFloat(digits, 64)
	if err != nil || !known || n < 0 || n*factor >= math.MaxInt64 || math.IsNaN(n) {
		return 0, fmt.Errorf("read size %q: not a number of bytes", s)
	}
	return int64(n * factor), nil
}

// FormatSize formats a number of bytes for people, in units of 1024.
func FormatSize(n int64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	value, unit := float64(n), 0
	for value >= 1024 && unit < len(units)-1 {
		value /= 1024
		unit++
	}
	if value == math.Trunc(value) || value >= 100 {
		return fmt.Sprintf("%.0f %s", value, units[unit])
	}
	return fmt.Sprintf("%.1f %s", value, units[unit])
}
