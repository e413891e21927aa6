package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"friendmigrate/cmd/trial/graph"
	"friendmigrate/cmd/trial/lab"
)

// peers compares plan with programs that sort the same rows by From_Account in as much memory. All
// run in turn, since disks and machines change from minute to minute: what counts is the ratio
// within a round.
func peers(ctx context.Context, args []string, out io.Writer) (err error) {
	flags := flag.NewFlagSet("trial peers", flag.ContinueOnError)
	edges := flags.Int64("edges", 5_000_000, "of the input, in random order, with nine columns")
	rounds := flags.Int("rounds", 3, "runs of each; the median counts")
	folder := flags.String("folder", "", "make a folder in this `folder` for the inputs and what is sorted: "+
		"650 bytes an edge")
	old := flags.String("against", "", "another `binary` of the program that runs in turn with the others")
	if err := flags.Parse(args); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(*folder, "peers-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	program, err := lab.Build(ctx, dir, "friendmigrate")
	if err != nil {
		return err
	}
	if err := writeFull(dir, *edges); err != nil {
		return err
	}
	fmt.Fprintf(out, "%d edges, medians of %d rounds in turn\n%-24s %8s %8s %8s %8s  %s\n", *edges, *rounds,
		"", "wall s", "CPU s", "peak MB", "ns/edge", "wall time over that of plan: median (least)")
	return comparePeers(ctx, dir, *edges, *rounds, contenders(program, lab.Binary(*old)), out)
}

// contender is a program that reads the rows; the first one is what the others are held against.
type contender struct {
	name    string
	command []string
}

func contenders(program, old lab.Binary) []contender {
	plan := func(b lab.Binary, input string) []string {
		return []string{string(b), "plan", "--progress", "none", "--state", "state", input}
	}
	list := []contender{{"plan, CSV", plan(program, "edges.csv")}, {"plan, JSONL", plan(program, "edges.jsonl")}}
	if old != "" {
		list = append(list, contender{"plan before, CSV", plan(old, "edges.csv")},
			contender{"plan before, JSONL", plan(old, "edges.jsonl")})
	}
	const sql = "SET threads=2; SET memory_limit='256MB'; SET preserve_insertion_order=false; " +
		"COPY (SELECT * FROM read_csv('edges.csv', all_varchar=true) ORDER BY From_Account) TO 'sorted'"
	return append(list,
		contender{"sort -S 256M", []string{"sort", "--parallel=2", "-S", "256M", "-T", ".", "-t,", "-k1,1", "-s",
			"edges.csv", "-o", "sorted"}},
		contender{"duckdb ORDER BY, 256 MB", []string{"duckdb", "-c", sql}})
}

// comparePeers prints a line for each contender.
func comparePeers(ctx context.Context, dir string, edges int64, rounds int, list []contender, out io.Writer) error {
	runs := make([][]took, len(list))
	for range rounds {
		for i, c := range list {
			if _, err := exec.LookPath(c.command[0]); err != nil {
				continue
			}
			t, err := c.run(ctx, dir)
			if err != nil {
				return err
			}
			runs[i] = append(runs[i], t)
		}
	}
	for i, c := range list {
		if len(runs[i]) == 0 {
			fmt.Fprintf(out, "%-24s %q is not on the PATH\n", c.name, c.command[0])
			continue
		}
		wall := middle(runs[i], func(t took) float64 { return t.wall.Seconds() })
		fmt.Fprintf(out, "%-24s %8.2f %8.2f %8.0f %8.0f", c.name, wall,
			middle(runs[i], func(t took) float64 { return t.cpu.Seconds() }),
			middle(runs[i], func(t took) float64 { return t.peak }), wall*1e9/float64(edges))
		if i > 0 {
			ratios := make([]float64, rounds)
			for n := range ratios {
				ratios[n] = runs[i][n].wall.Seconds() / runs[0][n].wall.Seconds()
			}
			fmt.Fprintf(out, "  %.2f (%.2f)", middle(ratios, func(r float64) float64 { return r }), slices.Min(ratios))
		}
		fmt.Fprintln(out)
	}
	return nil
}

// middle is the median of a figure of all runs.
func middle[T any](runs []T, figure func(T) float64) float64 {
	var all []float64
	for _, r := range runs {
		all = append(all, figure(r))
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// took is what one run took.
type took struct {
	wall, cpu time.Duration
	peak      float64 // resident memory, in MB
}

func (c contender) run(ctx context.Context, dir string) (t took, err error) {
	command := exec.CommandContext(ctx, c.command[0], c.command[1:]...)
	command.Dir, command.Env = dir, append(os.Environ(), "LC_ALL=C")
	began := time.Now()
	if text, err := command.CombinedOutput(); err != nil {
		return t, fmt.Errorf("%s: %w: %s", c.name, err, text)
	}
	t.wall = time.Since(began)
	t.cpu = command.ProcessState.UserTime() + command.ProcessState.SystemTime()
	t.peak = float64(command.ProcessState.SysUsage().(*syscall.Rusage).Maxrss) / 1e3
	return t, nil
}

// writeFull writes a graph with every optional field, as edges.csv and edges.jsonl.
func writeFull(dir string, edges int64) error {
	o := graph.Default()
	o.Edges = edges
	g, err := graph.New(o)
	if err != nil {
		return err
	}
	rows, err := os.Create(filepath.Join(dir, "edges.csv"))
	if err != nil {
		return err
	}
	lines, err := os.Create(filepath.Join(dir, "edges.jsonl"))
	if err != nil {
		return err
	}
	f := &fullRows{csv: bufio.NewWriter(rows), jsonl: bufio.NewWriter(lines)}
	fmt.Fprintln(f.csv, "From_Account,To_Account,Remark,RemarkTime,GroupName,AddSource,AddWording,AddTime,"+
		"Tag_SNS_Custom_Badge")
	return errors.Join(g.Write(f), f.csv.Flush(), f.jsonl.Flush(), rows.Close(), lines.Close())
}

// fullRows adds optional fields to the rows that are written to it. Of the remarks one in five is
// in quotes.
type fullRows struct {
	csv, jsonl *bufio.Writer
	n          int
}

func (f *fullRows) Write(b []byte) (int, error) {
	names := []string{"Emma", "Leo", "Anna Maria", "Paul Jones"}
	groups := []string{"Family", "Sports", "Music", "Travel", "Neighbours"}
	for line := range bytes.Lines(b) {
		cells := bytes.Split(bytes.TrimSpace(line), []byte{','})
		if f.n++; f.n == 1 {
			continue // the header
		}
		h := uint64(f.n) * 0x9E3779B97F4A7C15 >> 20
		remark, quote := names[h%4]+" "+names[h/4%4], ""
		if h%5 == 0 {
			remark, quote = names[h%4]+", "+names[h/4%4], `"`
		}
		first, second := groups[h/7%5], groups[h/49%5]
		time1, time2, badge := 1_400_000_000+h%300_000_000, 1_400_000_000+h/3%300_000_000, h%100
		const wording = "From the running club"
		fmt.Fprintf(f.csv, "%s,%s,%s%s%s,%d,%s;%s,%s,%s,%d,level %d\n", cells[0], cells[1], quote, remark, quote, time1,
			first, second, cells[2], wording, time2, badge)
		fmt.Fprintf(f.jsonl, `{"From_Account":%q,"To_Account":%q,"Remark":%q,"RemarkTime":%d,"GroupName":[%q,%q],`+
			`"AddSource":%q,"AddWording":%q,"AddTime":%d,"CustomItem":[{"Tag":"Tag_SNS_Custom_Badge",`+
			`"Value":"level %d"}]}`+"\n",
			cells[0], cells[1], remark, time1, first, second, cells[2], wording, time2, badge)
	}
	return len(b), nil
}
