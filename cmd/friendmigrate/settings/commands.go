package settings

import (
	"fmt"
	"io/fs"
	"strings"
)

// Flags declares the flags of a command, in the order of its help text.
func Flags(command string) []Flag { return (&Settings{command: command}).Flags() }

// Read reads and checks the settings of a command, as ReadInto does.
func Read(command string, v Values, root fs.FS) (Settings, error) {
	s := Settings{command: command}
	err := ReadInto(&s, v, root)
	return s, err
}

func (s *Settings) setProbe(pair string) error {
	from, to, found := strings.Cut(pair, ",")
	if !found || from == "" || to == "" || from == to {
		return fmt.Errorf("is %q: it is FROM,TO, two different accounts of the app that are there for tests", pair)
	}
	s.Probe, s.From, s.To = true, from, to
	return nil
}

// The forms in which failures can be printed.
const (
	FormSummary = "summary"
	FormCSV     = "csv"
	FormJSONL   = "jsonl"
)

func (s *Settings) setCodes(values []string) error {
	list, err := items(values, strings.TrimSpace)
	if err != nil {
		return err
	}
	given := strings.Join(list, ",")
	codes, on, err := ParseCodes(given)
	if err != nil || !on {
		return fmt.Errorf("is %q: ResultCodes separated by commas are needed, such as 30003,30010", given)
	}
	s.Codes = codes
	return nil
}

// addAccount takes an id as it is: it may hold commas.
func (s *Settings) addAccount(id string) error {
	s.Account = append(s.Account, id)
	if id == "" {
		return errEmpty
	}
	return nil
}
