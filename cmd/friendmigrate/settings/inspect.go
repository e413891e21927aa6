package settings

import (
	"slices"
	"strings"
)

const (
	groupState = "the job"
	groupShown = "what is shown"
)

func stateFlag() Flag {
	return Flag{Name: "state", Value: "FOLDER", Default: DefaultState, Usage: "of the job; with shards all of them are meant, or one by its own folder", Group: groupState, TakesFile: true}
}

// Status is what status is told.
type Status struct {
	State string
	JSON  bool
	Watch bool
}

// StatusFlags describes the flags of status.
func StatusFlags() []Flag {
	return []Flag{
		stateFlag(),
		jsonFlag(groupShown),
		{Name: "watch", Kind: Switch, Usage: "show it again each second until the job has ended; where the output is no terminal, a line (with --json an object) each time", Group: groupShown},
	}
}

// ReadStatus reads and checks the settings of status.
func ReadStatus(v Values) (Status, error) {
	r := &reader{Values: v}
	s := Status{State: r.text("state", DefaultState), JSON: r.turnedOn("json"), Watch: r.turnedOn("watch")}
	return s, r.err()
}

// The forms in which failures can be printed.
const (
	FormSummary = "summary"
	FormCSV     = "csv"
	FormJSONL   = "jsonl"
)

// Failures is what failures is told.
type Failures struct {
	State    string
	Form     string
	JSON     bool     // the summary as JSON
	Codes    []int    // empty: all
	Accounts []string // empty: all
}

// FailuresFlags describes the flags of failures.
func FailuresFlags() []Flag {
	return []Flag{
		stateFlag(),
		{Name: "code", Value: "CODES", Usage: "only those with these ResultCodes, such as 30003,30010", Group: groupShown},
		{Name: "account", Value: "ID", Usage: "only those from or to this account; may be given again", Group: groupShown},
		{Name: "output-format", Value: "FORM", Default: FormSummary, Usage: "summary: a count, an example and advice for each code; csv or jsonl: the list itself, which import accepts", Group: groupShown},
		jsonFlag(groupShown),
	}
}

// ReadFailures reads and checks the settings of failures.
func ReadFailures(v Values) (Failures, error) {
	r := &reader{Values: v}
	s := Failures{State: r.text("state", DefaultState), JSON: r.turnedOn("json"), Form: r.choice("output-format", FormSummary, FormCSV, FormJSONL)}
	s.Accounts, _ = r.look("account") // ids may hold commas
	if slices.Contains(s.Accounts, "") {
		r.refuse("account", word("account"), "--account is empty")
	}
	if list := strings.Join(r.list("code"), ","); list != "" {
		codes, on, err := ParseCodes(list)
		if err != nil || !on {
			r.refuse("code", word("code"), "--code is %q: ResultCodes separated by commas are needed, such as 30003,30010", list)
		}
		s.Codes = codes
	}
	if s.JSON && s.Form != FormSummary {
		r.refuse("json", "", "--json is a form of the summary; a list as JSON is --output-format jsonl")
	}
	return s, r.err()
}

// Explain is what explain is told.
type Explain struct {
	State string
	JSON  bool
}

// ExplainFlags describes the flags of explain.
func ExplainFlags() []Flag { return []Flag{stateFlag(), jsonFlag(groupShown)} }

// ReadExplain reads and checks the settings of explain.
func ReadExplain(v Values) (Explain, error) {
	r := &reader{Values: v}
	s := Explain{State: r.text("state", DefaultState), JSON: r.turnedOn("json")}
	return s, r.err()
}

// UndoList is what undo-list is told.
type UndoList struct {
	State     string
	Uncertain bool
}

// UndoListFlags describes the flags of undo-list.
func UndoListFlags() []Flag {
	return []Flag{
		stateFlag(),
		{Name: "uncertain", Kind: Switch, Usage: "also pairs that were found in place after a call without an answer: this job or somebody before it made them", Group: groupShown},
	}
}

// ReadUndoList reads and checks the settings of undo-list.
func ReadUndoList(v Values) (UndoList, error) {
	r := &reader{Values: v}
	s := UndoList{State: r.text("state", DefaultState), Uncertain: r.turnedOn("uncertain")}
	return s, r.err()
}

// Clean is what clean is told.
type Clean struct {
	State      string
	Unfinished bool
}

// CleanFlags describes the flags of clean.
func CleanFlags() []Flag {
	return []Flag{
		stateFlag(),
		{Name: "unfinished", Kind: Switch, Usage: "also of a job with pending edges, which then needs its input to go on", Group: groupState, NoVariable: true},
	}
}

// ReadClean reads and checks the settings of clean. What lets an unfinished job be cleaned is a flag only: a variable would stay set.
func ReadClean(v Values) (Clean, error) {
	_, told := v.Flags["unfinished"]
	r := &reader{Values: v}
	s := Clean{State: r.text("state", DefaultState), Unfinished: told && r.turnedOn("unfinished")}
	return s, r.err()
}
