package inspect

import (
	"maps"
	"slices"
	"strings"

	"friendmigrate/checkpoint"
	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/source"
)

// Again is what the state knows of the command line that made it: what a row means, and the inputs.
// The service, its key and the pace are not in it.
type Again struct {
	Options map[string]string // flags by name with their dashes, those only that are not as by default
	Inputs  []string
}

// MostNamed is how many inputs a hint names. Those of a folder are many.
const MostNamed = 5

// Again tells how the job was called, with INPUT in place of inputs that are many, or not known.
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

// AgainOf tells it of one job. Without a journal only the inputs are known.
func AgainOf(journal *checkpoint.Journal, counts source.Counts) Again {
	a := Again{Options: map[string]string{}}
	if journal != nil {
		usual := source.Options{}.Canonical()
		for flag, value := range journal.Identity().Options {
			if value != usual[flag] && strings.HasPrefix(flag, "--") { // others are no flags
				a.Options[flag] = value
			}
		}
	}
	for _, in := range counts.Inputs {
		a.Inputs = append(a.Inputs, in.Name)
	}
	return a
}

// On is a command line with it.
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
