package job

import (
	"errors"
	"fmt"
	"strings"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/terminal"
	"friendmigrate/migrate"
	"friendmigrate/sink"
)

// Stop is how a run of calls ended.
type Stop struct {
	Err   error // nil: its plan is done
	Cause error // why the context ended, if it did
	Asks  bool  // the run only asks, so no edge stays pending without an answer
}

// Code returns the exit code of a run of the engine.
func (s Stop) Code() exit.Code {
	var stop *migrate.StopError
	var known *exit.Error
	switch {
	case s.Err == nil:
		return exit.Done
	case errors.As(s.Err, &stop):
		switch stop.Reason {
		case migrate.ReasonThreshold, migrate.ReasonSystematic:
			return exit.Systematic
		case migrate.ReasonRefused:
			return exit.Refused
		}
		return exit.Unfinished
	case errors.As(s.Err, &known):
		return known.Code
	}
	return exit.Unexpected
}

// Why returns the engine's reason in one word, or "" if it has none.
func (s Stop) Why() string {
	if stop := (*migrate.StopError)(nil); errors.As(s.Err, &stop) {
		return string(stop.Reason)
	}
	return ""
}

// Ending describes a run that stopped early. words turns the reason into a full sentence. Its What
// may quote a text of the service, which may name accounts; its Public does not.
func (s Stop) Ending(code exit.Code, words func(why string) string) exit.Ending {
	e := exit.Ending{Code: code, What: s.refusal() + words(s.text()), Why: s.Why()}
	if stop := (*migrate.StopError)(nil); errors.As(s.Err, &stop) {
		public := s.sentence(stop, unquoted[stop.Reason])
		switch {
		case stop.Code == 0:
		case stop.Brake != nil || stop.Reason == migrate.ReasonRefused:
			public += " " + withCode(stop.Code, stop.Brake != nil)
		default: // of the last of many calls
			public += ", last " + withCode(stop.Code, false)
		}
		e.Public = words(public)
	}
	return e
}

// unquoted says what the engine saw, without text of the service.
var unquoted = map[migrate.Reason]string{
	migrate.ReasonOutage:     "an outage longer than --outage-timeout",
	migrate.ReasonThrottled:  "every call was refused as too frequent for --outage-timeout",
	migrate.ReasonSilent:     "no answer from the service",
	migrate.ReasonUnanswered: "some calls never got an answer",
	migrate.ReasonRefused:    "credentials, admin right, app, quota, region or proxy refused",
}

// text says why the run stopped.
func (s Stop) text() string {
	var stop *migrate.StopError
	switch {
	case s.Err == nil:
		return "not finished"
	case !errors.As(s.Err, &stop):
		return s.Err.Error()
	}
	text := s.sentence(stop, stop.Info)
	if stop.Hint != "" {
		text += "; " + stop.Hint
	}
	return text
}

// sentence says why the engine stopped. info is what it saw, if no brake says more.
func (s Stop) sentence(stop *migrate.StopError, info string) string {
	if stop.Brake != nil {
		info = brakeWords(stop.Brake)
	}
	switch by := (Signal{}); {
	case stop.Reason == migrate.ReasonSignal && errors.As(s.Cause, &by):
		return "stopped by " + by.Error()
	case stop.Reason == migrate.ReasonSignal:
		return "stopped by a signal"
	case stop.Reason == migrate.ReasonDuration:
		return "stopped after --max-duration"
	case stop.Reason == migrate.ReasonUnanswered && s.Asks:
		return "not finished: some calls never got an answer"
	case stop.Reason == migrate.ReasonUnanswered:
		return "not finished: " + info
	}
	return "stopped: " + info
}

// refusal returns a line with the code with which edges were refused and the text of the service,
// if a brake stopped the run.
func (s Stop) refusal() string {
	stop := (*migrate.StopError)(nil)
	if !errors.As(s.Err, &stop) || stop.Brake == nil {
		return ""
	}
	often := "mostly"
	if stop.Brake.All {
		often = "each time"
	}
	text := "refused " + often + " " + withCode(stop.Code, true)
	if stop.Brake.Text != "" {
		text += fmt.Sprintf("; the service says %q", stop.Brake.Text)
	}
	return text + "\n"
}

// brakeWords says which brake stopped a run and why, without text of the service.
func brakeWords(b *migrate.Brake) string {
	what := ""
	switch b.Kind {
	case migrate.BrakeNothing:
		what = fmt.Sprintf("none of the first %s landed an edge", terminal.Some(b.Count, "call"))
	case migrate.BrakeField:
		what = "chunk after chunk is refused for some edges"
	case migrate.BrakeHalved:
		what = "chunk after chunk is refused edge by edge"
	case migrate.BrakeExtra:
		what = fmt.Sprintf("finding the edges that are refused has cost %s, more than --max-extra-calls %s",
			terminal.Some(b.Count, "extra call"), terminal.Count(int64(b.Limit)))
	case migrate.BrakeFailures:
		what = fmt.Sprintf("%s failed in this run, more than --max-failures %s",
			terminal.Some(b.Count, "edge"), terminal.Count(int64(b.Limit)))
	case migrate.BrakeRatio:
		what = fmt.Sprintf("%s of %s settled in this run failed, --max-failure-ratio is %g",
			terminal.Count(b.Count), terminal.Some(b.Of, "edge"), b.Limit)
	}
	switch names := someNames(b.Fields); {
	case names == "":
	case b.Landed:
		what += "; only refused edges have " + names
	default:
		what += "; the refused edges have " + names + ", and none landed to compare them with"
	}
	return what
}

// withCode says with which code edges or a whole run were refused, and what the code means.
func withCode(code int, edges bool) string {
	switch known, ok := sink.LookupCode(code); {
	case code == 0:
		return "before it was sent"
	case code < 1000:
		return fmt.Sprintf("with HTTP %d", code)
	case ok && edges:
		return fmt.Sprintf("with code %d (%s)", code, known.EdgeAdvice())
	case ok:
		return fmt.Sprintf("with code %d (%s)", code, known.Advice)
	}
	return fmt.Sprintf("with code %d", code)
}

// someNames returns the first of some names, and how many more there are.
func someNames(names []string) string {
	const most = 5
	if more := len(names) - most; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), more)
	}
	return strings.Join(names, ", ")
}

// SilentHint returns the command that finds out why the service does not answer, and what to run
// then, or "" if the service answered.
func (p *Program) SilentHint(s Stop) string {
	if s.Why() != string(migrate.ReasonSilent) {
		return ""
	}
	l := p.As(p.Line(), "doctor", "json", "accounts", "state", "outage-timeout", "max-attempts")
	name, _ := Split(p.args())
	resumes := "the same " + name
	if p.Line().Has("fresh") && !p.StartingOver.Load() {
		resumes = name + " without --fresh"
	}
	return p.Without(l, "sample").String() + " # once it answers, " + resumes + " resumes"
}
