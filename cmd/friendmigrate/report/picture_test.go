package report

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// The README shows what a report says first and its chart of calls, of ten hours with three kills.
// With UPDATE=1 the picture is drawn anew.
func TestThePictureOfTheREADMEIsOfThisReport(t *testing.T) {
	const name = "testdata/report.svg"
	s := tenHours()
	r := Report{Sums: Sums{Rows: Sum{Balanced: true}}}
	for _, p := range s.Points {
		r.Rows.Imported, r.Rows.Failed = r.Rows.Imported+p.Imported, r.Rows.Failed+p.Failed
	}
	r.Series, r.Rows.Read = s, r.Rows.Imported+r.Rows.Failed
	drawn, err := s.Charts()
	if err != nil {
		t.Fatal(err)
	}
	chart := strings.ReplaceAll(string(drawn[0].SVG), "fill:rgb(70,70,70)", "fill:#222")
	chart = strings.Replace(chart, "<svg ", `<svg y="80" height="260" `, 1)
	states := strings.Replace(string(drawn[0].State), "<svg ", `<svg x="58" y="345" width="822" height="11" `, 1)
	picture := fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 900 400" font-family="sans-serif" color="#222">
<style>.sending{fill:#2a7d4f}.throttled{fill:#b7791f}.held{fill:#b3261e}.paused{fill:#6750a4}.stopped{fill:#8884}.restart{fill:#222}</style>
<rect width="900" height="400" fill="#fff"/><rect x="20" y="14" width="6" height="44" fill="#b7791f"/>
<text x="40" y="42" font-size="17" font-weight="bold">Did everything arrive? %s</text>
<text x="20" y="84" font-size="15" font-weight="bold">%s</text>
%s
%s
<g font-size="14"><text x="58" y="382" fill="#2a7d4f">sending</text><text x="150" y="382" fill="#b7791f">throttled by the service</text><text x="345" y="382" fill="#b3261e">holding: no answer</text><text x="505" y="382" fill="#6750a4">paused</text><text x="590" y="382">black: started again</text></g>
</svg>
`, r.Arrived(), drawn[0].Title, chart, states)
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(name, []byte(picture), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if committed, err := os.ReadFile(name); err != nil || string(committed) != picture {
		t.Errorf("%s is not what a report shows (%v): UPDATE=1 go test ./cmd/friendmigrate/report -run Picture", name, err)
	}
}
