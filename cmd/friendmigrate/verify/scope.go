package verify

import (
	"context"
	"iter"

	"friendmigrate/checkpoint"
	"friendmigrate/migrate"
)

// scope is the part of a plan that a verify speaks of, and what of it is asked about: all, or where
// a job knows it, what the job has settled. A pending edge was never sent, so nobody expects it in
// the service.
type scope struct {
	edges int64 // of the accounts
	asked int64
	calls int64 // to ask about those
}

// asking is the journal of a verify for the engine, which asks about what is open in it.
type asking struct {
	*checkpoint.Journal
	of *Verify
}

// Open implements migrate.Journal.
func (a asking) Open(ordinal int64, n int) (open migrate.EdgeSet, maybeSent bool) {
	open, _ = a.Journal.Open(ordinal, n)
	if a.of.sample != nil {
		return open, false
	}
	asked := a.of.asks(ordinal, n)
	for i := range open {
		open[i] &= asked[i]
	}
	return open, false
}

// asks tells what is asked about of a chunk of n edges.
func (v *Verify) asks(ordinal int64, n int) migrate.EdgeSet {
	asked := migrate.FullSet(n)
	if v.Job != nil {
		pending, _ := v.Job.Open(ordinal, n)
		for i := range asked {
			asked[i] &^= pending[i]
		}
	}
	return asked
}

// chunkSize is how many edges chunk i of a roster has.
func chunkSize(r *migrate.Roster, i int) int {
	return int(min(migrate.MaxChunkEdges, r.Edges-int64(i)*migrate.MaxChunkEdges))
}

// rosters goes over the rosters of the accounts that the verify speaks of.
func (v *Verify) rosters(ctx context.Context, skip func(first int64, chunks int) bool) iter.Seq2[migrate.Roster,
	error] {
	if v.Rosters != nil {
		return v.Rosters(ctx, skip)
	}
	return v.Stage.Rosters(ctx, skip)
}

func (v *Verify) speaksOf(from string) bool { return v.Accounts == nil || v.Accounts(from) }

// measure finds out how much there is.
func (v *Verify) measure(ctx context.Context) error {
	plan := v.Stage.Totals()
	v.scope = scope{edges: plan.Edges, asked: plan.Edges, calls: plan.Chunks}
	if v.Accounts == nil {
		if v.Job != nil {
			t := v.Job.Totals()
			v.scope.asked, v.scope.calls = t.Settled(), t.Chunks
		}
		return nil
	}
	v.scope = scope{}
	for r, err := range v.rosters(ctx, nil) {
		if err != nil {
			return err
		}
		v.scope.edges += r.Edges
		for i := range r.Chunks {
			asked := v.asks(r.First+int64(i), chunkSize(&r, i))
			if n := asked.Len(); n > 0 {
				v.scope.asked, v.scope.calls = v.scope.asked+int64(n), v.scope.calls+1
			}
		}
	}
	return nil
}

// plan is what the engine goes over: rosters with something to ask about.
func (v *Verify) plan(ctx context.Context) iter.Seq2[migrate.Roster, error] {
	if v.sample != nil {
		return v.sample.rosters(ctx)
	}
	if v.Job == nil {
		return v.rosters(ctx, v.journal.Done)
	}
	return func(yield func(migrate.Roster, error) bool) {
		for r, err := range v.rosters(ctx, v.journal.Done) {
			if (err != nil || v.asksAny(&r)) && !yield(r, err) {
				return
			}
		}
	}
}

func (v *Verify) asksAny(r *migrate.Roster) bool {
	for i := range r.Chunks {
		if v.asks(r.First+int64(i), chunkSize(r, i)) != (migrate.EdgeSet{}) {
			return true
		}
	}
	return false
}
