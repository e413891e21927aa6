package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"friendmigrate/cmd/trial/graph"
	"friendmigrate/cmd/trial/lab"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout)
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "trial:", err)
		stop()
		os.Exit(1)
	}
}

var errViolated = errors.New("an oracle was violated")

// commands are the commands of trial in addition to breaking the program. script is one of the
// peers.
var commands = map[string]func(ctx context.Context, args []string, out io.Writer) error{
	"edges": writeEdges, "peers": peers, "peersend": peerSend, "script": runScript,
}

func run(ctx context.Context, args []string, out io.Writer) (err error) {
	do := breaks
	if len(args) > 0 && commands[args[0]] != nil {
		do, args = commands[args[0]], args[1:]
	}
	return cmp.Or(lab.Catch(func() { err = do(ctx, args, out) }), err)
}

// breaks is the command without a name. It does the rows.
func breaks(ctx context.Context, args []string, out io.Writer) error {
	s := &suite{out: out}
	flags := flag.NewFlagSet("trial", flag.ContinueOnError)
	size := flags.String("size", "ci", "ci or release: how often each row is done unless its own flag says so")
	only := flags.String("only", "", "do only these rows, separated by commas")
	replay := flags.String("replay", "", "SEED:INDEX of one case of the row that --only names")
	flags.Uint64Var(&s.seed, "seed", uint64(time.Now().UnixNano()%1_000_000), "draws jobs and moments")
	flags.IntVar(&s.parallel, "parallel", 8, "jobs at once; they mostly wait")
	flags.StringVar(&s.shape, "shape", "", "only jobs of this shape")
	flags.StringVar(&s.named, "named", "", "only planted bugs and fuzz targets whose names contain this")
	flags.DurationVar(&patience, "patience", patience, "how long a run may take before it counts as hanging")
	flags.BoolVar(&s.first, "first", false, "begin no case after the first violation")
	flags.BoolVar(&s.keep, "keep", false, "keep the folders of jobs with violations")
	counts := map[string]*int{}
	for _, r := range rows {
		counts[r.name] = flags.Int(r.flag, -1, fmt.Sprintf("%s (ci %d, release %d)", r.help, r.ci, r.release))
	}
	flags.Usage = func() {
		fmt.Fprint(flags.Output(),
			"trial [flags] | trial edges|peers|peersend [flags]\n\n",
			"Breaks the built program and judges what comes of it.\n\n")
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 || *size != "ci" && *size != "release" {
		return fmt.Errorf("%q is not understood; see --help", append([]string{*size}, flags.Args()...))
	}
	plan, err := choose(*only, *size == "release", counts)
	if err != nil {
		return err
	}
	s.index = -1
	if *replay != "" {
		if err := s.setReplay(*replay, plan); err != nil {
			return err
		}
	}
	return s.run(ctx, plan)
}

func choose(only string, release bool, counts map[string]*int) (plan []row, err error) {
	wanted := strings.FieldsFunc(only, func(r rune) bool { return r == ',' })
	for _, name := range wanted {
		if counts[name] == nil {
			return nil, fmt.Errorf("there is no row %q", name)
		}
	}
	for _, r := range rows {
		r.count = r.ci
		if release {
			r.count = r.release
		}
		if n := *counts[r.name]; n >= 0 {
			r.count = n
		}
		if r.count > 0 && (only == "" || slices.Contains(wanted, r.name)) {
			plan = append(plan, r)
		}
	}
	return plan, nil
}

func (s *suite) setReplay(text string, plan []row) error {
	if _, err := fmt.Sscanf(text, "%d:%d", &s.seed, &s.index); err != nil || len(plan) != 1 {
		return fmt.Errorf("--replay takes SEED:INDEX and one row named by --only: %q", text)
	}
	return nil
}

func writeEdges(_ context.Context, args []string, stdout io.Writer) error {
	o := graph.Default()
	f := flag.NewFlagSet("trial edges", flag.ContinueOnError)
	f.Uint64Var(&o.Seed, "seed", o.Seed, "the same seed and flags write the same bytes")
	f.Int64Var(&o.Edges, "edges", o.Edges, "distinct edges")
	f.Float64Var(&o.Mean, "mean", o.Mean, "friends of an account on average, about")
	f.BoolVar(&o.Sorted, "sorted", o.Sorted, "rows by From_Account instead of in random order")
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	g, err := graph.New(o)
	if err != nil {
		return err
	}
	return g.Write(stdout)
}
