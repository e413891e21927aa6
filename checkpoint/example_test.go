package checkpoint_test

import (
	"context"
	"fmt"
	"os"

	"friendmigrate/checkpoint"
	"friendmigrate/migrate"
	"friendmigrate/migrate/disk"
)

// A job of one chunk settles one of its two edges, and is opened again later.
func Example() {
	dir, err := os.MkdirTemp("", "state-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	lock, err := checkpoint.TryLock(dir)
	if err != nil {
		panic(err)
	}
	defer lock.Release()
	if err := checkpoint.Create(disk.OS{}, dir, checkpoint.Identity{Edges: 2, Chunks: 1}); err != nil {
		panic(err)
	}
	chunk := migrate.Chunk{From: "alice", Edges: []migrate.Edge{{From: "alice", To: "bob"}, {From: "alice", To: "carol"}}}
	for range 2 {
		journal, err := checkpoint.Open(disk.OS{}, dir)
		if err != nil {
			panic(err)
		}
		open, _ := journal.Unsettled(chunk.Ordinal, len(chunk.Edges))
		fmt.Println("open:", open.Indexes(), "pending:", journal.Totals().Pending)
		if open.Has(0) {
			err = journal.Settle(context.Background(), migrate.Settlement{Chunk: chunk, Settled: []migrate.Settled{
				{Index: 0, Outcome: migrate.Outcome{Kind: migrate.Imported}, Attempts: 1},
			}})
			fmt.Println("durable:", err == nil)
		}
		if err := journal.Close(); err != nil {
			panic(err)
		}
	}
	// Output:
	// open: [0 1] pending: 2
	// durable: true
	// open: [1] pending: 1
}
