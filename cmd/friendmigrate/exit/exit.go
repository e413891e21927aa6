// Package exit is how a command ends. It holds the one table of exit codes: what each means,
// whether running the same command again helps, and which one speaks where several apply. It also
// holds the command line as the user wrote it, from which hints are made: quoted so that a POSIX
// shell reads them back as they are.
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

// In a pod Unusable goes out as PodUnusable, if the variable says so. Go's runtime ends a program
// with 2 too: when it aborts, or when a signal comes in the first milliseconds. A rule that fails a
// Job for good must not take that for settings that cannot be used.
const (
	PodUnusable Code = 78 // EX_CONFIG of sysexits.h
	PodVariable      = "FRIENDMIGRATE_POD_EXIT_CODES"
)

// Status is what the process ends with.
func (c Code) Status(env map[string]string) int {
	if c == Unusable && env[PodVariable] != "" {
		return int(PodUnusable)
	}
	return int(c)
}

// Rerun is what a scheduler does about a code.
type Rerun uint8

// What a scheduler does.
const (
	Finish  Rerun = iota // nothing is left to run
	Retry                // run the same command again: what stopped it may pass
	GiveUp               // don't: the same command would end the same way
	StopAll              // don't, and stop the job's other shards too: what stopped this one is true of all of them
)

// Row is one line of the table.
type Row struct {
	Code    Code
	Word    string // for programs that would rather read than look up
	Meaning string
	Again   string // whether to run the same command again; empty: there is nothing to run
	Rerun   Rerun  // whether a scheduler should restart the job; nobody fixes anything in between
}

// Table lists all codes in ascending order.
func Table() []Row {
	return []Row{
		{Done, "done", "every edge is in place (also: nothing to do)", "", Finish},
		{Unexpected, "unexpected", "unexpected: a bug, a full disk, an I/O error, a damaged or newer state",
			"after fixing the cause", Retry},
		{Unusable, "unusable", "flags, settings or input that cannot be used, or input that holds nothing", "no",
			GiveUp},
		{Exceptions, "exceptions", "finished; some edges failed or some rows were rejected, and the lists say which",
			"no",
			GiveUp},
		{Unfinished, "unfinished",
			"not finished: a signal, --max-duration, unreachable, or an outage longer than --outage-timeout",
			"yes, the same command resumes", Retry},
		{Different, "different", "verify found edges missing or different", "no", GiveUp},
		{Systematic, "systematic",
			"stopped because failures look systematic: a threshold, nothing landing from the start, whole chunks " +
				"refused edge by edge", "after looking at the list", GiveUp},
		{OtherJob, "other-job", "the state folder belongs to another job", "no", GiveUp},
		{InUse, "in-use", "the state folder is in use by another process", "later", Retry},
		{Refused, "refused", "credentials, admin right, app, quota, region or proxy refused", "no", StopAll},
	}
}

// Codes lists the codes about which a scheduler does one of these, in ascending order.
func Codes(what ...Rerun) []Code {
	var codes []Code
	for _, row := range Table() {
		if slices.Contains(what, row.Rerun) {
			codes = append(codes, row.Code)
		}
	}
	return codes
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
