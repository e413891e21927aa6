package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"friendmigrate/cmd/trial/graph"
)

// edgesJob is what one call of trial edges does.
type edgesJob struct {
	options                 graph.Options
	part                    graph.Part
	output, expect, badList string // "-": standard output, "": not at all
}

// writeEdges is the command that writes a generated friend graph.
func writeEdges(_ context.Context, args []string, stdout io.Writer) error {
	j := &edgesJob{options: graph.Default()}
	f := flag.NewFlagSet("trial edges", flag.ContinueOnError)
	j.graphFlags(f)
	j.rowFlags(f)
	f.StringVar(&j.output, "output", "-", "write the rows to this `file`")
	f.StringVar(&j.expect, "expect", "", "write the expected counts of all parts to this `file`, as JSON")
	f.StringVar(&j.badList, "bad-list", "", "write Line,Kind of every bad row to this `file`, as CSV")
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	g, err := graph.New(j.options)
	if err != nil {
		return err
	}
	return j.write(g, stdout)
}

func (j *edgesJob) graphFlags(f *flag.FlagSet) {
	o := &j.options
	f.Uint64Var(&o.Seed, "seed", o.Seed, "the same seed and flags write the same bytes")
	f.Int64Var(&o.Edges, "edges", o.Edges, "distinct valid edges")
	f.Float64Var(&o.Mean, "mean", o.Mean, "friends of an account on average")
	f.Float64Var(&o.Sigma, "sigma", o.Sigma, "of the log-normal distribution of friends; 0: the same number for all")
	f.IntVar(&o.MaxFriends, "max-friends", o.MaxFriends, "friends of an account at most, 3000 or less")
	f.Float64Var(&o.Mutual, "mutual", o.Mutual, "share of pairs with both directions, 0 to 1")
	f.IntVar(&o.Hubs, "hubs", o.Hubs, "accounts with exactly --hub-friends friends, all one-way")
	f.Int64Var(&o.HubFriends, "hub-friends", o.HubFriends, "any number")
}

func (j *edgesJob) rowFlags(f *flag.FlagSet) {
	o := &j.options
	f.StringVar((*string)(&o.Order), "order", string(o.Order), "`order` of rows: shuffled, or sorted or reversed by From_Account")
	f.StringVar((*string)(&o.Format), "format", string(o.Format), "`format` of rows: csv or jsonl")
	f.Func("part", "write only part `i/n` of the rows, i from 0", j.setPart)
	f.StringVar(&o.ID, "id", o.ID, "`pattern` of account ids")
	f.Func("fields", "optional `fields`: all, or some of Remark,RemarkTime,GroupName,AddWording,AddTime", func(s string) error {
		if s == "all" {
			o.Fields = graph.AllFields()
			return nil
		}
		return list(&o.Fields, func(name string) graph.Field { return graph.Field(name) })(s)
	})
	f.Func("custom", "custom `fields`: Tag_SNS_Custom_Badge,Tag_SNS_Custom_Level:int", list(&o.Custom, custom))
	f.Float64Var(&o.Fill, "fill", o.Fill, "share of rows in which an optional field is filled")
	f.Func("add-sources", "AddSource `values` (default "+strings.Join(o.AddSources, ",")+")",
		list(&o.AddSources, func(name string) string { return name }))
	f.BoolVar(&o.Unicode, "unicode", o.Unicode, "texts of many scripts")
	f.BoolVar(&o.Awkward, "awkward", o.Awkward, "remarks with quotes, commas and line breaks")
	f.BoolVar(&o.BOM, "bom", o.BOM, "begin with a byte order mark")
	f.BoolVar(&o.CRLF, "crlf", o.CRLF, "end rows with CR LF")
	f.BoolVar(&o.Unterminated, "unterminated", o.Unterminated, "no line end behind the last row")
	f.Float64Var(&o.Duplicates, "duplicates", o.Duplicates, "second rows of a pair, as a share of --edges; every other one has other fields")
	f.Float64Var(&o.Bad, "bad", o.Bad, "rows that must be rejected, as a share of --edges; at least one of each kind")
	f.Func("bad-kinds", "only these `kinds` of bad rows; an unknown one lists all", list(&o.BadKinds, func(name string) graph.Kind { return graph.Kind(name) }))
}

func (j *edgesJob) setPart(s string) error {
	var rest string
	if n, _ := fmt.Sscanf(s+" .", "%d/%d %s", &j.part.Index, &j.part.Count, &rest); n != 3 || rest != "." ||
		j.part.Count < 1 || j.part.Index < 0 || j.part.Index >= j.part.Count {
		return errors.New("not i/n with 0 <= i < n")
	}
	return nil
}

// list makes the setter of a flag that takes several things, separated by commas.
func list[T any](into *[]T, one func(name string) T) func(string) error {
	return func(s string) error {
		*into = nil
		for name := range strings.SplitSeq(s, ",") {
			*into = append(*into, one(name))
		}
		return nil
	}
}

func custom(name string) graph.Custom {
	tag, integer := strings.CutSuffix(name, ":int")
	return graph.Custom{Tag: tag, Integer: integer}
}

func (j *edgesJob) write(g *graph.Graph, stdout io.Writer) error {
	err := writeFile(j.expect, stdout, func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(g.Expect())
	})
	if err != nil {
		return err
	}
	return writeFile(j.output, stdout, func(rows io.Writer) error {
		if j.badList == "" {
			return g.Write(rows, j.part, nil)
		}
		return writeFile(j.badList, stdout, func(w io.Writer) error { return writeBoth(g, j.part, rows, w) })
	})
}

func writeBoth(g *graph.Graph, part graph.Part, rows, badList io.Writer) error {
	list := bufio.NewWriter(badList)
	fmt.Fprintln(list, "Line,Kind")
	err := g.Write(rows, part, func(line int64, kind graph.Kind) error {
		_, err := fmt.Fprintf(list, "%d,%s\n", line, kind)
		return err
	})
	return errors.Join(err, list.Flush())
}

// writeFile opens a file as edgesJob names it.
func writeFile(name string, stdout io.Writer, write func(w io.Writer) error) error {
	switch name {
	case "":
		return nil
	case "-":
		return write(stdout)
	}
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}
