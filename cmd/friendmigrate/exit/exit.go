// Package exit holds how a command ends: the one table of exit codes, with what each means, whether
// running the same command again helps, and which one wins if several apply. It also holds the
// command line as the user wrote it. Hints are made from it, quoted so that a POSIX shell reads
// them back unchanged.
//
// It never ends a process: only main calls os.Exit.
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
	Systematic Code = 6 // when a run ends so is decided in migrate/brake.go
	OtherJob   Code = 10
	InUse      Code = 11
	Refused    Code = 12
)

// In a pod Unusable is replaced by PodUnusable if PodVariable is set. Go's runtime also ends a
// program with 2: when it aborts, or when a signal comes in the first milliseconds. A rule that
// fails a Job permanently must not take that for unusable settings.
const (
	PodUnusable Code = 78 // EX_CONFIG of sysexits.h
	PodVariable      = "FRIENDMIGRATE_POD_EXIT_CODES"
)

// Variables that the manifest sets in a pod, for hints.
const (
	NamespaceVariable = "FRIENDMIGRATE_POD_NAMESPACE"
	JobVariable       = "FRIENDMIGRATE_POD_JOB"
)

// Status returns the exit status of the process.
func (c Code) Status(env map[string]string) int {
	if c == Unusable && env[PodVariable] != "" {
		return int(PodUnusable)
	}
	return int(c)
}

// Rerun says what a scheduler should do about a code.
type Rerun uint8

// What a scheduler does.
const (
	Finish  Rerun = iota // nothing is left to run
	Retry                // run the same command again: what stopped it may be temporary
	GiveUp               // do not run it again: the same command would end the same way
	StopAll              // do not, and stop the other shards of the job too: what stopped this one stops all
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
		{Unusable, "unusable", "flags, settings or input that cannot be used, input that holds nothing, or undo " +
			"without --yes of what can be undone", "no", GiveUp},
		{Exceptions, "exceptions", "finished; some edges failed or some rows were rejected, and the lists say which",
			"no", GiveUp},
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

// Codes returns the codes for which a scheduler should do one of these, in ascending order.
func Codes(what ...Rerun) []Code {
	var codes []Code
	for _, row := range Table() {
		if slices.Contains(what, row.Rerun) {
			codes = append(codes, row.Code)
		}
	}
	return codes
}

// Gravest returns the code that wins if several apply.
func Gravest(codes ...Code) Code {
	order := []Code{Unusable, OtherJob, InUse, Unexpected, Refused, Systematic, Unfinished, Different, Exceptions}
	for _, c := range order {
		if slices.Contains(codes, c) {
			return c
		}
	}
	return Done
}
