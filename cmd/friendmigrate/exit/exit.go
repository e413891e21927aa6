// Package exit holds the one table of exit codes: what each means, whether running the same command again helps, and which one speaks where several
// apply. The help text, the command's last line and everything that is generated for a scheduler read it from here.
//
// It never ends a process: os.Exit is main's alone.
package exit

import "slices"

// Code is a process exit code that scripts and schedulers rely on.
type Code int

// The exit codes.
const (
	Done       Code = 0
	Unexpected Code = 1
	Unusable   Code = 2
	Exceptions Code = 3
	Unfinished Code = 4
	Different  Code = 5
	Systematic Code = 6
	OtherJob   Code = 10
	InUse      Code = 11
	Refused    Code = 12
)

// Row is one line of the table.
type Row struct {
	Code    Code
	Meaning string
	Again   string // whether to run the same command again; empty: there is nothing to run
}

// Table lists all codes in ascending order.
func Table() []Row {
	return []Row{
		{Done, "every edge is in place (also: nothing to do)", ""},
		{Unexpected, "unexpected: a bug, a full disk, an I/O error, a damaged or newer state", "after mending"},
		{Unusable, "flags, settings or input that cannot be used", "no"},
		{Exceptions, "finished; some edges failed or some rows were rejected, and the lists say which", "no"},
		{Unfinished, "not finished: a signal, --max-duration, unreachable, or an outage longer than --outage-timeout", "yes, the same command resumes"},
		{Different, "verify found edges missing or different", "no"},
		{Systematic, "stopped because failures look systematic: a threshold, or whole chunks refused edge by edge", "after looking at the list"},
		{OtherJob, "the state folder belongs to another job", "no"},
		{InUse, "the state folder is in use by another process", "later"},
		{Refused, "credentials, admin right, app, quota or region refused", "no"},
	}
}

// Gravest returns the code that speaks where several apply.
func Gravest(codes ...Code) Code {
	order := []Code{Unusable, OtherJob, InUse, Unexpected, Refused, Systematic, Unfinished, Different, Exceptions}
	for _, c := range order {
		if slices.Contains(codes, c) {
			return c
		}
	}
	return Done
}
