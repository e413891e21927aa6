package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/go-analyze/charts"

	"friendmigrate/cmd/friendmigrate/terminal"
)

//go:embed report.html.tmpl
var page string

// Arrived returns one sentence that says whether everything arrived.
func (r Report) Arrived() string {
	v, fields := r.Verified, ""
	if v != nil && v.Unread > 0 {
		fields = fmt.Sprintf("; it could not compare the fields of %s", terminal.Count(v.Unread))
	}
	var lost []string
	if n := r.Sums.Failed(); n > 0 {
		lost = append(lost, terminal.Some(n, "edge")+" failed")
	}
	if n := r.Rows.Rejected; n > 0 {
		lost = append(lost, terminal.WasWere(n, "row")+" rejected")
	}
	switch pending := r.Sums.Pending(); {
	case !r.Rows.Balanced:
		return "Not known: the sum does not balance."
	case r.ShardsMixed != "":
		return "Not known: " + r.ShardsMixed + "."
	case r.ShardsAbsent > 0:
		return fmt.Sprintf("Not known: %s no state here.", terminal.HasHave(r.ShardsAbsent, "shard"))
	case r.Undone != nil:
		return fmt.Sprintf("No longer: the job was %s, %s%s.", r.Undone.How(), r.Undone, r.Untouched())
	case v != nil && v.Missing > 0:
		return fmt.Sprintf("No: verify found %s missing.", terminal.Some(v.Missing, "edge"))
	case pending > 0:
		return fmt.Sprintf("Not yet: %s still to be sent.", terminal.IsAre(pending, "edge"))
	case len(lost) > 0:
		return fmt.Sprintf("Not everything: %s.", strings.Join(lost, ", "))
	case v == nil:
		return fmt.Sprintf("Yes, by the service's answers: %s in place. No verify has asked again since.",
			terminal.IsAre(r.InPlace(), "edge"))
	case v.Different > 0:
		return fmt.Sprintf("Yes, but verify found %s with other fields%s.", terminal.Some(v.Different, "edge"), fields)
	case v.Asked() < r.InPlace():
		return fmt.Sprintf("Yes, by the service's answers: %s in place. verify has asked about %s of them since, and "+
			"found them%s.", terminal.IsAre(r.InPlace(), "edge"), terminal.Count(v.Asked()), fields)
	}
	return fmt.Sprintf("Yes: %s in place, and verify found them%s.", terminal.IsAre(r.InPlace(), "edge"), fields)
}

// InList returns in words how many rows a list has, as far as the report of a job without shards
// has this.
func (r Report) InList(name string) string {
	kind, _, _ := strings.Cut(name, ".")
	n, noun := int64(0), "edge"
	switch {
	case kind == "failed":
		n = r.Sums.Failed()
	case kind == "rejected":
		n, noun = r.Rows.Rejected, "row"
	case kind == "duplicates":
		n, noun = r.Plan.Differing, "row"
	case kind == "changed":
		n, noun = r.Plan.Changed, "field"
	case kind == "missing" && r.Verified != nil:
		n = r.Verified.Lost()
	case kind == "different" && r.Verified != nil:
		n = r.Verified.Different
	default:
		return ""
	}
	return terminal.Some(n, noun)
}

type rosterSize struct {
	Friends string
	Rosters int64
	Percent int64
}

// sizes returns the number of rosters of each size; nothing if that is not known.
func (p Plan) sizes() (all []rosterSize) {
	for i, friends := range []string{"1", "2 to 10", "11 to 100", "101 to 1,000", "more"} {
		n := p.RosterSizes[i]
		all = append(all, rosterSize{friends, n, 100 * n / max(1, p.Accounts)})
	}
	if p.RosterSizes == [5]int64{} {
		return nil
	}
	return all
}

// WriteHTML writes the report for people.
func (r Report) WriteHTML(w io.Writer) error {
	t, err := template.New("report").Funcs(template.FuncMap{
		"count": terminal.Count,
		"some":  terminal.Some,
		"when":  func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") },
		"share": func(f float64) string { return fmt.Sprintf("%.1f %%", 100*f) },
		"took":  func(from time.Time, to *time.Time) string { return terminal.Span(to.Sub(from)) },
		"clean": terminal.Clean,
		"sizes": Plan.sizes,
		"joint": func(shard string) bool { return strings.Contains(shard, " ") }, // not the name of one shard
	}).Parse(page)
	if err != nil {
		return fmt.Errorf("read the report's template: %w", err)
	}
	var drawn []Chart
	if r.Series != nil {
		if drawn, err = r.Series.Charts(); err != nil {
			return err
		}
	}
	return t.Execute(w, struct {
		Report
		Charts  []Chart
		Written time.Time
	}{r, drawn, time.Now()})
}

const (
	chartWidth  = 900
	chartHeight = 260
	mostColumns = 300 // of a chart, since there is no use in more points than pixels
)

// Chart is a picture with its title.
type Chart struct {
	Title string
	SVG   template.HTML
	State template.HTML // a strip below it: what the run was doing
}

// Charts returns the charts of the series; none if it has fewer than three points.
func (s *Series) Charts() ([]Chart, error) {
	// The clock may have been set back.
	s = &Series{Step: s.Step, Points: slices.SortedStableFunc(slices.Values(s.Points), byTime)}
	columns := s.columns()
	if len(columns) < 3 {
		return nil, nil
	}
	labels := make([]string, len(columns))
	for i, c := range columns {
		labels[i] = time.Unix(c.At, 0).UTC().Format(s.format())
	}
	var all []Chart
	for _, c := range []struct {
		title string
		names []string
		of    func(Point) []float64 // one value for each name
	}{
		{"Calls per second", []string{"calls", "limit"}, func(p Point) []float64 {
			return []float64{float64(p.Calls) / p.Seconds, p.Limit}
		}},
		{"Latency in milliseconds", []string{"p50", "p95", "p99"}, func(p Point) []float64 {
			if p.Calls == 0 {
				return slices.Repeat([]float64{charts.GetNullValue()}, 3)
			}
			return []float64{1000 * p.P50, 1000 * p.P95, 1000 * p.P99}
		}},
		{"Edges per second", []string{"imported", "already", "failed"}, func(p Point) []float64 {
			return []float64{float64(p.Imported) / p.Seconds, float64(p.Already) / p.Seconds,
				float64(p.Failed) / p.Seconds}
		}},
	} {
		values := make([][]float64, len(c.names))
		for _, p := range columns {
			for i, v := range c.of(p) {
				values[i] = append(values[i], v)
			}
		}
		svg, err := line(c.names, labels, values)
		if err != nil {
			return nil, fmt.Errorf("draw %q: %w", c.title, err)
		}
		all = append(all, Chart{Title: c.title, SVG: svg})
	}
	all[0].State = states(columns)
	return all, nil
}

// columns returns the points for a chart. Intervals without a run become points without calls.
func (s *Series) columns() (all []Point) {
	if len(s.Points) == 0 {
		return nil
	}
	step := s.Step
	for span := s.Points[len(s.Points)-1].At - s.Points[0].At; span/step >= mostColumns; {
		step *= 2
	}
	for _, p := range s.coarse(step) {
		for n := len(all); n > 0 && all[n-1].At+step < p.At; n++ {
			all = append(all, Point{At: all[n-1].At + step, Seconds: float64(step)})
		}
		all = append(all, p)
	}
	return all
}

// format returns the layout of a chart's times. It includes the date if the job took more than a
// day.
func (s *Series) format() string {
	switch span := s.Points[len(s.Points)-1].At - s.Points[0].At; {
	case span > 24*60*60:
		return "2 Jan 15:04"
	case span > 60*60:
		return "15:04"
	}
	return "15:04:05"
}

// line draws one line per name. The background is transparent, so that the page's own shows.
func line(names, labels []string, values [][]float64) (template.HTML, error) {
	opt := charts.NewLineChartOptionWithData(values)
	opt.Theme = charts.GetTheme(charts.ThemeLight).WithBackgroundColor(charts.ColorTransparent).
		WithAxisSplitLineColor(charts.ColorGray.WithAlpha(60)).
		WithSeriesColors([]charts.Color{charts.ColorFromHex("#2f6fd0"), charts.ColorFromHex("#2a9d5f"),
			charts.ColorFromHex("#d9822b")})
	opt.XAxis.Labels, opt.XAxis.BoundaryGap = labels, charts.Ptr(false)
	opt.XAxis.LabelCount = 6
	opt.YAxis[0].Min = charts.Ptr(0.0)
	opt.YAxis[0].LabelCount = 5
	opt.Legend.SeriesNames = names
	opt.Symbol.Shape = charts.SymbolNone
	opt.LineStrokeWidth = 1.5
	opt.ValueFormatter = func(v float64) string { return terminal.Count(int64(v + .5)) }
	p := charts.NewPainter(charts.PainterOptions{OutputFormat: charts.ChartOutputSVG, Width: chartWidth,
		Height: chartHeight})
	if err := p.LineChart(opt); err != nil {
		return "", err
	}
	svg, err := p.Bytes()
	return template.HTML(svg), err //nolint:gosec // the library's own output, over numbers and times
}

// states draws what the run was doing over time, and where a new run began.
func states(columns []Point) template.HTML {
	rect := func(class string, from, to int) string {
		return fmt.Sprintf(`<rect class="%s" x="%d" y="0" width="%d" height="1"/>`, class, from, to-from)
	}
	var bands, restarts string
	begun, run := 0, 0
	for i, c := range columns {
		if i > 0 && c.state() != columns[i-1].state() {
			bands += rect(columns[i-1].state(), begun, i)
			begun = i
		}
		if c.Run > run {
			if run > 0 {
				restarts += rect("restart", i, i+1+len(columns)/200)
			}
			run = c.Run
		}
	}
	bands += rect(columns[len(columns)-1].state(), begun, len(columns))
	return template.HTML(fmt.Sprintf(`<svg class="states" viewBox="0 0 %d 1" preserveAspectRatio="none" `+
		`role="img">%s</svg>`,
		len(columns), bands+restarts)) //nolint:gosec // words of our own and numbers
}

// state returns what the run was doing for most of the interval.
func (p Point) state() string {
	switch {
	case p.Run == 0:
		return "stopped"
	case p.Paused*2 > p.Seconds:
		return "paused"
	case p.Held*2 > p.Seconds:
		return "held"
	case p.Waited*2 > p.Seconds, p.Throttled*20 > p.Calls:
		return "throttled"
	}
	return "sending"
}
