package progress

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"

	"friendmigrate/migrate"
	"friendmigrate/sink"
)

const namespace = "friendmigrate"

// metrics is the collector. It stores only how long settling took, and takes the rest from the last
// snapshot.
type metrics struct {
	view     *View
	registry *prometheus.Registry
	settle   prometheus.Histogram
}

func newMetrics(v *View) *metrics {
	m := &metrics{view: v, registry: prometheus.NewRegistry()}
	m.settle = prometheus.NewHistogram(prometheus.HistogramOpts{
		Namespace: namespace, Name: "settle_duration_seconds",
		Help:    "How long it took until the outcome of a call was durable in the journal.",
		Buckets: []float64{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10},
	})
	m.registry.MustRegister(m, m.settle)
	return m
}

// Describe implements prometheus.Collector. It sends nothing, because each metric is described
// where it gets its value.
func (m *metrics) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (m *metrics) Collect(out chan<- prometheus.Metric) {
	e := exporter(out)
	s := m.view.Snapshot()
	e.run(m.view.Labels(), s)
	if s.Sums != nil {
		e.account(s)
	}
	if s.Calls != nil {
		e.calls(s)
		e.engine(s.Engine)
		e.pace(*s.Calls)
	}
}

// exporter writes values with their names. The help text says whether they are of the job or of
// this process.
type exporter chan<- prometheus.Metric

// desc returns the description of a metric. labels alternate names and values.
func desc(name, help string, labels []string) (d *prometheus.Desc, values []string) {
	var names []string
	for i := 0; i < len(labels); i += 2 {
		names, values = append(names, labels[i]), append(values, labels[i+1])
	}
	return prometheus.NewDesc(prometheus.BuildFQName(namespace, "", name), help, names, nil), values
}

func (e exporter) gauge(name, help string, value float64, labels ...string) {
	d, values := desc(name, help, labels)
	e <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, values...)
}

func (e exporter) counter(name, help string, value int64, labels ...string) {
	d, values := desc(name, help, labels)
	e <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(value), values...)
}

// states exports a state set: exactly one of its values is 1.
func (e exporter) states(name, help, label string, all []string, present string) {
	for _, state := range all {
		e.gauge(name, help, truth(state == present), label, state)
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func (e exporter) run(l Labels, s Snapshot) {
	e.gauge("build_info", "The program. Its value is 1.", 1, "version", l.Version, "goversion", runtime.Version())
	e.gauge("job_info", "What runs: the command, and its shard as i/n. Its value is 1.", 1,
		"command", l.Command, "shard", l.Shard)
	e.states("phase", "Where the run is: 1 for the present phase.", "phase",
		[]string{Starting, Reading, Sending, Ended}, s.Phase)
	e.gauge("progress_ratio", "Share of the run that is done: edges settled, or asked about, or accounts exported. "+
		"1 only when all are.", ratio(s))
	if s.Left != nil && s.Phase == Sending {
		e.gauge("remaining_seconds", "How long it will take at the present speed; absent while that can't be told.",
			*s.Left)
	}
	if in := s.Input; in != nil && s.Phase == Reading {
		e.gauge("input_bytes", "Size of the input, 0 if it can't be known. Absent once it is read.", float64(in.Total))
		e.gauge("input_read_bytes", "Bytes of it that are read. Absent once it is read.", float64(in.Bytes))
		e.gauge("input_read_rows", "Rows of it that are read. Absent once it is read.", float64(in.Rows))
	}
	if s.Code != nil {
		e.gauge("exit_code", "How the run ended; absent before.", float64(*s.Code))
	}
}

// ratio returns the share of the run that is done. It is 1 once it is known that there is nothing
// to do.
func ratio(s Snapshot) float64 {
	switch {
	case s.Total <= 0:
		return truth(s.Phase == Ended && (s.Sums != nil || s.Code != nil && *s.Code == 0))
	case s.Settled >= s.Total:
		return 1
	}
	return min(float64(s.Settled)/float64(s.Total), 0.999999)
}

// account exports the outcomes of the job's edges.
func (e exporter) account(s Snapshot) {
	e.gauge("edges_read", "Rows of the job's input.", float64(s.Sums.Rows.Read))
	for _, o := range s.Sums.Outcomes() {
		e.gauge("edges", "What became of the rows of the job's input, of all its runs together. "+
			"They add up to friendmigrate_edges_read.", float64(o.Rows), "outcome", o.Name)
		e.gauge("added_edges", "What became of the edges that --mutual added.", float64(o.Added), "outcome", o.Name)
	}
	e.gauge("edges_already_uncertain", "Of outcome already: a call of this job may have done it.",
		float64(s.Sums.AlreadyUncertain()))
	byWord := map[string]int64{}
	for code, n := range s.Failures {
		byWord[codeWord(code)] += n
	}
	for word, n := range byWord {
		e.gauge("failed_edges", "Failed edges of the job, rows and added ones, by ResultCode.", float64(n), "code",
			word)
	}
}

func (e exporter) calls(all Snapshot) {
	s := all.Stats
	byWord := map[sink.CallCount]int64{}
	for _, c := range s.Calls {
		byWord[sink.CallCount{API: c.API, Result: callWord(c.Result)}] += c.Count
	}
	for c, n := range byWord {
		e.counter("calls_total", "HTTP requests that left, by API and by what they ended with: the ErrorCode, "+
			"http_ and a status, or a word for no usable answer.", n, "api", c.API, "code", c.Result)
	}
	e.counter("calls_throttled_total", "Of those, refused for their pace.", s.Throttled)
	e.counter("calls_uncertain_total", "Of those, without a usable answer although they may have been applied.",
		s.Uncertain)
	e.gauge("calls_in_flight", "Calls that left and have no answer yet.", float64(s.InFlight))

	buckets, sum := map[float64]uint64{}, uint64(0)
	for i, n := range s.Latency.Counts {
		sum += uint64(n)
		if i < len(s.Latency.Bounds) {
			buckets[s.Latency.Bounds[i]] = sum
		}
	}
	d, _ := desc("call_duration_seconds",
		"From the departure of a call to the last byte of its answer, or to its failure.", nil)
	e <- prometheus.MustNewConstHistogram(d, sum, s.Latency.Sum, buckets)
}

func (e exporter) engine(s migrate.Snapshot) {
	for outcome, n := range map[string]int64{"imported": s.Imported, "already": s.Already, "failed": s.Failed} {
		e.counter("edges_settled_total", "Edges settled by this process.", n, "outcome", outcome)
	}
	e.counter("calls_retried_total", "Calls for edges that had been sent before.", s.Retried)
	e.counter("chunks_halved_total", "Calls that were divided to find the edge that is refused.", s.Halved)
	e.counter("holds_total", "How often sending was held.", s.Holds)
	e.gauge("rosters_waiting", "Accounts that wait to be tried again.", float64(s.Parked))
	e.gauge("hold", "1 while nothing gets through and sending is held.", truth(s.Holding))
}

// pace exports how fast calls may be sent, and why.
func (e exporter) pace(c Calls) {
	e.gauge("pace_limit_calls_per_second",
		"The limit that the run was given (--rate or friendmigrate pace, or its shard's share).", c.Asked)
	e.gauge("pace_calls_per_second", "Calls a second that may leave at present.", c.Pace)
	e.states("pace_reason", "Why the pace is what it is: 1 for the present reason.", "reason", Reasons(), c.Reason)
}

// WriteMetrics writes the metrics of the run in Prometheus' text format for a textfile collector.
// It leaves out those of the Go runtime, because the collector has its own.
func (v *View) WriteMetrics(w io.Writer) error {
	families, err := v.metrics.registry.Gather()
	if err != nil {
		return fmt.Errorf("gather metrics: %w", err)
	}
	for _, f := range families {
		if _, err := expfmt.MetricFamilyToText(w, f); err != nil {
			return fmt.Errorf("write metrics: %w", err)
		}
	}
	return nil
}

// Timed returns a journal that reports to the view how long settling takes.
func (v *View) Timed(j migrate.Journal) migrate.Journal { return timed{j, v.metrics.settle} }

type timed struct {
	migrate.Journal
	took prometheus.Observer
}

func (t timed) Settle(ctx context.Context, what migrate.Settlement) error {
	began := time.Now()
	err := t.Journal.Settle(ctx, what)
	t.took.Observe(time.Since(began).Seconds())
	return err
}

// otherWord is the label of what is in no table: a service that answers with a new code each time
// must not fill Prometheus.
const otherWord = "other"

// callWord returns the label of a sink.CallCount.Result. Words for no usable answer are the client's.
func callWord(result string) string {
	if code, err := strconv.Atoi(result); err == nil {
		return codeWord(code)
	}
	if status, is := strings.CutPrefix(result, "http_"); is {
		if n, err := strconv.Atoi(status); err != nil || http.StatusText(n) == "" {
			return "http_" + otherWord
		}
	}
	return result
}

// codeWord returns the label of an ErrorCode, a ResultCode or an HTTP status.
func codeWord(code int) string {
	if _, known := sink.LookupCode(code); known || code == 0 || http.StatusText(code) != "" {
		return strconv.Itoa(code)
	}
	return otherWord
}
