package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"friendmigrate/checkpoint"
	"friendmigrate/cmd/friendmigrate/terminal"
	"friendmigrate/sink"
	"friendmigrate/source"
	"friendmigrate/source/stage"
)

// Of returns the report of a job from its journal, its plan and the counts of reading.
func Of(program string, journal *checkpoint.Journal, plan stage.Totals, counts source.Counts, lists []string) Report {
	id := journal.Identity()
	r := Report{
		Version: Version, Program: program, RejectedByReason: counts.RejectedBy, Lists: lists,
		Job: Job{SDKAppID: id.SDKAppID, Target: id.Target, Created: id.Created, Options: id.Options},
		Plan: Plan{
			Accounts: plan.Rosters, Edges: plan.Edges, Calls: plan.Chunks, OverFriends: plan.OverMax,
			OverGroups: plan.GroupsOver, Differing: plan.Differing, Changed: counts.Changed,
			RosterSizes: plan.Sizes, MutualShare: MutualShare(plan), ManyLines: counts.ManyLines,
		},
	}
	if id.Shards > 0 {
		r.Job.Shard = fmt.Sprintf("%d/%d", id.Shard, id.Shards)
	}
	if r.RejectedByReason == nil {
		r.RejectedByReason = map[string]int64{}
	}
	for _, in := range counts.Inputs {
		r.Job.Inputs = append(r.Job.Inputs, Input{Name: in.Name, Bytes: in.Size, Digest: in.Digest})
	}
	if left := counts.LeftOut; left.String() != "" {
		r.Job.LeftOut = &left
	}
	r.Refresh(journal)
	return r
}

// MutualShare returns the share of pairs that have a row in each direction.
func MutualShare(t stage.Totals) float64 { return float64(t.MutualPairs) / float64(max(1, t.Pairs)) }

// Refresh updates what comes from the journal: the sums, the failures by code, the runs and their
// calls.
func (r *Report) Refresh(journal *checkpoint.Journal) {
	r.Sums, r.FailedByCode = SumsOf(journal), ByCode(journal.Totals().FailedByCode)
	addExamples(r.FailedByCode, journal)
	r.Runs, r.Calls = nil, Calls{}
	for _, run := range journal.Runs() {
		one := Run{Started: run.Start.At, Version: run.Start.Version, Workers: run.Start.Workers}
		if end := run.End; end != nil {
			one.Ended, one.Code, one.Calls = &end.At, &end.Code, end.Calls
			r.Calls = Plus(r.Calls, Calls{
				Sent: end.Calls, Retried: end.Facts["retried"], Throttled: end.Facts["throttled"],
				Uncertain: end.Facts["uncertain"], Halved: end.Facts["halved"], Holds: end.Facts["holds"],
				Renewals: end.Facts["renewals"], Paused: end.Facts["paused"],
			})
		}
		r.Runs = append(r.Runs, one)
	}
}

// addExamples sets the first edges of each code. It ignores read errors, which the lists of failed
// edges report.
func addExamples(codes []Code, journal *checkpoint.Journal) {
	missing := int64(0)
	for _, c := range codes {
		missing += min(c.Edges, mostExamples)
	}
	if missing == 0 {
		return
	}
	for failure, err := range journal.Failures() {
		at := slices.IndexFunc(codes, func(c Code) bool { return c.Code == failure.Code })
		if err != nil || at < 0 || len(codes[at].Examples) == mostExamples {
			continue
		}
		codes[at].Examples = append(codes[at].Examples, failure)
		if missing--; missing == 0 {
			return
		}
	}
}

// ByCode returns the numbers of failed edges by code, with advice for each code.
func ByCode(failed map[int]int64) []Code {
	codes := []Code{}
	for _, code := range slices.Sorted(maps.Keys(failed)) {
		if n := failed[code]; n > 0 {
			known, _ := sink.LookupCode(code)
			codes = append(codes, Code{Code: code, Edges: n, Advice: known.EdgeAdvice()})
		}
	}
	return codes
}

// MostFirst returns the codes of failed edges, the most frequent first.
func MostFirst(edges map[int]int64) []int {
	codes := slices.DeleteFunc(slices.Collect(maps.Keys(edges)), func(code int) bool { return edges[code] == 0 })
	slices.SortFunc(codes, func(a, b int) int { return cmp.Or(cmp.Compare(edges[b], edges[a]), cmp.Compare(a, b)) })
	return codes
}

// Codes returns the codes of failed edges in parentheses; "" if none failed.
func Codes(edges map[int]int64) string {
	codes := MostFirst(edges)
	if len(codes) == 0 {
		return ""
	}
	if len(codes) == 1 {
		return fmt.Sprintf(" (%d)", codes[0])
	}
	var parts []string
	for _, code := range codes[:min(3, len(codes))] {
		parts = append(parts, fmt.Sprintf("%s with %d", terminal.Count(edges[code]), code))
	}
	if len(codes) > 3 {
		parts = append(parts, "others with other codes")
	}
	return " (" + strings.Join(parts, ", ") + ")"
}
