package answers

import (
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	life "friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/cmd/friendmigrate/report"
	"friendmigrate/cmd/friendmigrate/verify"
	"friendmigrate/migrate"
	"friendmigrate/migrate/disk"
	"friendmigrate/sink"
	friendlist "friendmigrate/sink/friendlist"
	"friendmigrate/sink/simulator"
	"friendmigrate/source"
)

// verified is what a verify has found.
type verified struct {
	report.Verified
	sent  sink.Stats
	err   error
	lists verify.Lists
}

// Done reports whether there is a verdict on everything.
func (v *verified) Done() bool { return v.Unasked == 0 && len(v.NoVerdict) == 0 }

// verify verifies the job as the command does.
func (j *job) verify(c *chat, f flags, p *verify.Part) verified {
	j.t.Helper()
	f = f.withDefaults()
	client, err := sink.New(sink.Config{
		Endpoint: c.endpoint, SDKAppID: app, Identifier: "administrator", Key: f.key, Rate: f.rate, Workers: f.workers, Timeout: f.timeout, UserAgent: "friendmigrate/test", DialContext: c.dial,
	})
	if err != nil {
		j.t.Fatal(err)
	}
	defer client.Close()
	p.Stage, p.Set.SDKAppID = j.stage, app
	if j.journal.Totals().Settled() > 0 { // else it is as if no job knew them
		p.Journal = j.journal
	}
	if err := p.Begin(j.t.Context()); err != nil {
		j.t.Fatal(err)
	}
	retry := migrate.DefaultRetry
	retry.MaxAttempts = f.maxAttempts
	out := verified{}
	_, out.err = p.Ask(j.t.Context(), verify.Service{Check: client.Check, Pages: func(from string) friendlist.Pages { return client.Friends(from) }}, migrate.Options{
		Workers: f.workers, Memory: 64 << 20, Retry: retry, OutageTimeout: f.outageTimeout, AskService: client.Probe,
	}, func() int64 { return client.Stats().Attempts })
	out.sent = client.Stats()
	if out.Verified, err = p.Look(); err != nil {
		j.t.Fatal(err)
	}
	if err := p.WriteLists(); err != nil {
		j.t.Fatal(err)
	}
	if out.lists = p.Lists; out.Done() {
		err = p.Finish()
	} else {
		err = p.CloseVerdicts()
	}
	if err != nil {
		j.t.Fatal(err)
	}
	return out
}

// TestVerifyUsesItsRate: as many calls as chunks, and 98.5 % of the rate at least, near and far
// from the service.
func TestVerifyUsesItsRate(t *testing.T) {
	t.Parallel()
	for _, latency := range []time.Duration{20 * time.Millisecond, 300 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			c := piped(t, simulator.Config{Latency: latency, Limits: simulator.Limits{Limit: 200}})
			const accounts = 3_000
			fsys := newMemory()
			j := newJobOn(t, fsys, folder+"/staged", fsys, func(yield func(migrate.Edge) bool) {
				ring(accounts, 1)(yield)
				for i := range 2500 { // three calls
					yield(migrate.Edge{From: "hub", To: account(i), AddSource: "AddSource_Type_Test"})
				}
			})
			for e := range ring(accounts, 1) {
				c.Put(e.From, simulator.Friend{To: e.To})
			}
			v := j.verify(c, flags{}, &verify.Part{Job: life.Job{FS: fsys, Dir: folder}})
			s := c.Stats()
			if s.Calls != int64(accounts)+3 || v.InPlace != int64(accounts) || v.Missing != 2500 || v.err != nil {
				t.Errorf("%d calls, %+v", s.Calls, v)
			}
			t.Logf("latency %v: %d calls for %d chunks at %.2f of 200 calls/s, at most %d in a second, %d refused", latency, s.Calls, accounts+3, s.Rate, s.LargestSecond, s.RefusedRate)
			if s.Rate < 0.985*200 || s.LargestSecond > 200 || s.RefusedRate > 0 || s.Overlaps > 0 {
				t.Errorf("rate %.2f, at most %d in a second, %d refused, %d overlaps", s.Rate, s.LargestSecond, s.RefusedRate, s.Overlaps)
			}
		})
	}
}

// change replaces one field of a friend and names it.
func change(random *rand.Rand, f *simulator.Friend) string {
	switch random.IntN(6) {
	case 0:
		f.Remark += "x"
		return "Remark"
	case 1:
		f.Groups = []string{"other"}
		return "GroupName"
	case 2:
		f.AddSource = "AddSource_Type_Other"
		return "AddSource"
	case 3:
		f.AddWording = ""
		return "AddWording"
	case 4:
		f.AddTime++
		return "AddTime"
	}
	f.Custom = []simulator.Custom{{Tag: "Tag_SNS_Custom_Level", Value: f.Custom[0].Value}} // the same digits, as a string
	return "Tag_SNS_Custom_Level"
}

// TestVerifyFindsEveryChangeAndNothingElse: 1,000 edges that were taken out of the service and
// 1,000 fields that were changed there, through passing errors.
func TestVerifyFindsEveryChangeAndNothingElse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) { findEveryChange(t, dir) })
}

func findEveryChange(t *testing.T, dir string) {
	const accounts, friends, hub = 300, 60, 2300
	random := rand.New(rand.NewPCG(1, 2))
	edges := func(yield func(migrate.Edge) bool) {
		full := func(e migrate.Edge, k int) migrate.Edge {
			e.Remark, e.Groups, e.AddWording, e.AddTime = "r", []string{"g1", "g2"}, "w", int64(1_500_000_000+k)
			e.Custom = []migrate.CustomItem{{Tag: "Tag_SNS_Custom_Level", Value: fmt.Sprint(k), Integer: true}}
			return e
		}
		k := 0
		for e := range ring(accounts, friends) {
			k++
			yield(full(e, k))
		}
		for i := range hub {
			yield(full(migrate.Edge{From: "hub", To: account(i), AddSource: "AddSource_Type_Test"}, i))
		}
	}
	j := newJob(t, edges)
	c := piped(t, simulator.Config{Faults: simulator.Faults{Shares: map[string]float64{"code:30006": 0.02, "items:30007": 0.01}}})
	if e := j.run(t.Context(), c, flags{rate: sink.Unpaced, workers: 20}); e.exit != 0 {
		t.Fatalf("%+v", e)
	}
	var all []migrate.Edge
	for e := range edges {
		all = append(all, e)
	}
	gone, changed := map[string]string{}, map[string]string{}
	for n, i := range random.Perm(len(all))[:2000] {
		e := &all[i]
		if n < 1000 {
			gone[pair(e.From, e.To)] = "imported"
			c.Remove(e.From, e.To)
			continue
		}
		f := simulator.Friend{To: e.To, Remark: e.Remark, Groups: []string{"g2", "g1"}, AddSource: e.AddSource, AddWording: e.AddWording, AddTime: uint64(e.AddTime),
			Custom: []simulator.Custom{{Tag: e.Custom[0].Tag, Value: e.Custom[0].Value, Integer: true}}}
		changed[pair(e.From, e.To)] = change(random, &f)
		c.Put(e.From, f)
	}
	o := life.Job{FS: disk.OS{}, Dir: dir, Counts: source.Counts{Inputs: []source.Input{{Name: "in.csv", Format: source.CSV}}}}
	for _, fields := range []bool{false, true} {
		o.Set.Fields = fields
		v := j.verify(c, flags{rate: sink.Unpaced, workers: 20}, &verify.Part{Job: o})
		if v.err != nil || !v.Done() {
			t.Fatalf("fields %t: %+v", fields, v)
		}
		compare(t, v.lists.Missing, "Outcome", gone)
		if want := changed; fields {
			compare(t, v.lists.Different, "Fields", want)
		} else {
			compare(t, v.lists.Different, "Fields", nil)
		}
		t.Logf("fields %t: %d of %d removed edges and %d of %d changed fields found, and nothing else, in %d calls", fields, v.Missing, len(gone), v.Different, len(changed), v.sent.Attempts)
	}
}

// compare holds a list against what has to be in it: for each edge the text of a column.
func compare(t *testing.T, name, column string, want map[string]string) {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	from, to, at, line := slices.Index(rows[0], "From_Account"), slices.Index(rows[0], "To_Account"), slices.Index(rows[0], column), slices.Index(rows[0], "Line")
	before := 0
	for _, row := range rows[1:] {
		p := pair(row[from], row[to])
		if text, listed := want[p]; !listed || text != row[at] {
			t.Errorf("%s lists %s with %q, want %q", name, p, row[at], text)
		}
		number := 0
		if _, err := fmt.Sscan(row[line], &number); err != nil || number <= before {
			t.Errorf("%s is not sorted: line %q after %d", name, row[line], before)
		}
		before = number
	}
	if len(rows)-1 != len(want) {
		t.Errorf("%s has %d edges, want %d", name, len(rows)-1, len(want))
	}
}

// TestNoVerdictIsNeverMissing: what the service does not answer, or answers with a code that
// passes, leaves the verify unfinished. A code that does not pass is asked for twice, and is
// missing then.
func TestNoVerdictIsNeverMissing(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		config simulator.Config
		pairs  string
	}{
		"an item's code":  {simulator.Config{Faults: simulator.Faults{Shares: map[string]float64{"items:30009": 1}, APIs: simulator.NewSet("friend_check")}}, "missing 40"},
		"a code for all":  {simulator.Config{Faults: simulator.Faults{Shares: map[string]float64{"code:30009": 1}, APIs: simulator.NewSet("friend_check")}}, "pending 40"},
		"no such account": {simulator.Config{App: simulator.App{Missing: simulator.NewSet("u1")}}, "missing 40"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fsys := newMemory()
				j := newJobOn(t, fsys, folder+"/staged", fsys, ring(20, 2))
				v := j.verify(piped(t, c.config), flags{outageTimeout: 20 * time.Second}, &verify.Part{Job: life.Job{FS: fsys, Dir: folder}})
				noVerdict := int64(0)
				for _, n := range v.NoVerdict {
					noVerdict += n
				}
				got := strings.TrimSpace(fmt.Sprintf("%s%s%s", some("missing", v.Missing), some("no verdict", noVerdict), some("pending", v.Pending)))
				if got != c.pairs || v.Done() != strings.HasPrefix(c.pairs, "missing") {
					t.Errorf("%s, want %s: %+v", got, c.pairs, v)
				}
			})
		})
	}
}

func some(word string, n int64) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%s %d ", word, n)
}
