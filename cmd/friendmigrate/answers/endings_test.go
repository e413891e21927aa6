package answers

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"friendmigrate/migrate"
	"friendmigrate/sink/simulator"
)

// TestEndings runs the whole program into each of its endings over loopback, looks at exit code,
// last line and lists, and goes on as the last line says.
func TestEndings(t *testing.T) {
	t.Parallel()
	for _, ending := range []struct {
		name string
		play func(*testing.T)
	}{
		{"a bad night is survived", endsWell},
		{"poison is found, and sent again", endsWithPoison},
		{"everything is refused edge by edge", endsRefused},
		{"the key is the wrong one", endsWithoutKey},
		{"nobody is there, and later somebody is", endsInOutage},
		{"the proxy refuses", endsAtTheProxy},
	} {
		t.Run(ending.name, func(t *testing.T) {
			t.Parallel()
			ending.play(t)
		})
	}
}

func endsWell(t *testing.T) {
	c := looped(t, badNight())
	edges := ring(150, 5)
	p := newProgram(t, edges)
	run, code := p.run(importing(c.endpoint, "--rate", "100", "--workers", "40", "--timeout", "800ms")...)
	p.expect(run, code, 0, "all .* edges are in place")
	p.everything(c, edges, nil)
	var report struct {
		Edges struct{ Imported, Already, Failed, Pending int64 }
		Calls struct{ Sent, Retried, Throttled, Uncertain, Holds, SignaturesRenewed int64 }
	}
	p.json("state/report.json", &report)
	s, k := c.Stats(), report.Calls
	t.Logf("%d calls, %d given up by the client, %d overlaps; the report: %+v", s.Calls, s.GaveUp, s.Overlaps, report)
	if report.Edges.Failed+report.Edges.Pending != 0 || report.Edges.Imported+report.Edges.Already != 750 {
		t.Errorf("the sum does not balance")
	}
	if k.Sent < s.Calls || k.Retried == 0 || k.Throttled == 0 || k.SignaturesRenewed != 1 || k.Holds == 0 || k.Uncertain == 0 || k.Uncertain > k.Sent/5 {
		t.Errorf("the report's calls are not those of this night")
	}
}

// json reads a file of the state folder.
func (p *program) json(name string, into any) {
	p.t.Helper()
	text, err := os.ReadFile(p.path(name))
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

func endsWithPoison(t *testing.T) {
	const text = "Err_SNS_FriendImport_Custom_Tag_Illegal, see the console"
	poison := simulator.NewSet("u7->u9", "u8->u12", "u31->u32", "u31->u33")
	c := looped(t, simulator.Config{Faults: simulator.Faults{Poison: poison, PoisonInfo: text}})
	p := newProgram(t, ring(60, 8))
	run, code := p.run(importing(c.endpoint, "--rate", "100000")...)
	p.expect(run, code, 3, "4 edges failed")
	p.everything(c, ring(60, 8), poison)
	for name, row := range p.failed() {
		if !poison.Has(name) || row["ResultCode"] != "30001" || row["ResultInfo"] != text {
			t.Errorf("%s failed with %s %q", name, row["ResultCode"], row["ResultInfo"])
		}
	}
	c.Reconfigure(func(c *simulator.Config) { c.Poison = nil })
	run, code = p.run(append(importing(c.endpoint, "--rate", "100000"), "--retry-failed")...)
	p.expect(run, code, 0, "all 480 edges are in place")
	p.everything(c, ring(60, 8), nil)
}

func endsRefused(t *testing.T) {
	const text = "Err_SNS_FriendImport_Custom_Tag_Illegal"
	c := looped(t, simulator.Config{Faults: simulator.Faults{PoisonShare: 1, PoisonInfo: text}})
	p := newProgram(t, ring(60, 8))
	run, code := p.run(importing(c.endpoint, "--rate", "100000")...)
	p.expect(run, code, 6, "refused edge by edge.*failed.csv")
	p.everything(c, ring(0, 0), nil)
	if n := len(p.failed()); n != 24 {
		t.Errorf("%d edges failed before the brake", n)
	}
}

func endsWithoutKey(t *testing.T) {
	c := looped(t, simulator.Config{})
	p := newProgram(t, ring(60, 2))
	p.write("key", strings.Repeat("0", 64))
	run, code := p.run(importing(c.endpoint)...)
	p.expect(run, code, 12, "--secret-key-file")
	p.write("key", key)
	run, code = p.run(importing(c.endpoint, "--rate", "100000")...)
	p.expect(run, code, 0, "all 120 edges")
	p.everything(c, ring(60, 2), nil)
}

func endsInOutage(t *testing.T) {
	c := looped(t, simulator.Config{Faults: simulator.Faults{Outages: []simulator.Outage{{Fault: simulator.Fault{Kind: simulator.FaultRefuse}}}}})
	p := newProgram(t, ring(60, 2))
	run, code := p.run(importing(c.endpoint, "--outage-timeout", "1s")...)
	p.expect(run, code, 4, "no answer within 1s.*; 120 of 120 edges are pending.*hint: .* doctor ")
	if n := len(p.failed()); n != 0 {
		t.Errorf("%d edges failed by an outage", n)
	}
	c.Reconfigure(func(c *simulator.Config) { c.Outages = nil })
	run, code = p.run(importing(c.endpoint, "--rate", "100000")...)
	p.expect(run, code, 0, "all 120 edges")
	p.everything(c, ring(60, 2), nil)
}

// badNight is everything that passes, at once: a fifth of the calls and 1 % of the items, an
// outage, a throttle, a signature that is declared expired.
func badNight() simulator.Config {
	return simulator.Config{
		Latency: 5 * time.Millisecond, Jitter: 20 * time.Millisecond, Seed: 4,
		Limits: simulator.Limits{Limit: 100, LimitChanges: []simulator.Change{{At: 1800 * time.Millisecond, To: 40}, {At: 3 * time.Second, To: 100}}},
		Faults: simulator.Faults{
			Shares:    map[string]float64{"code:30006": 0.02, "code:30007": 0.02, "code:30008": 0.02, "code:60008": 0.02, "code:70500": 0.01, "body:object": 0.01, "body:half": 0.01, "body:missing+applied": 0.01, "raw:no-http": 0.01, "http:502": 0.01, "http:429": 0.005, "reset": 0.01, "reset+applied": 0.01, "cut": 0.01, "cut+applied": 0.01, "stall": 0.005, "stall+applied": 0.005, "items:30006": 0.005, "items:30007+applied": 0.005},
			Outages:   []simulator.Outage{{Window: simulator.Window{From: 600 * time.Millisecond, To: 1600 * time.Millisecond}, Fault: simulator.Fault{Kind: simulator.FaultRefuse}}},
			SigExpire: []time.Duration{300 * time.Millisecond},
		},
	}
}

// expect holds the end of a run against an exit code and an expression that the last line has to
// match.
func (p *program) expect(run *process, code, want int, line string) {
	p.t.Helper()
	last := run.lastLine()
	if code != want || !regexp.MustCompile(line).MatchString(last) || !strings.Contains(last, "; hint: ") {
		p.t.Errorf("exit %d, want %d and %q: %s", code, want, line, last)
	}
}

// everything holds the service's graph against edges, but for some.
func (p *program) everything(c *chat, edges func(func(migrate.Edge) bool), but simulator.Set) {
	p.t.Helper()
	var want simulator.Digest
	for e := range edges {
		if !but.Has(pair(e.From, e.To)) {
			want.Add(e.From, e.To)
		}
	}
	s := c.Stats()
	if s.Digest != want.String() {
		p.t.Errorf("the service has %d other edges", s.GraphEdges)
	}
	if s.Overlaps != 0 || s.OverlapsOpen != 0 {
		p.t.Errorf("%d overlaps: %v", s.Overlaps, s.OverlapAccounts)
	}
}

// failed reads the list of failures, by FROM->TO.
func (p *program) failed() map[string]map[string]string {
	p.t.Helper()
	f, err := os.Open(p.path("state/failed.csv"))
	if err != nil {
		p.t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		p.t.Fatal(err)
	}
	list := map[string]map[string]string{}
	for _, row := range rows[1:] {
		named := map[string]string{}
		for i, column := range rows[0] {
			named[column] = row[i]
		}
		list[pair(named["From_Account"], named["To_Account"])] = named
	}
	if len(list) != len(rows)-1 {
		p.t.Errorf("%d rows for %d failed edges", len(rows)-1, len(list))
	}
	return list
}

// TestHalving counts what it costs to find offenders in one full chunk: at most 2k·log2(1000)+2
// calls more than without them, and nothing but the offenders fails.
func TestHalving(t *testing.T) {
	t.Parallel()
	for _, k := range []int{1, 2, 3, 10, 50, 200} {
		synctest.Test(t, func(t *testing.T) {
			const size = migrate.MaxChunkEdges
			const text = "Err_SNS_FriendImport_Custom_Tag_Illegal"
			poison := simulator.Set{}
			for i := range k {
				poison[account(i*size/k+i%7)] = struct{}{}
			}
			c := piped(t, simulator.Config{Faults: simulator.Faults{Poison: poison, PoisonInfo: text}})
			j := newJob(t, star(size))
			e := j.run(t.Context(), c, flags{})
			a := j.audit(c)
			extra, most := float64(c.Stats().Calls-1), 2*float64(k)*math.Log2(size)+2
			t.Logf("%d offenders among %d: %.0f calls more, %.0f at most", k, size, extra, most)
			if e.exit != 3 || extra > most || len(a.failures) != k || a.totals.Imported != int64(size-k) {
				t.Errorf("exit %d, %d failures, %+v", e.exit, len(a.failures), a.totals)
			}
			for name, f := range a.failures {
				if !poison.Has(f.Edge.To) || f.Code != 30001 || f.Info != text {
					t.Errorf("%s failed with %d %q", name, f.Code, f.Info)
				}
			}
		})
	}
}

// star is one account with n friends.
func star(n int) func(func(migrate.Edge) bool) {
	return func(yield func(migrate.Edge) bool) {
		for i := range n {
			if !yield(migrate.Edge{From: "centre", To: account(i), AddSource: "AddSource_Type_Test"}) {
				return
			}
		}
	}
}

// TestTheAuditSees is the control of the suites' own eyes: an engine that believes what nobody said
// must not pass.
func TestTheAuditSees(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := piped(t, simulator.Config{Script: once.script("", simulator.Fault{Kind: simulator.FaultBody, Name: "object"})})
		j := newJob(t, ring(sceneAccounts, sceneFriends))
		j.run(t.Context(), c, flags{workers: 1, wrap: believe})
		if a := j.look(c); len(a.wrong) != sceneFriends {
			t.Errorf("three false successes, and the audit says %q", a.wrong)
		}
		c.Put("nobody", simulator.Friend{To: "nothing"})
		if a := j.look(c); len(a.wrong) != sceneFriends+1 {
			t.Errorf("three false successes and a phantom, and the audit says %q", a.wrong)
		}
	})
	p := &program{t: t, dir: t.TempDir()}
	sig := strings.Repeat("eJw*-_Ab", 20)
	for i, text := range append(disguises(sig), sig, "x?usersig="+sig) {
		name := fmt.Sprint("file", i)
		p.write(name, "some text "+text+" and more")
		if content, err := os.ReadFile(p.path(name)); err != nil || leak(content, disguises(sig)) == "" {
			t.Errorf("a secret was not seen in %q", text)
		}
	}
}

// believe takes every answer for a success.
func believe(call migrate.Caller) migrate.Caller {
	return func(ctx context.Context, from string, edges []migrate.Edge) ([]migrate.Outcome, error) {
		list, err := call(ctx, from, edges)
		if err != nil {
			list = make([]migrate.Outcome, len(edges))
			for i := range list {
				list[i].Kind = migrate.Imported
			}
		}
		return list, nil
	}
}

// endsAtTheProxy: every command that calls names the proxy and its status at once, and shows no
// password.
func endsAtTheProxy(t *testing.T) {
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusProxyAuthRequired) }))
	defer proxy.Close()
	host := strings.TrimPrefix(proxy.URL, "http://")
	p := newProgram(t, ring(3, 1))
	p.env = append(p.env, "HTTPS_PROXY=http://user:pa55word@"+host)
	p.write("ids", "u0\n")
	from := importing("https://chat.invalid")[2:8]
	for _, args := range [][]string{
		importing("https://chat.invalid"),
		append([]string{"import", "edges.csv", "--only-missing", "--state", "another"}, from...),
		append([]string{"verify", "edges.csv", "--state", "third"}, from...),
		append([]string{"verify", "edges.csv", "--state", "third", "--fields"}, from...),
		append([]string{"export", "--accounts", "ids"}, from...),
		append([]string{"doctor"}, from...),
	} {
		run, code := p.run(args...)
		p.expect(run, code, 12, "the proxy "+host+" refused the connection: HTTP 407 Proxy Authentication Required.*HTTPS_PROXY")
		if strings.Contains(run.err.String()+run.out.String(), "pa55word") {
			t.Errorf("%v shows the password:\n%s", args, run.err.String())
		}
	}
}
