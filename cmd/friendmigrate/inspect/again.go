package inspect

import (
	"maps"
	"slices"
	"strings"

	"friendmigrate/checkpoint"
	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/source"
)

// Again is the part of the job's command line that the state records: the meaning of a row, and the
// inputs. It does not hold the service, its key or the pace.
type Again struct {
	Options map[string]string // flags that differ from their defaults, by name with dashes
	Inputs  []string
}

// MostNamed is the largest number of inputs that a hint names. A folder may have many.
const MostNamed = 5

// Again returns how the job was called, with INPUT instead of inputs that are too many or not
// known.
func (jobs Jobs) Again() Again {
	for _, j := range jobs {
		if n := len(j.counts.Inputs); j.Journal != nil && n > 0 {
			a := AgainOf(j.Journal, j.counts)
			if n > MostNamed {
				a.Inputs = []string{"INPUT"}
			}
			return a
		}
	}
	return Again{Inputs: []string{"INPUT"}}
}

// AgainOf returns the same for one state. Without a journal only the inputs are known.
func AgainOf(journal *checkpoint.Journal, counts source.Counts) Again {
	a := Again{Options: map[string]string{}}
	if journal != nil {
		usual := source.Options{}.Canonical()
		for flag, value := range journal.Identity().Options {
			if value != usual[flag] && strings.HasPrefix(flag, "--") { // others are not flags
				a.Options[flag] = value
			}
		}
	}
	for _, in := range counts.Inputs {
		a.Inputs = append(a.Inputs, in.Name)
	}
	return a
}

// On returns a command line with these options and inputs added.
func (a Again) On(l exit.Line) exit.Line {
	for _, flag := range slices.Sorted(maps.Keys(a.Options)) {
		value := a.Options[flag]
		if value == "true" {
			value = "" // a switch
		}
		l = l.With(strings.TrimPrefix(flag, "--"), value)
	}
	return l.Of(a.Inputs...)
}
