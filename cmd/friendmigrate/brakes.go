package main

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/screen"
	"friendmigrate/migrate"
	"friendmigrate/sink"
)

// brakeWords says which brake stopped a run and why, without words of the service.
func brakeWords(stop *migrate.StopError) string {
	b := stop.Brake
	what := ""
	switch b.Kind {
	case migrate.BrakeNothing:
		what = fmt.Sprintf("none of the first %s landed an edge", screen.Some(b.Count, "call"))
	case migrate.BrakeHalved, migrate.BrakeField:
		what = "chunk after chunk is refused for some of its edges"
		if b.Kind == migrate.BrakeHalved {
			what = "chunk after chunk is refused edge by edge"
		}
	case migrate.BrakeExtra:
		what = fmt.Sprintf("finding the edges that are refused has cost %s, more than --max-extra-calls %s",
			screen.Some(b.Count, "extra call"), screen.Count(int64(b.Limit)))
	case migrate.BrakeFailures:
		what = fmt.Sprintf("%s failed in this run, more than --max-failures %s",
			screen.Some(b.Count, "edge"), screen.Count(int64(b.Limit)))
	case migrate.BrakeRatio:
		what = fmt.Sprintf("%s of %s settled in this run failed, and --max-failure-ratio is %g",
			screen.Count(b.Count), screen.Some(b.Of, "edge"), b.Limit)
	}
	switch names := someNames(b.Fields); {
	case names == "":
	case b.Landed:
		what += "; what is refused has " + names + ", and no edge that landed has"
	default:
		what += "; what is refused has " + names + ", and nothing landed to compare it with"
	}
	often := "mostly"
	if b.All {
		often = "each time"
	}
	return what + "; refused " + often + " " + withCode(stop.Code)
}

// withCode says with which code something was refused, and what that means.
func withCode(code int) string {
	switch known, ok := sink.LookupCode(code); {
	case code == 0:
		return "before it was sent"
	case code < 1000:
		return fmt.Sprintf("with HTTP %d", code)
	case ok:
		return fmt.Sprintf("with code %d (%s)", code, known.Advice)
	}
	return fmt.Sprintf("with code %d", code)
}

// someNames names the first of some fields.
func someNames(names []string) string {
	const most = 5
	if more := len(names) - most; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), more)
	}
	return strings.Join(names, ", ")
}

// brakeHint is the command that shows what was refused, or resumes once that is fixed.
func (j *importJob) brakeHint(stop *migrate.StopError, failed bool) string {
	l := j.resume()
	if failed {
		l = l.WithWord("--retry-failed")
	}
	b := stop.Brake
	switch {
	case len(b.Fields) > 0 && strings.HasPrefix(b.Fields[0], "Tag_"):
		return l.String() + " # after creating " + b.Fields[0] + " in the console, if it is not there"
	case b.Bytes > 0 && stop.Code == http.StatusRequestEntityTooLarge:
		return l.With("chunk-bytes", fmt.Sprint(max(1<<10, b.Bytes/2))).String() + " # smaller calls"
	case !failed:
		return l.String() + " # after fixing what the service says"
	}
	show := j.line.As("failures", func(flag string) bool { return flag == "state" })
	if j.set.Service.Rehearse {
		show = show.With("state", j.dir)
	}
	if stop.Code > 0 {
		show = show.With("code", fmt.Sprint(stop.Code))
	}
	hint := show.String() + " # shows them; when that is fixed: " + l.String()
	if b.Kind == migrate.BrakeNothing || b.Kind == migrate.BrakeRatio {
		hint += "; if it is only the input's beginning: " + j.resume().With("max-failure-ratio", "0").String()
	}
	return hint
}

// failedWords counts failed edges, with their codes, and says where they are listed.
func (j *importJob) failedWords(o outcome, n int64) string {
	return fmt.Sprintf("%s failed%s, see %s", screen.Some(n, "edge"), codesIn(o.byCode), j.path(j.listName(folder.Failed)))
}

// codesIn lists the codes with which edges failed, in parentheses; "" if none did.
func codesIn(edges map[int]int64) string {
	codes := slices.SortedFunc(maps.Keys(edges), func(a, b int) int {
		return cmp.Or(cmp.Compare(edges[b], edges[a]), cmp.Compare(a, b))
	})
	codes = slices.DeleteFunc(codes, func(code int) bool { return edges[code] == 0 })
	var parts []string
	for _, code := range codes[:min(3, len(codes))] {
		parts = append(parts, fmt.Sprintf("%s with %d", screen.Count(edges[code]), code))
	}
	switch {
	case len(codes) == 1:
		parts[0] = fmt.Sprint(codes[0])
	case len(codes) > 3:
		parts = append(parts, "others with other codes")
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

// silentHint is the command that finds out why nobody answers; "" if somebody did.
func silentHint(args []string, stopped error) string {
	if stop := (*migrate.StopError)(nil); !errors.As(stopped, &stop) || stop.Reason != migrate.ReasonSilent {
		return ""
	}
	has := map[string]bool{}
	for _, f := range leafNamed("doctor").Flags {
		has[f.Names()[0]] = true
	}
	for _, other := range []string{"json", "sample", "accounts", "outage-timeout", "max-attempts"} {
		delete(has, other)
	}
	return currentLine(args).As("doctor", func(flag string) bool { return has[flag] }).String()
}
