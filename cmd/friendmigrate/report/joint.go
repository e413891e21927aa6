package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
)

// Join is the report of a job in shards. Lists are named by the shards' folders already; what the
// inputs are, all shards say alike.
func Join(shards []Report) Report {
	all := shards[0]
	all.FailedByCode, all.RejectedByReason = nil, maps.Clone(all.RejectedByReason)
	all.Job.Shard = fmt.Sprintf("all %d", len(shards))
	codes := map[int]Code{}
	for i, r := range shards {
		for _, c := range r.FailedByCode {
			c.Edges += codes[c.Code].Edges
			codes[c.Code] = c
		}
		if i == 0 {
			continue
		}
		all.Account = all.Account.Plus(r.Account)
		for reason, n := range r.RejectedByReason {
			all.RejectedByReason[reason] += n
		}
		all.Plan = all.Plan.plus(r.Plan)
		all.Calls = all.Calls.plus(r.Calls)
		all.Runs = append(all.Runs, r.Runs...)
		all.Lists = append(all.Lists, r.Lists...)
		all.Series = all.Series.plus(r.Series)
		if r.Ending.Code != 0 && (all.Ending.Code == 0 || all.Ending.Code == 3) {
			all.Ending = r.Ending
		}
		switch {
		case r.Verified == nil:
			all.Verified = nil // not every shard was verified
		case all.Verified != nil:
			sum := all.Verified.Plus(r.Verified)
			all.Verified = &sum
		}
	}
	all.FailedByCode = slices.SortedFunc(maps.Values(codes), func(a, b Code) int { return cmp.Compare(a.Code, b.Code) })
	slices.SortStableFunc(all.Runs, func(a, b Run) int { return a.Started.Compare(b.Started) })
	return all
}

func (p Plan) plus(q Plan) Plan {
	p.Accounts += q.Accounts
	p.Edges += q.Edges
	p.Calls += q.Calls
	p.OverFriends += q.OverFriends
	p.OverGroups += q.OverGroups
	p.Differing += q.Differing
	p.Changed += q.Changed
	return p
}

// plus is how two shards went together. Either may be nil.
func (s *Series) plus(t *Series) *Series {
	if s == nil || t == nil {
		return cmp.Or(s, t)
	}
	sum := &Series{Step: max(s.Step, t.Step)}
	points := slices.Concat(s.Points, t.Points)
	slices.SortStableFunc(points, func(a, b Point) int { return cmp.Compare(a.At, b.At) })
	for _, p := range points {
		p.At = p.At / sum.Step * sum.Step
		if n := len(sum.Points); n > 0 && sum.Points[n-1].At == p.At {
			last := sum.Points[n-1]
			merged := last.merge(p)
			merged.Seconds, merged.Limit, merged.Run = max(last.Seconds, p.Seconds), last.Limit+p.Limit,
				max(last.Run, p.Run)
			sum.Points[n-1] = merged
			continue
		}
		sum.Points = append(sum.Points, p)
	}
	return sum
}
