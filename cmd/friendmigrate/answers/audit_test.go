package answers

import (
	"context"
	"fmt"

	"friendmigrate/checkpoint"
)

// account of a job, edge by edge: what its journal says and what the service has.
type audit struct {
	totals   checkpoint.Totals
	failures map[string]checkpoint.Failure // by FROM->TO
	open     map[string]bool               // pending
	wrong    []string                      // what must never be
}

// pair names an edge.
func pair(from, to string) string { return from + "->" + to }

// audit looks, and fails the test for what must never be.
func (j *job) audit(c *chat) audit {
	j.t.Helper()
	a := j.look(c)
	for _, w := range a.wrong[:min(len(a.wrong), 10)] {
		j.t.Errorf("audit: %s", w)
	}
	return a
}

// look holds the journal against the service's own graph: no false success, no phantom, no edge
// that is in two places or in none, no overlap.
func (j *job) look(c *chat) audit {
	j.t.Helper()
	a := audit{totals: j.journal.Totals(), failures: map[string]checkpoint.Failure{}, open: map[string]bool{}}
	a.readFailures(j)
	placed, seen, settled := int64(0), int64(0), int64(0)
	for roster, err := range j.stage.Rosters(context.Background(), nil) {
		if err != nil {
			j.t.Fatal(err)
		}
		for i := range roster.Chunks {
			chunk, err := roster.Load(i)
			if err != nil {
				j.t.Fatal(err)
			}
			open, _ := j.journal.Unsettled(chunk.Ordinal, len(chunk.Edges))
			for k := range chunk.Edges {
				there := c.Has(chunk.From, chunk.Edges[k].To)
				if seen++; there {
					placed++
				}
				if !open.Has(k) {
					settled++
				}
				a.edge(pair(chunk.From, chunk.Edges[k].To), there, open.Has(k))
			}
		}
	}
	a.sums(j.journal.Identity(), seen, settled)
	s := c.Stats()
	if s.GraphEdges != placed {
		a.say("phantoms: the service has %d edges, %d of the input", s.GraphEdges, placed)
	}
	if s.Overlaps != 0 || s.OverlapsOpen != 0 {
		a.say("%d calls overlapped another one of their account: %v", s.Overlaps, s.OverlapAccounts)
	}
	return a
}

func (a *audit) say(format string, args ...any) {
	a.wrong = append(a.wrong, fmt.Sprintf(format, args...))
}

func (a *audit) readFailures(j *job) {
	for f, err := range j.journal.Failures() {
		if err != nil {
			j.t.Fatal(err)
		}
		name := pair(f.Edge.From, f.Edge.To)
		if _, twice := a.failures[name]; twice {
			a.say("%s failed twice", name)
		}
		a.failures[name] = f
	}
}

// edge judges one edge of the input.
func (a *audit) edge(name string, there, open bool) {
	_, failed := a.failures[name]
	switch {
	case open && failed:
		a.say("%s is pending and failed", name)
	case open:
		a.open[name] = true
	case !failed && !there:
		a.say("false success: %s is settled and not in the service", name)
	}
}

func (a *audit) sums(id checkpoint.Identity, seen, settled int64) {
	t := a.totals
	if seen != id.Edges || t.Settled() != settled || t.Pending != int64(len(a.open)) || t.Failed != int64(len(a.failures)) ||
		t.Imported+t.Already+t.Failed+t.Pending != id.Edges {
		a.say("the sum does not balance: %d edges, %+v, and counted %d settled, %d failed, %d pending", id.Edges, t, settled, len(a.failures), len(a.open))
	}
}
