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

// wrongApp is what every item says where the app is the wrong one; after so many such calls and
// nothing else it is.
const (
	wrongApp      = 30002
	wrongAppCalls = 20
)

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
		allWrong = allWrong && r.Code == wrongApp
	}
	switch {
	case !allWrong:
		a.heard.Store(true)
	case !a.heard.Load():
		code, _ := sink.LookupCode(wrongApp)
		return nil, &migrate.CallError{Verdict: migrate.VerdictSuspect, Code: wrongApp, Info: relations[0].Info,
			Answered: true, Limit: wrongAppCalls, Hint: code.Advice}
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
