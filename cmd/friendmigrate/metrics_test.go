package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"friendmigrate/cmd/friendmigrate/progress"
	"friendmigrate/cmd/friendmigrate/report"
	"friendmigrate/sink/simulator"
)

// scrape is metrics by their name with their labels, as they stand in the text.
type scrape map[string]float64

func parseMetrics(t *testing.T, text string) scrape {
	t.Helper()
	s := scrape{}
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		i := strings.LastIndexByte(line, ' ')
		value, err := strconv.ParseFloat(line[i+1:], 64)
		if err != nil {
			t.Fatal(err)
		}
		s[line[:i]] = value
	}
	return s
}

// sum adds up the values of a metric, whatever their labels.
func (s scrape) sum(name string) (sum float64) {
	for sample, value := range s {
		if sample == name || strings.HasPrefix(sample, name+"{") {
			sum += value
		}
	}
	return sum
}

// agree holds the metrics of the last run against the report.
func agree(t *testing.T, s scrape, r report.Report) {
	t.Helper()
	last := r.Runs[len(r.Runs)-1]
	want := scrape{
		"friendmigrate_edges_read":                              float64(r.Rows.Read),
		`friendmigrate_edges{outcome="imported"}`:               float64(r.Rows.Imported),
		`friendmigrate_edges{outcome="already"}`:                float64(r.Rows.Already),
		`friendmigrate_edges{outcome="failed"}`:                 float64(r.Rows.Failed),
		`friendmigrate_edges{outcome="rejected"}`:               float64(r.Rows.Rejected),
		`friendmigrate_edges{outcome="duplicate"}`:              float64(r.Rows.Duplicate),
		`friendmigrate_edges{outcome="pending"}`:                float64(r.Rows.Pending),
		"friendmigrate_edges_already_uncertain":                 float64(r.Rows.AlreadyUncertain + r.Added.AlreadyUncertain),
		`friendmigrate_added_edges{outcome="imported"}`:         float64(r.Added.Imported),
		`friendmigrate_added_edges{outcome="already"}`:          float64(r.Added.Already),
		`friendmigrate_added_edges{outcome="failed"}`:           float64(r.Added.Failed),
		`friendmigrate_added_edges{outcome="pending"}`:          float64(r.Added.Pending),
		"friendmigrate_exit_code":                               float64(r.Ending.Code),
		`friendmigrate_phase{phase="ended"}`:                    1,
		"friendmigrate_progress_ratio":                          1 - float64(r.Pending())/float64(r.Edges()),
		"friendmigrate_calls_in_flight":                         0,
		"friendmigrate_call_duration_seconds_count":             float64(last.Calls),
		`friendmigrate_call_duration_seconds_bucket{le="+Inf"}`: float64(last.Calls),
	}
	if len(r.Runs) == 1 {
		want["friendmigrate_calls_throttled_total"], want["friendmigrate_calls_uncertain_total"] = float64(r.Calls.Throttled), float64(r.Calls.Uncertain)
		want["friendmigrate_calls_retried_total"], want["friendmigrate_chunks_halved_total"] = float64(r.Calls.Retried), float64(r.Calls.Halved)
		want["friendmigrate_holds_total"] = float64(r.Calls.Holds)
	}
	failed := 0.0
	for _, c := range r.FailedByCode {
		want[fmt.Sprintf(`friendmigrate_failed_edges{code="%d"}`, c.Code)] = float64(c.Edges)
		failed += float64(c.Edges)
	}
	for name, value := range want {
		if got, ok := s[name]; !ok || got-value > 1e-9 || value-got > 1e-9 {
			t.Errorf("%s is %v, the report says %v", name, got, value)
		}
	}
	if got := s.sum("friendmigrate_failed_edges"); got != failed {
		t.Errorf("%v failed edges by code, the report says %v", got, failed)
	}
	if got := s.sum("friendmigrate_calls_total"); got != float64(last.Calls) {
		t.Errorf("%v calls, the report says %v", got, last.Calls)
	}
}

func readReport(t *testing.T, state string) (r report.Report) {
	t.Helper()
	if err := json.Unmarshal([]byte(content(t, state, "report.json")), &r); err != nil {
		t.Fatal(err)
	}
	return r
}

func readMessage(t *testing.T, name string) (m progress.Message) {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &m); err != nil || len(b) > progress.Limit {
		t.Fatalf("%v: %s", err, b)
	}
	return m
}

// watchedInput has edges of every outcome.
func watchedInput(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("From_Account,To_Account,AddSource\n")
	for i := range 120 {
		fmt.Fprintf(&b, "u%d,f%d,AddSource_Type_Test\n", i%40, i)
	}
	b.WriteString("u1,f1,AddSource_Type_Test\nu2,u2,AddSource_Type_Test\nu3,ghost,AddSource_Type_Test\nnobody,f1,AddSource_Type_Test\n,f2,\n")
	name := filepath.Join(dir, "in.csv")
	if err := os.WriteFile(name, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// At every ending of a job, resumed or not, metrics.prom says what report.json says, and the
// message that is left behind as well.
func TestMetricsEqualTheReport(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, url := serveApp(t, simulator.Config{App: simulator.App{Missing: simulator.NewSet("ghost", "nobody")}, Seed: 5})
	env := settingsOf(t, url)
	env[progress.Variable] = filepath.Join(dir, "message")
	input, state := watchedInput(t, dir), filepath.Join(dir, "state")
	s.Put("u5", simulator.Friend{To: "f5", AddSource: "AddSource_Type_Test"})
	pilot := filepath.Join(dir, "pilot")
	if err := os.WriteFile(pilot, []byte("u4\nu5\nu6\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for i, c := range []struct {
		code int
		args []string
	}{
		{0, []string{"--only-accounts", pilot}},
		{6, []string{"--max-failures", "0", "--workers", "1"}},
		{3, nil},
		{3, nil}, // nothing to do
		{3, []string{"--retry-failed=30003"}},
		{3, []string{"--mutual", "--state", filepath.Join(dir, "mutual")}},
	} {
		if i == 5 {
			state = filepath.Join(dir, "mutual")
		}
		_, last := call(t, c.code, env, append([]string{"import", input, "--state", state}, c.args...)...)
		r, got := readReport(t, state), parseMetrics(t, content(t, state, "metrics.prom"))
		if r.Pilot != nil { // progress is that of the pilot
			if got["friendmigrate_progress_ratio"] != 1 {
				t.Error("the pilot is done, progress is not")
			}
			got["friendmigrate_progress_ratio"] = 1 - float64(r.Pending())/float64(r.Edges())
		}
		if i == 3 { // a run that sends nothing is no run of the journal
			r.Runs = append(r.Runs, report.Run{})
		}
		agree(t, got, r)
		m := readMessage(t, env[progress.Variable])
		if m.Code != c.code || m.Command != "import" || m.Counts == nil || m.Counts.Edges == nil || *m.Counts.Edges != r.Rows || !strings.Contains(last, m.Hint) {
			t.Errorf("run %d: the message is %+v; the last line: %s", i, m, last)
		}
		if info, err := os.Stat(filepath.Join(state, "metrics.prom")); err != nil || info.Mode() != 0o600 {
			t.Errorf("%v %v", info, err)
		}
		for name := range got {
			if regexp.MustCompile(`u\d|f\d|ghost|nobody`).MatchString(name) {
				t.Errorf("an account: %s", name)
			}
		}
	}
}

// A night with everything in it, in one run.
func TestMetricsOfABadNightEqualTheReport(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, url := serveApp(t, badService(t))
	env := settingsOf(t, url)
	input, state := watchedInput(t, dir), filepath.Join(dir, "state")
	call(t, 3, env, "import", input, "--state", state)
	r, got := readReport(t, state), parseMetrics(t, content(t, state, "metrics.prom"))
	if r.Calls.Retried == 0 || r.Calls.Uncertain == 0 || r.Calls.Throttled == 0 {
		t.Errorf("no bad night: %+v", r.Calls)
	}
	agree(t, got, r)
	if got.sum("friendmigrate_edges_settled_total") != float64(r.Edges()) {
		t.Error("not all that was settled is counted")
	}
}

// badService is one with faults.
func badService(t *testing.T) simulator.Config {
	t.Helper()
	c := simulator.Config{App: simulator.App{Missing: simulator.NewSet("ghost", "nobody")}, Seed: 5}
	set := map[string]string{"fault-http": "502=0.1", "fault-reset": "0.1", "fault-code": "60007=0.1"}
	for _, knob := range c.Flags() {
		if value, ok := set[knob.Name]; ok {
			if err := knob.Set(value); err != nil {
				t.Fatal(err)
			}
			delete(set, knob.Name)
		}
	}
	if len(set) > 0 {
		t.Fatalf("no such faults: %v", set)
	}
	return c
}
