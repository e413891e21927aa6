package oracle

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"friendmigrate/cmd/trial/lab"
)

// lists is the rest of O7 and of O8: the lists are those of the unbroken run, but for Attempts, and
// as long as the report says. Those of one process are the same to the byte; of shards, it is all
// rows together.
func (a *Audit) lists(want *lab.ReferenceAct, r *told) {
	rows, texts := map[string][]string{}, map[string]string{}
	for i, p := range a.parts {
		got, err := lab.ReadLists(p.folder)
		if err != nil {
			a.Fail("O7", "the lists cannot be read: %v", err)
			return
		}
		if g, l := slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want.Lists)); !slices.Equal(g, l) {
			a.Fail("O7", "the lists %q, the unbroken run left %q", g, l)
			return
		}
		for name, text := range got {
			more, err := rowsOf(name, text)
			if err != nil {
				a.Fail("O7", "%s cannot be read: %v", name, err)
				return
			}
			if i > 0 && strings.HasSuffix(name, ".csv") {
				more = more[1:] // the header is there already
			}
			rows[name], texts[name] = append(rows[name], more...), text
		}
	}
	for name, text := range want.Lists {
		mine, theirs := rows[name], lab.Must(rowsOf(name, text))
		switch {
		case len(a.parts) > 1:
			slices.Sort(mine)
			slices.Sort(theirs)
		case !strings.HasPrefix(name, "failed."):
			mine, theirs = strings.Split(texts[name], "\n"), strings.Split(text, "\n")
		}
		if !slices.Equal(mine, theirs) {
			a.Fail("O7", "%s is not that of the unbroken run: %s", name, firstDifference(mine, theirs))
		}
	}
	said := map[string]int64{"rejected.csv": r.Edges.Rejected, "failed.csv": r.Edges.Failed + r.Added.Failed}
	for name, n := range said {
		if list := rows[name]; list != nil && int64(len(list)) != n+1 {
			a.Fail("O8", "%s has %d rows and a header, the report says %d", name, len(list)-1, n)
		}
	}
}

// rowsOf are the rows of a list, a CSV's header first, without the number of attempts.
func rowsOf(name, text string) (rows []string, err error) {
	if strings.HasSuffix(name, ".jsonl") {
		for line := range strings.Lines(text) {
			var members map[string]json.RawMessage
			if err := json.Unmarshal([]byte(line), &members); err != nil {
				return nil, err
			}
			delete(members, "Attempts")
			rows = append(rows, fmt.Sprintf("%s", members))
		}
		return rows, nil
	}
	records, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(records) == 0 {
		return nil, fmt.Errorf("no CSV: %w", err)
	}
	column := slices.Index(records[0], "Attempts")
	for _, r := range records {
		if column >= 0 {
			r[column] = ""
		}
		rows = append(rows, fmt.Sprintf("%q", r))
	}
	return rows, nil
}

// firstDifference shows the first row in which two lists differ.
func firstDifference(a, b []string) string {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("row %d is %.200s, not %.200s", i+1, a[i], b[i])
		}
	}
	return fmt.Sprintf("%d rows, not %d", len(a), len(b))
}
