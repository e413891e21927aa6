package answers

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"friendmigrate/sink/simulator"
)

// seeds is the variable that says how many random nights are tried; the first of them is number 1.
const seeds = "FRIENDMIGRATE_SEEDS"

// TestRandomNights draws services that are bad in ways of their own, together with a few edges and
// accounts that are bad for good, and interrupts some of the runs. Whatever it takes, in the end
// exactly those edges have failed, all others are in the service, and nothing was ever reported
// that is not there. More of them:
//
//	FRIENDMIGRATE_SEEDS=1000 go test ./cmd/friendmigrate/answers -run TestRandomNights -timeout 1h
func TestRandomNights(t *testing.T) {
	t.Parallel()
	n := smaller(16, 8)
	if text := os.Getenv(seeds); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil {
			t.Fatalf("%s: %v", seeds, err)
		}
	}
	runs, calls := 0, int64(0)
	for seed := range n {
		t.Run(fmt.Sprint(seed+1), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				night := newNight(uint64(seed + 1))
				r, c := night.play(t)
				runs, calls = runs+r, calls+c
			})
		})
	}
	t.Logf("%d nights, %d runs, %d calls: the edges that are bad for good failed, all others are in the service", n, runs, calls)
}

// night is a service with its troubles, and how the job is run against it.
type night struct {
	*rand.Rand
	accounts, friends int
	config            simulator.Config
	flags             flags
	bad               simulator.Set // edges that have to fail
}

func newNight(seed uint64) *night {
	n := &night{Rand: rand.New(rand.NewPCG(seed, 1)), bad: simulator.Set{}}
	n.accounts, n.friends = 20+n.IntN(300), 1+n.IntN(8)
	n.config.Seed = seed
	n.config.Latency, n.config.Jitter = n.upTo(300*time.Millisecond), n.upTo(200*time.Millisecond)
	n.limits()
	n.readings()
	n.shares()
	n.windows()
	n.badForGood()
	from := int64(1)
	for range n.IntN(4) { // the admin goes and comes back, and not twice while one account is asked about
		from += n.Int64N(int64(n.accounts))
		n.config.AdminRemoved = append(n.config.AdminRemoved, simulator.Span{From: from, To: from + 1 + n.Int64N(60)})
		from += 60 + 4*80
	}
	n.flags = flags{
		rate: float64(20 + n.IntN(180)), workers: 1 + n.IntN(80), timeout: time.Second + n.upTo(9*time.Second), onlyMissing: n.chance(0.25),
		chunkBytes: 400 + n.IntN(2000),
	}
	return n
}

func (n *night) chance(p float64) bool                  { return n.Float64() < p }
func (n *night) upTo(d time.Duration) time.Duration     { return time.Duration(n.Int64N(int64(d))) }
func (n *night) after(d time.Duration) simulator.Window { return n.within(d, 20*time.Second) }

func (n *night) within(begin, long time.Duration) simulator.Window {
	from := n.upTo(begin)
	return simulator.Window{From: from, To: from + 1 + n.upTo(long)}
}

func (n *night) limits() {
	c := &n.config
	if n.chance(0.5) {
		c.Limit, c.CountRefused = float64(20+n.IntN(200)), n.chance(0.5)
		c.ThrottleCode = []int{60007, 60011, 60018, 60019, 72010, 429}[n.IntN(6)]
		c.RetryAfter = []string{"", "1", "soon"}[n.IntN(3)]
	}
}

func (n *night) readings() {
	n.config.Readings = simulator.Readings{
		Reimport: simulator.Reimport(n.IntN(4)), KeepFields: n.chance(0.5), Order: simulator.Order(n.IntN(4)), FullRefuses: n.chance(0.5),
		ConflictItems: n.chance(0.5), NoFailAccount: n.chance(0.3), BusyAfter: n.upTo(300 * time.Millisecond),
	}
}

// shares draws what goes wrong by chance: some kinds, up to 3 % of the calls each.
func (n *night) shares() {
	n.config.Shares = map[string]float64{}
	draw := func(p, most float64, text string) {
		if n.chance(p) {
			n.config.Shares[text] = most * n.Float64()
		}
	}
	for _, applied := range []string{"", "+applied"} {
		codes, items := []int{30006, 30007, 30008, 60008, 60013, 60014, 70169, 70202, 70500, 60007}, []int{30006, 30007, 30008}
		statuses := []int{500, 502, 503, 504, 429, 408}
		if applied != "" {
			codes, items, statuses = []int{30006, 30007, 60008, 60013, 70169, 70500}, items[:2], statuses[:4]
		}
		for i, list := range [][]int{codes, items, statuses} {
			for _, code := range list {
				draw(0.3, 0.03, []string{"code:", "items:", "http:"}[i]+strconv.Itoa(code)+applied)
			}
		}
		for i, list := range [][]string{n.bodies(), simulator.RawKinds()} {
			for range 3 {
				draw(1, 0.03, []string{"body:", "raw:"}[i]+list[n.IntN(len(list))]+applied)
			}
		}
		for _, kind := range []string{"reset", "close", "cut", "stall", "stall-headers", "stall-half"} {
			draw(0.3, 0.01, kind+applied)
		}
	}
	draw(0.3, 0.01, "drip")
	draw(0.3, 0.01, "spike")
}

// bodies are the odd bodies but for those that say something else than "again", and those that are
// only large.
func (n *night) bodies() (list []string) {
	for _, kind := range simulator.BodyKinds() {
		if kind != "page-stuck" && kind != "code-negative" && kind != "huge" && kind != "gzip-bomb" {
			list = append(list, kind)
		}
	}
	return list
}

// windows draws what goes wrong for everybody, for some seconds.
func (n *night) windows() {
	f := &n.config.Faults
	for range n.IntN(3) {
		fault := []simulator.Fault{
			{Kind: simulator.FaultRefuse}, {Kind: simulator.FaultStall}, {Kind: simulator.FaultStatus, Code: 503}, {Kind: simulator.FaultCode, Code: 30006},
			{Kind: simulator.FaultBody, Name: "html"}, {Kind: simulator.FaultReset, Applied: true}, {Kind: simulator.FaultCode, Code: 60008, Applied: true},
		}[n.IntN(7)]
		f.Outages = append(f.Outages, simulator.Outage{Window: n.after(time.Minute), Fault: fault})
	}
	for i := range n.IntN(3) { // well apart: a second refusal at once means that something is wrong for good
		f.SigExpire = append(f.SigExpire, time.Duration(i)*30*time.Second+n.upTo(20*time.Second))
	}
	if n.chance(0.5) {
		f.HotShare, f.HotWindow = 0.2*n.Float64(), n.within(10*time.Second, time.Minute)
	}
}

// badForGood draws edges that spoil every call they are in, and accounts that don't exist.
func (n *night) badForGood() {
	poison, missing := simulator.Set{}, simulator.Set{}
	for range n.IntN(4) {
		missing[account(n.IntN(n.accounts))] = struct{}{}
	}
	for range n.IntN(6) {
		i := n.IntN(n.accounts)
		poison[pair(account(i), account((i+1+n.IntN(n.friends))%n.accounts))] = struct{}{}
	}
	for e := range ring(n.accounts, n.friends) {
		if name := pair(e.From, e.To); missing.Has(e.From) || missing.Has(e.To) || poison.Has(name) {
			n.bad[name] = struct{}{}
		}
	}
	n.config.Poison, n.config.Missing = poison, missing
}

// play runs the job until its exit code says that there is nothing more to run.
func (n *night) play(t *testing.T) (runs int, calls int64) {
	c := piped(t, n.config)
	j := newJob(t, ring(n.accounts, n.friends))
	for {
		ctx, cancel := context.WithCancel(t.Context())
		if runs < 3 && n.chance(0.5) {
			time.AfterFunc(n.upTo(30*time.Second), cancel)
		}
		e := j.run(ctx, c, n.flags)
		cancel()
		a := j.audit(c)
		away := e.exit == 12 && e.stop.Code == 70107 && len(n.config.AdminRemoved) > 0
		if runs++; (e.exit == 4 || away) && runs < 100 {
			continue
		}
		want := 0
		if len(n.bad) > 0 {
			want = 3
		}
		if e.exit != want || len(a.open) != 0 {
			t.Errorf("exit %d after %d runs, want %d; %+v: %v", e.exit, runs, want, a.totals, e.err)
		}
		n.judge(t, c, a)
		return runs, c.Stats().Calls
	}
}

func (n *night) judge(t *testing.T, c *chat, a audit) {
	t.Helper()
	for name, f := range a.failures {
		if !n.bad.Has(name) {
			t.Errorf("%s failed with %d %q after %d attempts, and nothing is wrong with it", name, f.Code, f.Info, f.Attempts)
		}
	}
	if len(a.failures) != len(n.bad) {
		t.Errorf("%d edges failed, want %d", len(a.failures), len(n.bad))
	}
	if a.totals.Already != a.totals.AlreadyUncertain {
		t.Errorf("%d edges were there before, but only %d are known as sent without an answer", a.totals.Already, a.totals.AlreadyUncertain)
	}
	if s := c.Stats(); float64(s.LargestSecond) > n.flags.rate {
		t.Errorf("%d calls in a second at a rate of %g", s.LargestSecond, n.flags.rate)
	}
}
