package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"friendmigrate/cmd/friendmigrate/terminal"
)

//go:embed report.html.tmpl
var page string

// Arrived answers in one sentence whether everything arrived.
func (r Report) Arrived() string {
	v := r.Verified
	switch pending, lost := r.Account.Pending(), r.Account.Failed()+r.Rows.Rejected; {
	case !r.Rows.Balanced:
		return "Not known: the sum does not balance."
	case r.Undone != nil:
		return fmt.Sprintf("No longer: the job was undone, %s.", r.Undone)
	case v != nil && v.Missing > 0:
		return fmt.Sprintf("No: verify found %s missing.", terminal.Some(v.Missing, "edge"))
	case pending > 0:
		return fmt.Sprintf("Not yet: %s still to be sent.", terminal.IsAre(pending, "edge"))
	case lost > 0:
		return fmt.Sprintf("Not everything: %s failed, %s rejected.", terminal.Some(r.Account.Failed(), "edge"),
			terminal.WasWere(r.Rows.Rejected, "row"))
	case v == nil:
		return fmt.Sprintf("Yes, by the service's answers: %s in place. No verify has asked again since.",
			terminal.IsAre(r.InPlace(), "edge"))
	case v.Different > 0:
		return fmt.Sprintf("Yes, but verify found %s with other fields.", terminal.Some(v.Different, "edge"))
	}
	return fmt.Sprintf("Yes: %s in place, and verify found them.", terminal.IsAre(r.InPlace(), "edge"))
}

// InList says how many rows a list has, as far as the report of a job that is not in shards tells
// it.
func (r Report) InList(name string) string {
	kind, _, _ := strings.Cut(name, ".")
	n, noun := int64(0), "edge"
	switch {
	case kind == "failed":
		n = r.Account.Failed()
	case kind == "rejected":
		n, noun = r.Rows.Rejected, "row"
	case kind == "duplicates":
		n, noun = r.Plan.Differing, "row"
	case kind == "changed":
		n, noun = r.Plan.Changed, "field"
	case kind == "missing" && r.Verified != nil:
		n = r.Verified.Missing
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

// sizes is how many rosters there are of each size; none if that is not known.
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
		"count":   terminal.Count,
		"some":    terminal.Some,
		"when":    func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") },
		"share":   func(f float64) string { return fmt.Sprintf("%.1f %%", 100*f) },
		"took":    func(from time.Time, to *time.Time) string { return terminal.Span(to.Sub(from)) },
		"keys":    func(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) },
		"reasons": func(m map[string]int64) []string { return slices.Sorted(maps.Keys(m)) },
		"clean":   terminal.Clean,
		"sizes":   Plan.sizes,
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
		Charts []Chart
	}{r, drawn})
}
