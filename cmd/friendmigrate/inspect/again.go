package inspect

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"friendmigrate/checkpoint"
	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/source"
	"friendmigrate/source/objects"
)

// Again is the part of a job's command line that its state records: the command, the meaning of a
// row, and the inputs. It does not hold the service, its key or the pace.
type Again struct {
	Command string            // import or update
	Shard   settings.Shard    // of the state
	Options map[string]string // flags that differ from their defaults, by name with dashes
	Inputs  []string          // INPUT: they are too many to name, or not known
	Undone  bool              // an undo has begun, so the command is refused
}

// mostNamed is the largest number of inputs that a hint names. A folder may have many.
const mostNamed = 5

// AfterUndo is the comment of the hint undo on a job that was undone, where an import is refused.
const AfterUndo = " # the job was undone: says what is left to delete"

// Again returns how the job was called, for its first shard with failed edges if there is one.
func (jobs Jobs) Again() Again {
	known := slices.DeleteFunc(slices.Clone(jobs), func(j *Job) bool { return j.Journal == nil })
	if len(known) == 0 {
		return AgainOf(nil, source.Counts{})
	}
	failed := slices.IndexFunc(known, func(j *Job) bool { return j.Journal.Totals().Failed > 0 })
	j := known[max(0, failed)]
	a := AgainOf(j.Journal, j.Counts)
	a.Undone = j.Undone != nil
	return a
}

// AgainOf returns the same for one state. Without a journal only the inputs are known.
func AgainOf(journal *checkpoint.Journal, counts source.Counts) Again {
	a, dir := Again{Command: "import", Options: map[string]string{}}, ""
	if journal != nil {
		if runs := journal.Runs(); len(runs) > 0 {
			dir = runs[0].Start.Dir
		}
		id := journal.Identity()
		a.Command, a.Shard = id.Command(), settings.Shard{Index: id.Shard, Count: id.Shards}
		usual := source.Options{}.Canonical()
		for flag, value := range id.Options {
			noFlag := !strings.HasPrefix(flag, "--") || flag == "--default-add-source" && a.Command == "update"
			if value != usual[flag] && !noFlag {
				a.Options[flag] = value
			}
		}
	}
	for _, in := range counts.Inputs {
		if elsewhere(dir) && !filepath.IsAbs(in.Name) && in.Name != source.Standard && !objects.IsName(in.Name) {
			in.Name = filepath.Join(dir, in.Name)
		}
		a.Inputs = append(a.Inputs, in.Name)
	}
	if n := len(a.Inputs); n == 0 || n > mostNamed {
		a.Inputs = []string{"INPUT"}
	}
	return a
}

// On returns a command line with these options and inputs added.
func (a Again) On(l exit.CommandLine) exit.CommandLine {
	for _, flag := range slices.Sorted(maps.Keys(a.Options)) {
		value := a.Options[flag]
		if value == "true" {
			value = "" // a switch
		}
		l = l.With(strings.TrimPrefix(flag, "--"), value)
	}
	return l.Of(a.Inputs...)
}

// elsewhere reports whether a folder is there and is not the working folder.
func elsewhere(dir string) bool {
	its, err := os.Stat(dir)
	here, failed := os.Stat(".")
	return err == nil && failed == nil && !os.SameFile(its, here)
}

// hintOf returns the hint of a run that was called in the folder dir, for the working folder.
func hintOf(dir, hint string) string {
	anywhere := hint == "" || strings.HasPrefix(hint, exit.NothingToRun) || strings.HasPrefix(hint, "kubectl ")
	if anywhere || !elsewhere(dir) {
		return hint
	}
	return "cd " + exit.Quote(dir) + " && " + hint
}
