package source_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"friendmigrate/source"
)

// An input of three rows, of which one is broken and two are friends of one account, becomes a plan
// of one call.
func ExampleReadInputs() {
	dir, err := os.MkdirTemp("", "state-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	input := filepath.Join(dir, "edges.csv")
	rows := "From_Account,To_Account,AddSource\n" +
		"alice,bob,AddSource_Type_Import\n" +
		"alice,alice,AddSource_Type_Import\n" +
		"alice,carol,AddSource_Type_Import\n"
	if err := os.WriteFile(input, []byte(rows), 0o600); err != nil {
		panic(err)
	}
	ctx := context.Background()
	pending, err := source.ReadInputs(ctx, source.Request{Inputs: []string{input}, StateDir: dir})
	if err != nil {
		panic(err)
	}
	fmt.Println(pending.Counts.Rows, "rows,", pending.Counts.Rejected, "rejected")
	staged, err := pending.Seal()
	if err != nil {
		panic(err)
	}
	defer staged.Close()
	for roster, err := range staged.Rosters(ctx, nil) {
		if err != nil {
			panic(err)
		}
		chunk, err := roster.Load(0)
		if err != nil {
			panic(err)
		}
		for _, edge := range chunk.Edges {
			fmt.Println(edge.From, edge.To, "of line", edge.Line)
		}
	}
	// Output:
	// 3 rows, 1 rejected
	// alice bob of line 2
	// alice carol of line 4
}
