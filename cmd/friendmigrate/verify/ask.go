package verify

import (
	"context"
	"sync/atomic"

	"friendmigrate/migrate"
	"friendmigrate/sink"
)

// asker asks friend_check. It is the engine's Caller: one call for the
// edges of a chunk.
type asker struct {
	check func(ctx context.Context, from string, to []string) ([]sink.Relation, error)
	heard atomic.Bool // the service has given a verdict
}

// Call implements migrate.Caller.
func (a *asker) Call(ctx context.Context, from string, edges []migrate.Edge) ([]migrate.Outcome, error) {
	to := make([]string, len(edges))
	for i := range edges {
		to[i] = edges[i].To
	}
	relations, err := a.check(ctx, from, to)
	if err != nil {
		return nil, err
	}
	outcomes := make([]migrate.Outcome, len(edges))
	allWrong := true
	for i, r := range relations {
		outcomes[i] = outcomeOf(r)
		allWrong = allWrong && r.Code == sink.WrongApp
	}
	switch {
	case !allWrong:
		a.heard.Store(true)
	case !a.heard.Load():
		return nil, sink.ErrWrongApp(relations[0].Info)
	}
	return outcomes, nil
}

func outcomeOf(r sink.Relation) migrate.Outcome {
	switch {
	case r.Known && r.Friend:
		return inPlace()
	case r.Known:
		return missing()
	case r.Again:
		return migrate.Outcome{Kind: migrate.Again, Code: r.Code, Info: r.Info}
	}
	return migrate.Outcome{Kind: migrate.Failed, Code: r.Code, Info: r.Info}
}
