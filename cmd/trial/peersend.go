package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"friendmigrate/cmd/trial/lab"
	"friendmigrate/sink/simulator"
)

// peerSend compares sending without limit and latency with a one-off script: calls a second, and
// the CPU time of the whole run. Both read the same file and meet a new service each time, in turn.
func peerSend(ctx context.Context, args []string, out io.Writer) (err error) {
	flags := flag.NewFlagSet("trial peersend", flag.ContinueOnError)
	accounts := flags.Int("accounts", 30_000, "of the input, with 20 to 30 friends each")
	rounds := flags.Int("rounds", 3, "runs of each; the median counts")
	old := flags.String("against", "", "another `binary` of the program that runs in turn with the others")
	script := flags.String("script", "", "be the script: send this `file` to the URL that follows")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *script != "" {
		return runScript(*script, flags.Arg(0))
	}
	dir, err := os.MkdirTemp("", "peersend-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	p := &sendPeers{dir: dir, out: out, old: lab.Binary(*old)}
	if p.program, err = lab.Build(ctx, dir, "friendmigrate"); err != nil {
		return err
	}
	return errors.Join(writeRosters(dir, *accounts), p.compare(ctx, *accounts, *rounds))
}

// writeRosters writes the key and edges.csv: so many accounts with 20 to 30 friends, in no order.
func writeRosters(dir string, accounts int) error {
	draw := rand.New(rand.NewPCG(uint64(accounts), 1))
	var rows []uint64
	for from := range accounts {
		for k := range 20 + draw.IntN(11) {
			rows = append(rows, uint64(from)<<32|uint64((from+k+1)%accounts))
		}
	}
	draw.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	f, err := os.Create(filepath.Join(dir, "edges.csv"))
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	fmt.Fprintln(w, "From_Account,To_Account,Remark,AddSource")
	for _, row := range rows {
		fmt.Fprintf(w, "user%d,user%d,Friend %d,AddSource_Type_Import\n", row>>32, uint32(row), row%1000)
	}
	return errors.Join(w.Flush(), f.Close(), os.WriteFile(filepath.Join(dir, "key"), []byte(lab.Key), 0o600))
}

// sendPeers runs the program and the script.
type sendPeers struct {
	dir          string
	out          io.Writer
	program, old lab.Binary
}

// sending is what one run took.
type sending struct {
	rate float64       // calls a second, as the service saw them
	cpu  time.Duration // of the whole run
	took time.Duration
}

// compare prints a line for each program: the medians, and the ratio to the script.
func (p *sendPeers) compare(ctx context.Context, accounts, rounds int) error {
	names := []string{"script", "friendmigrate"}
	if p.old != "" {
		names = append(names, "friendmigrate before")
	}
	runs := map[string][]sending{}
	for range rounds {
		for _, name := range names {
			s, err := p.run(ctx, name, int64(accounts))
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			runs[name] = append(runs[name], s)
		}
	}
	script := medianOf(runs[names[0]])
	for _, name := range names {
		m := medianOf(runs[name])
		fmt.Fprintf(p.out, "%7d accounts  %-20s %6.0f calls/s (%.2f)  CPU %5.2f s (%.2f)  whole run %5.2f s\n",
			accounts,
			name,
			m.rate, m.rate/script.rate, m.cpu.Seconds(), m.cpu.Seconds()/script.cpu.Seconds(), m.took.Seconds())
	}
	return nil
}

// medianOf is the median of each figure.
func medianOf(runs []sending) sending {
	return sending{
		rate: middle(runs, func(s sending) float64 { return s.rate }),
		cpu:  time.Duration(middle(runs, func(s sending) float64 { return float64(s.cpu) })),
		took: time.Duration(middle(runs, func(s sending) float64 { return float64(s.took) })),
	}
}

// run sends the input to a new service. Every account is one call.
func (p *sendPeers) run(ctx context.Context, name string, accounts int64) (s sending, err error) {
	sim := simulator.New(simulator.Config{App: simulator.App{SDKAppID: lab.App, Key: lab.Key}, Compact: true})
	defer sim.Close()
	service, err := lab.Listen(sim, nil)
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, service.Close()) }()
	self, err := os.Executable()
	if err != nil {
		return s, err
	}
	command := exec.CommandContext(ctx, self, "peersend", "--script", "edges.csv", service.URL)
	if name != "script" {
		binary := p.program
		if name != "friendmigrate" {
			binary = p.old
		}
		command = exec.CommandContext(ctx, string(binary), strings.Fields(fmt.Sprintf("import --sdk-app-id %d "+
			"--secret-key-file key --endpoint %s --rate 1000000 --workers 50 --progress none --state state --fresh "+
			"edges.csv",
			lab.App, service.URL))...)
	}
	command.Dir = p.dir
	began := time.Now()
	if text, err := command.CombinedOutput(); err != nil {
		return s, fmt.Errorf("%w: %s", err, text)
	}
	s.took = time.Since(began)
	s.cpu = command.ProcessState.UserTime() + command.ProcessState.SystemTime()
	stats := sim.Stats()
	if s.rate = stats.Rate; stats.Calls != accounts {
		err = fmt.Errorf("%d calls for %d accounts", stats.Calls, accounts)
	}
	return s, errors.Join(err, os.RemoveAll(filepath.Join(p.dir, "state")))
}
