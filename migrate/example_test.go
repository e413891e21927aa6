package migrate_test

import (
	"context"
	"fmt"
	"iter"

	"friendmigrate/migrate"
)

// recorder is a Journal that remembers nothing between runs.
type recorder struct{}

func (recorder) Unsettled(_ int64, n int) (migrate.EdgeSet, bool) { return migrate.FullSet(n), false }

func (recorder) Announce(int64) error { return nil }

func (recorder) Settle(_ context.Context, s migrate.Settlement) error {
	for _, edge := range s.Settled {
		fmt.Println(s.Chunk.From, s.Chunk.Edges[edge.Index].To, edge.Outcome.Code, edge.Outcome.Kind == migrate.Imported)
	}
	return nil
}

// A plan of one roster is sent to a service that knows everybody but Carol.
func ExampleRun() {
	friends := []migrate.Edge{{From: "alice", To: "bob"}, {From: "alice", To: "carol"}}
	var plan iter.Seq2[migrate.Roster, error] = func(yield func(migrate.Roster, error) bool) {
		yield(migrate.Roster{
			From: "alice", Chunks: 1, Edges: int64(len(friends)),
			Load: func(int) (migrate.Chunk, error) { return migrate.Chunk{From: "alice", Edges: friends}, nil },
		}, nil)
	}
	service := migrate.Caller(func(_ context.Context, _ string, edges []migrate.Edge) ([]migrate.Outcome, error) {
		outcomes := make([]migrate.Outcome, len(edges))
		for i, e := range edges {
			outcomes[i] = migrate.Outcome{Kind: migrate.Imported}
			if e.To == "carol" {
				outcomes[i] = migrate.Outcome{Kind: migrate.Failed, Code: 30003, Info: "no such account"}
			}
		}
		return outcomes, nil
	})
	summary, err := migrate.Run(context.Background(), plan, service, recorder{}, migrate.Options{
		Workers: 4, Retry: migrate.DefaultRetry,
	})
	fmt.Println(summary.Calls, "call:", summary.Imported, "imported,", summary.Failed, "failed,", err)
	// Output:
	// alice bob 0 true
	// alice carol 30003 false
	// 1 call: 1 imported, 1 failed, <nil>
}
