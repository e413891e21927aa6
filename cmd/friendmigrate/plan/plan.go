package plan

import (
	"context"
	"errors"
	"path/filepath"

	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/cmd/friendmigrate/report"
	"friendmigrate/sink"
	"friendmigrate/source"
	"friendmigrate/source/stage"
)

// making is one making of a plan.
type making struct {
	*job.Job
	pilot   *job.Pilot           // nil: all accounts
	waits   func(message string) // as in source.Request
	reading job.Reading
}

// make makes the plan. The user has to fix an error that is source.ErrUnusable. If ctx ends, make
// removes everything and soon returns ctx's error.
func (m *making) make(ctx context.Context) (p *Plan, err error) {
	s, err := newScratch(m.Set.State)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.remove()) }()
	by := &measurers{room: m.Set.CallBytes - sink.EmptyCallBytes, pilot: m.pilot}
	input := m.SourceRequest(s.staging)
	input.Measure = &stage.Measure{EdgeBytes: sink.EdgeBytes, Visit: by.next}
	input.Progress = m.reading.Take
	input.Waits, input.Warn = m.waits, nil // plan shows warnings itself
	unsealed, err := source.ReadInputs(ctx, input)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, unsealed.Abort()) }()
	m.Counts = unsealed.Counts
	p = m.plan(by.sum(), unsealed.Totals)
	if m.pilot != nil && !m.Counts.NoRows() {
		text, err := m.pilot.Planned(ctx)
		if err != nil {
			return nil, err
		}
		p.Warnings = append([]string{text}, p.Warnings...)
	}
	p.RejectedBy, err = rejects(filepath.Join(s.staging, source.RejectedList), m.Counts.RejectedBy)
	return p, err
}

// plan returns the Plan from the results of reading and measuring.
func (m *making) plan(found *measurer, t stage.Totals) *Plan {
	c, rows, calls, each := m.Counts, m.Set.Rows, found.calls, int64(1)
	if m.Set.OnlyMissing {
		each = 2 // friend_check comes first
	}
	p := &Plan{
		Version: Version, Options: rows.Canonical(), Shard: m.Set.Job.Shard.String(),
		Rows: Rows{Read: c.Rows, Rejected: c.Rejected, RejectedElsewhere: c.RejectedElsewhere,
			Duplicate: t.Duplicates, Differing: t.Differing, Changed: c.Changed, ManyLines: c.ManyLines},
		WhyAllRejected: c.WhyAllRejected(),
		Edges:          t.Edges, Added: t.Added, Accounts: t.Rosters,
		Calls: each * calls, AskCalls: (each - 1) * calls, PilotCalls: each * found.ofPilot,
		ExtraCalls: calls - t.Chunks, CallBytes: int64(m.Set.CallBytes), Bytes: found.bytes,
		AboutBoth: found.both.count(), MaxFriends: int64(rows.MaxFriends), OverFriends: t.OverMax,
		OverGroups: t.GroupsOver,
		Largest:    []Roster{}, Disk: Disk{Staged: t.Stored},
		Mutual:   Mutual{Share: report.MutualShare(t), Pairs: t.Pairs, Both: t.MutualPairs, Sampled: t.PairsSampled},
		Warnings: source.Warnings(&c, &t, rows),
	}
	for _, in := range c.Inputs {
		p.Inputs = append(p.Inputs, report.Input{Name: in.Name, Bytes: in.Size, Digest: in.Digest})
	}
	for _, r := range t.Largest {
		p.Largest = append(p.Largest, Roster{Account: r.From, Friends: r.Friends})
	}
	if rate := m.Set.Rate; rate < sink.Unpaced {
		seconds := float64(p.Calls) / rate
		p.Rate, p.LeastSeconds = rate, &seconds
	}
	return p
}
