package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"friendmigrate/cmd/trial/graph"
)

func writeEdges(_ context.Context, args []string, stdout io.Writer) error {
	o := graph.Default()
	f := flag.NewFlagSet("trial edges", flag.ContinueOnError)
	f.Uint64Var(&o.Seed, "seed", o.Seed, "the same seed and flags write the same bytes")
	f.Int64Var(&o.Edges, "edges", o.Edges, "distinct edges")
	f.Float64Var(&o.Mean, "mean", o.Mean, "friends of an account on average, about")
	f.BoolVar(&o.Sorted, "sorted", o.Sorted, "rows by From_Account instead of in random order")
	output := f.String("output", "-", "write the rows to this `file`; -: standard output")
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	g, err := graph.New(o)
	switch {
	case err != nil:
		return err
	case *output == "-":
		return g.Write(stdout)
	}
	file, err := os.Create(*output)
	if err != nil {
		return err
	}
	return errors.Join(g.Write(file), file.Close())
}
