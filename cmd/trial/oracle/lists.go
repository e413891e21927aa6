package oracle

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"friendmigrate/cmd/trial/lab"
)

// lists is the rest of O7 and of O8: the lists are those of the unbroken run to the byte, but for
// Attempts, and as long as the report says.
func (a *Audit) lists(want *lab.ReferenceAct, r told) {
	got, err := lab.ReadLists(a.Folder)
	if err != nil {
		a.violated("O7", "the lists cannot be read: %v", err)
		return
	}
	if g, l := slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want.Lists)); !slices.Equal(g, l) {
		a.violated("O7", "the lists %q, the unbroken run left %q", g, l)
	}
	for name, text := range want.Lists {
		mine, theirs := strings.Split(got[name], "\n"), strings.Split(text, "\n")
		if strings.HasPrefix(name, "failed.") {
			var err1, err2 error
			mine, err1 = rowsOf(name, got[name])
			theirs, err2 = rowsOf(name, text)
			if err := errors.Join(err1, err2); err != nil {
				a.violated("O7", "%s cannot be read: %v", name, err)
				continue
			}
		}
		if !slices.Equal(mine, theirs) {
			a.violated("O7", "%s is not that of the unbroken run: %s", name, firstDifference(mine, theirs))
		}
	}
	for name, rows := range map[string]int64{"rejected.csv": r.Edges.Rejected, "failed.csv": r.Edges.Failed +
		r.Added.Failed} {
		text, there := got[name]
		if !there {
			continue
		}
		records, err := csv.NewReader(strings.NewReader(text)).ReadAll()
		if err != nil || int64(len(records)) != rows+1 {
			a.violated("O8", "%s has %d rows and a header, the report says %d (%v)", name, len(records)-1, rows, err)
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
			row, err := json.Marshal(members)
			if err != nil {
				return nil, err
			}
			rows = append(rows, string(row))
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
