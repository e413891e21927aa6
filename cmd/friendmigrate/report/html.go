package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"maps"
	"slices"
	"time"

	"friendmigrate/cmd/friendmigrate/terminal"
)

//go:embed report.html.tmpl
var page string

// WriteHTML writes the report for people.
func (r Report) WriteHTML(w io.Writer) error {
	t, err := template.New("report").Funcs(template.FuncMap{
		"count":   terminal.Count,
		"when":    func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") },
		"share":   func(f float64) string { return fmt.Sprintf("%.1f %%", 100*f) },
		"took":    func(from time.Time, to *time.Time) string { return terminal.Span(to.Sub(from)) },
		"keys":    func(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) },
		"reasons": func(m map[string]int64) []string { return slices.Sorted(maps.Keys(m)) },
		"clean":   terminal.Clean,
	}).Parse(page)
	if err != nil {
		return fmt.Errorf("read the report's template: %w", err)
	}
	return t.Execute(w, r)
}
