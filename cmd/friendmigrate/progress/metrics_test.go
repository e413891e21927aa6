package progress

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"friendmigrate/checkpoint"
	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/report"
	"friendmigrate/migrate"
	"friendmigrate/sink"
)

// busy is a view at which every metric has a value: one of a run that sends, and that of a run that
// reads.
func busy() (sending, reading *View) {
	account := report.Sums{
		Rows:  report.Sum{Read: 100, Counts: checkpoint.Counts{Imported: 40, Already: 5, AlreadyUncertain: 1, Failed: 6}, Rejected: 2, Duplicate: 3, Pending: 44},
		Added: report.Added{Edges: 10, Counts: checkpoint.Counts{Imported: 4, Already: 1, Failed: 1}, Pending: 4},
	}
	stats := sink.Stats{
		Attempts: 17, Throttled: 2, Uncertain: 3, Renewals: 5, InFlight: 8,
		Calls:   []sink.CallCount{{API: "friend_import", Result: "0", Count: 12}, {API: "friend_import", Result: "60007", Count: 2}, {API: "friend_get", Result: "timeout", Count: 3}},
		Latency: sink.Histogram{Bounds: []float64{0.1, 1}, Counts: []int64{10, 5, 2}, Sum: 9},
	}
	left := 30.0
	sending = NewView()
	sending.Begin(Labels{Command: "import", Shard: "1/4", Version: "test"})
	s := Snapshot{
		At: time.Now(), Phase: Sending, Sums: &account, Failures: map[int]int64{30003: 5, 30010: 2}, Settled: 57, Total: 105, Left: &left,
		Engine: migrate.Snapshot{Imported: 3, Already: 2, Failed: 1, Retried: 4, Halved: 5, Parked: 6, Working: 7, Holds: 8},
	}
	new(watched).addCalls(&s, stats, sink.Pace{Limit: 50, Current: 20, Cause: sink.PaceRefused})
	sending.show(&s)
	reading = NewView()
	reading.show(&Snapshot{At: time.Now(), Phase: Reading, Input: &Input{Bytes: 5, Total: 9, Rows: 2}})
	return sending, reading
}

func TestTheLinterFindsNothing(t *testing.T) {
	sending, reading := busy()
	for _, s := range []*View{NewView(), sending, reading} {
		s.End(s.Ending(exit.Ending{Code: exit.Unfinished}))
		problems, err := testutil.GatherAndLint(s.metrics.registry)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range problems {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
}

// exported lists every metric by its name, with its kind and its labels.
func exported(t *testing.T) map[string][]string {
	t.Helper()
	list := map[string][]string{}
	sending, reading := busy()
	for _, end := range []bool{false, true} {
		for _, s := range []*View{sending, reading} {
			if end {
				s.End(s.Ending(exit.Ending{}))
			}
			families, err := s.metrics.registry.Gather()
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range families {
				labels := []string{}
				for _, l := range f.GetMetric()[0].GetLabel() {
					labels = append(labels, l.GetName())
				}
				list[f.GetName()] = labels
			}
		}
	}
	return list
}

// Every query of the dashboard is about metrics and labels that exist, and every metric is on the
// dashboard.
func TestTheDashboardShowsTheMetricsThatExist(t *testing.T) {
	var board struct {
		Templating struct{ List []struct{ Query string } }
		Panels     []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(Dashboard, &board); err != nil {
		t.Fatal(err)
	}
	queries := map[string]string{}
	for _, v := range board.Templating.List {
		queries[v.Query] = "a variable"
	}
	for _, p := range board.Panels {
		if len(p.Targets) == 0 {
			t.Errorf("panel %q asks nothing", p.Title)
		}
		for _, target := range p.Targets {
			queries[target.Expr] = p.Title
		}
	}
	metrics := exported(t)
	shown := map[string]bool{}
	for query, where := range queries {
		for _, wrong := range wrongIn(query, metrics, shown) {
			t.Errorf("%s: %s in %s", where, wrong, query)
		}
	}
	for name := range metrics {
		if !shown[name] {
			t.Errorf("%s is on no panel", name)
		}
	}
}

var (
	selector = regexp.MustCompile(`(friendmigrate_[a-z0-9_]+)(?:\{([^}]*)\})?`)
	grouping = regexp.MustCompile(`(?:by|on|group_left) \(([^)]*)\)`)
	matcher  = regexp.MustCompile(`([a-z_]+)(?:=|!=|=~|!~)"`)
)

// ofPrometheus are labels that a scrape adds.
var ofPrometheus = []string{"job", "instance"}

// wrongIn says what of a query is not exported, and notes the metrics that it shows.
func wrongIn(query string, metrics map[string][]string, shown map[string]bool) (wrong []string) {
	known := slices.Clone(ofPrometheus)
	for _, found := range selector.FindAllStringSubmatch(query, -1) {
		name, isBucket := strings.CutSuffix(found[1], "_bucket")
		labels, exists := metrics[name]
		if !exists {
			wrong = append(wrong, "there is no "+found[1])
			continue
		}
		if isBucket {
			known = append(known, "le")
		}
		shown[name] = true
		known = append(known, labels...)
		for _, label := range matcher.FindAllStringSubmatch(found[2], -1) {
			if !slices.Contains(ofPrometheus, label[1]) && !slices.Contains(labels, label[1]) {
				wrong = append(wrong, fmt.Sprintf("%s has no label %s", name, label[1]))
			}
		}
	}
	for _, found := range grouping.FindAllStringSubmatch(query, -1) {
		for label := range strings.SplitSeq(found[1], ",") {
			if label = strings.TrimSpace(label); !slices.Contains(known, label) {
				wrong = append(wrong, "nothing has a label "+label)
			}
		}
	}
	return wrong
}

func TestAQueryAboutNothingIsFound(t *testing.T) {
	metrics := exported(t)
	for query, want := range map[string]int{
		`rate(friendmigrate_calls_total{code="0"}[5m])`:                                  0,
		`rate(friendmigrate_call_total[5m])`:                                             1,
		`friendmigrate_calls_total{outcome="failed", job="x"}`:                           1,
		`sum by (code) (friendmigrate_edges)`:                                            1,
		`sum by (le, job) (rate(friendmigrate_call_duration_seconds_bucket[1m]))`:        0,
		`sum by (le) (friendmigrate_edges) + sum by (phase) (friendmigrate_pace_reason)`: 2,
	} {
		if wrong := wrongIn(query, metrics, map[string]bool{}); len(wrong) != want {
			t.Errorf("%s: %v", query, wrong)
		}
	}
}

// The table in the README has every metric with its labels, and none that is not there.
func TestTheReadmeListsTheMetrics(t *testing.T) {
	readme, err := os.ReadFile("../topics/watching.md")
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `(friendmigrate_[a-z_]+)` \\| ([^|]*) \\|").FindAllStringSubmatch(string(readme), -1) {
		listed[row[1]] = strings.TrimSpace(row[2])
	}
	metrics := exported(t)
	for name, labels := range metrics {
		want := ""
		for i, l := range slices.Sorted(slices.Values(labels)) {
			if i > 0 {
				want += ", "
			}
			want += "`" + l + "`"
		}
		if got, ok := listed[name]; !ok || got != want {
			t.Errorf("%s has the labels %s; the README says %q", name, want, got)
		}
	}
	for name := range listed {
		if _, exists := metrics[name]; !exists {
			t.Errorf("the README lists %s, which is not exported", name)
		}
	}
}

func TestLabelsAreWordsOfABoundedList(t *testing.T) {
	for result, want := range map[string]string{
		"0": "0", "60007": "60007", "30003": "30003", "413": "413", "38123": "38123", "1000000": "other", "http_502": "http_502", "http_999": "http_other", "http_x": "http_other", "timeout": "timeout",
	} {
		if got := callWord(result); got != want {
			t.Errorf("%q: %q, want %q", result, got, want)
		}
	}
}

func TestARunWithoutReasonForItsPaceIsAtFullSpeed(t *testing.T) {
	for _, c := range []struct {
		cause  sink.PaceCause
		engine migrate.Snapshot
		want   string
	}{
		{sink.PaceFree, migrate.Snapshot{Working: 3}, "none"},
		{sink.PaceRefused, migrate.Snapshot{Holding: true}, "hold"},
		{sink.PaceAsked, migrate.Snapshot{Parked: 2}, "asked"},
		{sink.PaceRestart, migrate.Snapshot{}, "restart"},
		{sink.PaceFree, migrate.Snapshot{Parked: 2}, "waiting"},
	} {
		s, shown := NewView(), Snapshot{Phase: Sending, Engine: c.engine}
		new(watched).addCalls(&shown, sink.Stats{}, sink.Pace{Cause: c.cause})
		s.show(&shown)
		if got := present(t, s, "friendmigrate_pace_reason"); !slices.Equal(got, []string{c.want}) {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

// present are the states of a state set that hold.
func present(t *testing.T, s *View, name string) (states []string) {
	t.Helper()
	families, err := s.metrics.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == name && m.GetGauge().GetValue() == 1 {
				states = append(states, m.GetLabel()[0].GetValue())
			}
		}
	}
	return states
}

func TestProgressIsOneWhenAllIsDoneAndNotBefore(t *testing.T) {
	code := 0
	for _, c := range []struct {
		s    Snapshot
		want float64
	}{
		{Snapshot{Phase: Starting}, 0},
		{Snapshot{Phase: Sending, Settled: 1, Total: 4}, 0.25},
		{Snapshot{Phase: Sending, Settled: 1<<40 - 1, Total: 1 << 40}, 0.999999},
		{Snapshot{Phase: Sending, Settled: 4, Total: 4}, 1},
		{Snapshot{Phase: Ended, Sums: &report.Sums{}}, 1},
		{Snapshot{Phase: Ended, Code: &code}, 1},
		{Snapshot{Phase: Ended}, 0},
	} {
		if got := ratio(c.s); got != c.want {
			t.Errorf("%+v: %v, want %v", c.s, got, c.want)
		}
	}
}

func TestThereIsNoLabelForAnAccount(t *testing.T) {
	allowed := []string{"version", "goversion", "command", "shard", "phase", "outcome", "code", "api", "reason"}
	for name, labels := range exported(t) {
		for _, l := range labels {
			if !slices.Contains(allowed, l) {
				t.Errorf("%s has the label %s", name, l)
			}
		}
	}
}
