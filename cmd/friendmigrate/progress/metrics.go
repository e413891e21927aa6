package progress

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"

	"friendmigrate/migrate"
)

const namespace = "friendmigrate"

// The values of labels that are state sets: exactly one of them is 1.
var (
	phases  = []string{Starting, Reading, Sending, Ended}
	reasons = []string{"none", "hold", "refused", "asked", "restart", "waiting", "set", "paused"}
)

// metrics is the collector: it keeps nothing but how long settling took, and reads the rest when it
// is asked.
type metrics struct {
	view     *View
	registry *prometheus.Registry
	settle   prometheus.Histogram
	words    codeWords
}

func newMetrics(s *View) *metrics {
	m := &metrics{view: s, registry: prometheus.NewRegistry()}
	m.settle = prometheus.NewHistogram(prometheus.HistogramOpts{
		Namespace: namespace, Name: "settle_duration_seconds",
		Help:    "How long it took until the outcome of a call was durable in the journal.",
		Buckets: []float64{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10},
	})
	m.registry.MustRegister(m, m.settle)
	return m
}

// desc makes a description from a name without its namespace.
func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(prometheus.BuildFQName(namespace, "", name), help, labels, nil)
}

// What is exported. Help says what it is of: the job, or this process.
var (
	buildInfo = desc("build_info", "The program. Its value is 1.", "version", "goversion")
	jobInfo   = desc("job_info", "What runs: the command, and its shard as i/n. Its value is 1.", "command", "shard")
	phase     = desc("phase", "Where the run is: 1 for the present phase.", "phase")
	exitCode  = desc("exit_code", "How the run ended; absent before.")

	edgesRead      = desc("edges_read", "Rows of the job's input.")
	edges          = desc("edges", "What became of the rows of the job's input, of all its runs together. They add up to friendmigrate_edges_read.", "outcome")
	edgesUncertain = desc("edges_already_uncertain",
		"Of outcome already: an earlier call without an answer may have done it.")
	addedEdges    = desc("added_edges", "What became of the edges that --mutual added.", "outcome")
	failedEdges   = desc("failed_edges", "Failed edges of the job, rows and added ones, by ResultCode.", "code")
	settledTotal  = desc("edges_settled_total", "Edges settled by this process.", "outcome")
	progressRatio = desc("progress_ratio", "Share of the run that is done: edges settled, or asked about, or accounts exported. 1 only when all are.")
	remaining     = desc("remaining_seconds",
		"How long it will take at the present speed; absent while that can't be told.")

	inputBytes = desc("input_bytes", "Size of the input, 0 if it can't be known. Absent once it is read.")
	readBytes  = desc("input_read_bytes", "Bytes of it that are read. Absent once it is read.")
	readRows   = desc("input_read_rows", "Rows of it that are read. Absent once it is read.")

	callsTotal     = desc("calls_total", "HTTP requests that left, by API and by what they ended with: the ErrorCode, http_ and a status, or a word for no usable answer.", "api", "code")
	throttledTotal = desc("calls_throttled_total", "Of those, refused for their pace.")
	uncertainTotal = desc("calls_uncertain_total",
		"Of those, without a usable answer although they may have been applied.")
	retriedTotal = desc("calls_retried_total", "Calls for edges that had been sent before.")
	halvedTotal  = desc("chunks_halved_total", "Calls that were divided to find the edge that spoils them.")
	oddTotal     = desc("odd_answers_total",
		"Answers in which an item was missing, foreign, repeated, disputed or unreadable.")
	renewedTotal  = desc("signatures_renewed_total", "Signatures made after the first.")
	sentBytes     = desc("request_bytes_total", "Bytes of request bodies.")
	receivedBytes = desc("response_bytes_total", "Bytes of answers' bodies.")
	callDuration  = desc("call_duration_seconds",
		"From the departure of a call to the last byte of its answer, or to its failure.")
	inFlight = desc("calls_in_flight", "Calls that left and have no answer yet.")
	waiting  = desc("rosters_waiting", "Accounts that wait to be tried again.")

	paceLimit = desc("pace_limit_calls_per_second",
		"The limit that the run was given (--rate or friendmigrate pace, or its shard's share).")
	paceCurrent = desc("pace_calls_per_second", "Calls a second that may leave at present.")
	paceReason  = desc("pace_reason", "Why the pace is what it is: 1 for the present reason.", "reason")
	hold        = desc("hold", "1 while nothing gets through and sending is held.")
	holdsTotal  = desc("holds_total", "How often sending was held.")
)

var described = []*prometheus.Desc{
	buildInfo, jobInfo, phase, exitCode, edgesRead, edges, edgesUncertain, addedEdges, failedEdges, settledTotal,
	progressRatio, remaining, inputBytes, readBytes, readRows,
	callsTotal, throttledTotal, uncertainTotal, retriedTotal, halvedTotal, oddTotal, renewedTotal, sentBytes,
	receivedBytes, callDuration, inFlight, waiting,
	paceLimit, paceCurrent, paceReason, hold, holdsTotal,
}

// Describe is prometheus.Collector's.
func (m *metrics) Describe(out chan<- *prometheus.Desc) {
	for _, d := range described {
		out <- d
	}
}

// Collect is prometheus.Collector's.
func (m *metrics) Collect(out chan<- prometheus.Metric) {
	facts := m.view.facts()
	s := m.view.Snapshot()
	code, ended := m.view.ended()
	e := exporter{out: out, words: &m.words}
	e.run(m.view.Job(), s, code, ended)
	e.account(facts)
	if facts.Pace != nil {
		e.calls(facts)
		e.engine(facts.Engine)
		e.pace(facts)
	}
}

// exporter turns facts into metrics.
type exporter struct {
	out   chan<- prometheus.Metric
	words *codeWords
}

func (e exporter) gauge(d *prometheus.Desc, value float64, labels ...string) {
	e.out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
}

func (e exporter) counter(d *prometheus.Desc, value int64, labels ...string) {
	e.out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(value), labels...)
}

// oneOf exports a state set.
func (e exporter) oneOf(d *prometheus.Desc, states []string, present string) {
	for _, state := range states {
		e.gauge(d, truth(state == present), state)
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// run exports where the run stands.
func (e exporter) run(j Job, s Snapshot, code int, ended bool) {
	e.gauge(buildInfo, 1, j.Version, runtime.Version())
	e.gauge(jobInfo, 1, j.Command, j.Shard)
	e.oneOf(phase, phases, s.Phase)
	e.gauge(progressRatio, ratio(s))
	if s.Left != nil && s.Phase == Sending {
		e.gauge(remaining, *s.Left)
	}
	if in := s.Input; in != nil && s.Phase == Reading {
		e.gauge(inputBytes, float64(in.Total))
		e.gauge(readBytes, float64(in.Bytes))
		e.gauge(readRows, float64(in.Rows))
	}
	if ended {
		e.gauge(exitCode, float64(code))
	}
}

// ratio is the share of the run that is done. Nothing to do is done once that is known.
func ratio(s Snapshot) float64 {
	switch {
	case s.Total <= 0:
		return truth(s.Phase == Ended && (s.Account != nil || s.Code != nil && *s.Code == 0))
	case s.Settled >= s.Total:
		return 1
	}
	return min(float64(s.Settled)/float64(s.Total), 0.999999)
}

// account exports what became of the edges of the job.
func (e exporter) account(f Facts) {
	if f.Account == nil {
		return
	}
	r, d := f.Account.Rows, f.Account.Added
	e.gauge(edgesRead, float64(r.Read))
	for outcome, n := range map[string]int64{"imported": r.Imported, "already": r.Already, "failed": r.Failed,
		"rejected": r.Rejected, "duplicate": r.Duplicate, "pending": r.Pending} {
		e.gauge(edges, float64(n), outcome)
	}
	e.gauge(edgesUncertain, float64(r.AlreadyUncertain+d.AlreadyUncertain))
	for outcome, n := range map[string]int64{"imported": d.Imported, "already": d.Already, "failed": d.Failed,
		"pending": d.Pending} {
		e.gauge(addedEdges, float64(n), outcome)
	}
	byWord := map[string]int64{}
	for code, n := range f.FailedBy {
		byWord[e.words.ofCode(code)] += n
	}
	for word, n := range byWord {
		e.gauge(failedEdges, float64(n), word)
	}
}

// calls exports what the client counted.
func (e exporter) calls(f Facts) {
	s := f.Stats
	type key struct{ api, word string }
	byWord := map[key]int64{}
	for _, c := range s.Calls {
		byWord[key{c.API, e.words.ofCall(c.Result)}] += c.Count
	}
	for k, n := range byWord {
		e.counter(callsTotal, n, k.api, k.word)
	}
	e.counter(throttledTotal, s.Throttled)
	e.counter(uncertainTotal, s.Uncertain)
	e.counter(oddTotal, s.Odd)
	e.counter(renewedTotal, s.Renewals)
	e.counter(sentBytes, s.Sent)
	e.counter(receivedBytes, s.Received)
	e.gauge(inFlight, float64(s.InFlight))

	buckets, sum := map[float64]uint64{}, uint64(0)
	for i, bound := range s.Latency.Bounds {
		sum += uint64(s.Latency.Counts[i])
		buckets[bound] = sum
	}
	if n := len(s.Latency.Counts); n > 0 {
		sum += uint64(s.Latency.Counts[n-1])
	}
	e.out <- prometheus.MustNewConstHistogram(callDuration, sum, s.Latency.Sum, buckets)
}

// engine exports what the engine counted.
func (e exporter) engine(s migrate.Snapshot) {
	for outcome, n := range map[string]int64{"imported": s.Imported, "already": s.Already, "failed": s.Failed} {
		e.counter(settledTotal, n, outcome)
	}
	e.counter(retriedTotal, s.Retried)
	e.counter(halvedTotal, s.Halved)
	e.counter(holdsTotal, s.Holds)
	e.gauge(waiting, float64(s.Parked))
	e.gauge(hold, truth(s.Holding))
}

// pace exports how fast calls may leave, and why.
func (e exporter) pace(f Facts) {
	e.gauge(paceLimit, f.Pace.Limit)
	e.gauge(paceCurrent, f.Pace.Current)
	reason := "none"
	switch {
	case f.Engine.Holding:
		reason = "hold"
	case f.Pace.Cause != "":
		reason = string(f.Pace.Cause)
	case f.Engine.InFlight == 0 && f.Engine.Parked > 0:
		reason = "waiting"
	}
	e.oneOf(paceReason, reasons, reason)
}

// WriteMetrics writes the metrics of the run, without those of the runtime, in Prometheus' text
// format: for a textfile collector, which has some of its own.
func (s *View) WriteMetrics(w io.Writer) error {
	families, err := s.metrics.registry.Gather()
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

// Timed is a journal that tells the view how long settling takes.
func (s *View) Timed(j migrate.Journal) migrate.Journal { return timed{j, s.metrics.settle} }

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
