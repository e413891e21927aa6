package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/tencentyun/tls-sig-api-v2-golang/tencentyun"

	"friendmigrate/cmd/trial/graph"
	"friendmigrate/cmd/trial/lab"
	"friendmigrate/sink/simulator"
)

// race compares the program with others that do the same. All run in turn on the same inputs, since
// disks and machines change from minute to minute: what counts is the ratio within a round.
type race struct {
	dir    string
	rounds int
	list   []contender // the others are compared with the first one
}

// contender is a program that does the job.
type contender struct {
	name string
	run  func(context.Context) took
}

type took struct {
	wall, cpu time.Duration
	peak      float64 // resident memory, in MB
	rate      float64 // edges or calls a second
}

// newRace reads the flags that every race has, in addition to those in flags, and makes a folder,
// which the caller removes. before is the binary of --against.
func newRace(flags *flag.FlagSet, args []string) (r *race, before lab.Binary, err error) {
	rounds := flags.Int("rounds", 3, "runs of each; the median counts")
	folder := flags.String("folder", "", "make a folder in this `folder` for the inputs and what the programs write")
	old := flags.String("against", "", "another `binary` of the program that runs in turn with the others")
	if err := flags.Parse(args); err != nil {
		return nil, "", err
	}
	return &race{dir: lab.Must(os.MkdirTemp(*folder, "race-")), rounds: *rounds}, lab.Binary(*old), nil
}

// program adds the program, built now, and the binary to compare it with, if there is one.
func (r *race) program(ctx context.Context, before lab.Binary, add func(b lab.Binary, name string)) {
	add(lab.Build(ctx, r.dir, "friendmigrate"), "friendmigrate")
	if before != "" {
		add(before, "friendmigrate before")
	}
}

func (r *race) command(ctx context.Context, words ...string) (t took) {
	c := exec.CommandContext(ctx, words[0], words[1:]...)
	c.Dir, c.Env = r.dir, append(os.Environ(), "LC_ALL=C")
	began := time.Now()
	lab.Output(c)
	t.wall, t.cpu = time.Since(began), c.ProcessState.UserTime()+c.ProcessState.SystemTime()
	t.peak = float64(c.ProcessState.SysUsage().(*syscall.Rusage).Maxrss) / 1e3
	return t
}

// print runs all contenders and prints a line for each: medians, and how much faster the first one
// is.
func (r *race) print(ctx context.Context, out io.Writer, unit string) {
	runs := make([][]took, len(r.list))
	for range r.rounds {
		for i, c := range r.list {
			runs[i] = append(runs[i], c.run(ctx))
		}
	}
	fmt.Fprintf(out, "medians of %d rounds in turn; x: rate and processor time of the first over this one's\n"+
		"%-26s %8s %8s %8s %10s %14s %8s\n",
		r.rounds, "", "wall s", "CPU s", "peak MB", unit, "x rate (least)", "x CPU")
	for i, c := range r.list {
		median := func(figure func(t, first took) float64) (middle, least float64) {
			var all []float64
			for round, t := range runs[i] {
				all = append(all, figure(t, runs[0][round]))
			}
			slices.Sort(all)
			return all[len(all)/2], all[0]
		}
		wall, _ := median(func(t, _ took) float64 { return t.wall.Seconds() })
		cpu, _ := median(func(t, _ took) float64 { return t.cpu.Seconds() })
		peak, _ := median(func(t, _ took) float64 { return t.peak })
		rate, _ := median(func(t, _ took) float64 { return t.rate })
		faster, least := median(func(t, first took) float64 { return first.rate / t.rate })
		dearer, _ := median(func(t, first took) float64 { return first.cpu.Seconds() / t.cpu.Seconds() })
		fmt.Fprintf(out, "%-26s %8.2f %8.2f %8.0f %10.0f %7.2f (%4.2f) %8.2f\n", c.name, wall, cpu, peak, rate, faster,
			least, dearer)
	}
}

// peers compares plan with programs that sort the same rows by From_Account in as much memory.
func peers(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("trial peers", flag.ContinueOnError)
	edges := flags.Int64("edges", 5_000_000, "of the input, in random order, with nine columns; 650 bytes each on disk")
	withJSONL := flags.Bool("jsonl", true, "the same edges as JSONL too; without it 400 bytes each on disk")
	r, before, err := newRace(flags, args)
	if err != nil {
		return err
	}
	defer func() { lab.Check(os.RemoveAll(r.dir)) }()
	add := func(name string, words ...string) {
		r.list = append(r.list, contender{name, func(ctx context.Context) took {
			t := r.command(ctx, words...)
			t.rate = float64(*edges) / t.wall.Seconds()
			return t
		}})
	}
	r.program(ctx, before, func(b lab.Binary, name string) {
		add(name+", CSV", string(b), "plan", "--progress", "none", "--state", "state", "edges.csv")
		if *withJSONL {
			add(name+", JSONL", string(b), "plan", "--progress", "none", "--state", "state", "edges.jsonl")
		}
	})
	add("sort -S 256M", strings.Fields("sort --parallel=2 -S 256M -T . -t, -k1,1 -s edges.csv -o sorted")...)
	const sql = "SET threads=2; SET memory_limit='256MB'; SET preserve_insertion_order=false; " +
		"COPY (SELECT * FROM read_csv('edges.csv', all_varchar=true) ORDER BY From_Account) TO 'sorted'"
	_, missing := exec.LookPath("duckdb")
	switch {
	case missing == nil:
		add("duckdb ORDER BY, 256 MB", "duckdb", "-c", sql)
	case exec.CommandContext(ctx, "python3", "-c", "import duckdb").Run() == nil:
		add("duckdb ORDER BY, 256 MB", "python3", "-c", "import duckdb, sys; duckdb.execute(sys.argv[1])", sql)
	default:
		fmt.Fprintln(out, "left out: neither is duckdb on the PATH, nor can python3 import it")
	}
	writeFull(r.dir, *edges, *withJSONL)
	fmt.Fprintf(out, "%d edges, ", *edges)
	r.print(ctx, out, "edges/s")
	return nil
}

// writeFull writes a graph with every optional field, as edges.csv and, if withJSONL is set, as
// edges.jsonl. One remark in five is quoted.
func writeFull(dir string, edges int64, withJSONL bool) {
	o := graph.Default()
	o.Edges = edges
	table, lines := create(dir, "edges.csv"), create(dir, "edges.jsonl")
	fmt.Fprintln(table, "From_Account,To_Account,Remark,RemarkTime,GroupName,AddSource,AddWording,AddTime,"+
		"Tag_SNS_Custom_Badge")
	names := []string{"Emma", "Leo", "Anna Maria", "Paul Jones"}
	groups := []string{"Family", "Sports", "Music", "Travel", "Neighbours"}
	const source, wording = "AddSource_Type_Import", "From the running club"
	n := uint64(1)
	for from, to := range lab.Must(graph.New(o)).Edges() {
		n++
		h := n * 0x9E3779B97F4A7C15 >> 20
		remark, quote := names[h%4]+" "+names[h/4%4], ""
		if h%5 == 0 {
			remark, quote = names[h%4]+", "+names[h/4%4], `"`
		}
		first, second := groups[h/7%5], groups[h/49%5]
		time1, time2, badge := 1_400_000_000+h%300_000_000, 1_400_000_000+h/3%300_000_000, h%100
		fmt.Fprintf(table, "%s,%s,%s%s%s,%d,%s;%s,%s,%s,%d,level %d\n", from, to, quote, remark, quote, time1,
			first, second, source, wording, time2, badge)
		if !withJSONL {
			continue
		}
		fmt.Fprintf(lines, `{"From_Account":%q,"To_Account":%q,"Remark":%q,"RemarkTime":%d,"GroupName":[%q,%q],`+
			`"AddSource":%q,"AddWording":%q,"AddTime":%d,"CustomItem":[{"Tag":"Tag_SNS_Custom_Badge",`+
			`"Value":"level %d"}]}`+"\n",
			from, to, remark, time1, first, second, source, wording, time2, badge)
	}
	lab.Check(errors.Join(table.close(), lines.close()))
}

// peerSend compares sending without limit and latency with a one-off script: calls per second, and
// CPU time of the whole run. Both read the same file, and send to a new service each time.
func peerSend(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("trial peersend", flag.ContinueOnError)
	accounts := flags.Int("accounts", 30_000, "of the input, with 20 to 30 friends each")
	r, before, err := newRace(flags, args)
	if err != nil {
		return err
	}
	defer func() { lab.Check(os.RemoveAll(r.dir)) }()
	r.program(ctx, before, func(b lab.Binary, name string) {
		r.list = append(r.list, contender{name, func(ctx context.Context) took {
			return r.send(ctx, *accounts, func(url string) []string {
				words := append([]string{string(b), "import"}, lab.Reach(url)...)
				return append(words, strings.Fields("--rate 1000000 --workers 50 --state state --fresh edges.csv")...)
			})
		}})
	})
	self := lab.Must(os.Executable())
	r.list = append(r.list, contender{"script", func(ctx context.Context) took {
		return r.send(ctx, *accounts, func(url string) []string {
			return []string{self, "script", "edges.csv", url}
		})
	}})
	writeRosters(r.dir, *accounts)
	fmt.Fprintf(out, "%d accounts, ", *accounts)
	r.print(ctx, out, "calls/s")
	return nil
}

// send sends the input to a new service, which measures the rate. Every account is one call.
func (r *race) send(ctx context.Context, accounts int, words func(url string) []string) took {
	sim := simulator.New(simulator.Config{App: lab.TheApp, Compact: true})
	service := lab.Listen(sim)
	defer service.Close()
	t := r.command(ctx, words(service.URL)...)
	stats := sim.Stats()
	if t.rate = stats.Rate; stats.Calls != int64(accounts) {
		lab.Check(fmt.Errorf("%d calls for %d accounts", stats.Calls, accounts))
	}
	lab.Check(os.RemoveAll(filepath.Join(r.dir, "state")))
	return t
}

// writeRosters writes the key and edges.csv: accounts with 20 to 30 friends each, in random order.
func writeRosters(dir string, accounts int) {
	draw := rand.New(rand.NewPCG(uint64(accounts), 1))
	var rows []uint64
	for from := range accounts {
		for k := range 20 + draw.IntN(11) {
			rows = append(rows, uint64(from)<<32|uint64((from+k+1)%accounts))
		}
	}
	draw.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	f := create(dir, "edges.csv")
	fmt.Fprintln(f, "From_Account,To_Account,Remark,AddSource")
	for _, row := range rows {
		fmt.Fprintf(f, "user%d,user%d,Friend %d,AddSource_Type_Import\n", row>>32, uint32(row), row%1000)
	}
	lab.Check(errors.Join(f.close(), os.WriteFile(filepath.Join(dir, "key"), []byte(lab.Key), 0o600)))
}

type file struct {
	*bufio.Writer
	f *os.File
}

func create(dir, name string) file {
	f := lab.Must(os.Create(filepath.Join(dir, name)))
	return file{bufio.NewWriter(f), f}
}

func (f file) close() error { return errors.Join(f.Flush(), f.f.Close()) }

// runScript is the one-off script that an engineer would write. It reads the file into a map, lets
// a pool of workers send one call for each account with JSON made by hand, reads the answers with
// encoding/json and stops at the first error. It does not limit its rate, and does not retry or
// record anything.
func runScript(_ context.Context, args []string, _ io.Writer) error {
	if len(args) != 2 {
		return errors.New("the script takes a file and a URL")
	}
	rosters := readRosters(args[0])
	accounts := slices.Collect(maps.Keys(rosters))
	sig := lab.Must(tencentyun.GenUserSig(lab.App, lab.Key, "administrator", 86400))
	const workers = 50
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConns, transport.MaxIdleConnsPerHost = workers, workers
	client := http.Client{Transport: transport}
	url := fmt.Sprintf("%s/v4/sns/friend_import?sdkappid=%d&identifier=administrator&usersig=%s&random=1"+
		"&contenttype=json", args[1], lab.App, sig)
	sideBySide(workers, func(i int) bool { return i < len(accounts) }, func(i int) {
		lab.Check(sendRoster(&client, url, accounts[i], rosters[accounts[i]]))
	})
	return nil
}

func readRosters(file string) map[string][][]string {
	f := lab.Must(os.Open(file))
	defer f.Close()
	rosters := map[string][][]string{}
	r := csv.NewReader(f)
	lab.Must(r.Read()) // the header
	for {
		row, err := r.Read()
		if err == io.EOF {
			return rosters
		}
		lab.Check(err)
		rosters[row[0]] = append(rosters[row[0]], row[1:])
	}
}

func sendRoster(client *http.Client, url, from string, friends [][]string) error {
	body := []byte(`{"From_Account":` + strconv.Quote(from) + `,"AddFriendItem":[`)
	for i, friend := range friends {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(body, `{"To_Account":`...)
		body = strconv.AppendQuote(body, friend[0])
		body = append(body, `,"Remark":`...)
		body = strconv.AppendQuote(body, friend[1])
		body = append(body, `,"AddSource":`...)
		body = append(strconv.AppendQuote(body, friend[2]), '}')
	}
	res, err := client.Post(url, "application/json", bytes.NewReader(append(body, "]}"...)))
	if err != nil {
		return err
	}
	defer res.Body.Close()
	var answer struct {
		ResultItem []struct {
			ToAccount  string `json:"To_Account"`
			ResultCode int
			ResultInfo string
		}
		ActionStatus string
		ErrorCode    int
		ErrorInfo    string
	}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, res.Body) // so that the connection can be used again
	if answer.ErrorCode != 0 || len(answer.ResultItem) != len(friends) {
		return fmt.Errorf("%s: code %d, %d results: %s", from, answer.ErrorCode, len(answer.ResultItem),
			answer.ErrorInfo)
	}
	for _, item := range answer.ResultItem {
		if item.ResultCode != 0 {
			return fmt.Errorf("%s and %s: code %d", from, item.ToAccount, item.ResultCode)
		}
	}
	return nil
}
