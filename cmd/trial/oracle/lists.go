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
		mine, theirs, err := bothWithoutAttempts(name, got[name], text)
		if err != nil {
			a.violated("O7", "%s cannot be read: %v", name, err)
		} else if mine != theirs {
			a.violated("O7", "%s is not that of the unbroken run: %s", name, firstDifference(mine, theirs))
		}
	}
	for name, rows := range map[string]int64{"rejected.csv": r.Edges.Rejected, "failed.csv": r.Edges.Failed + r.Added.Failed} {
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

// bothWithoutAttempts takes the number of attempts out of two versions of a list.
func bothWithoutAttempts(name, a, b string) (string, string, error) {
	strip := func(text string) (string, error) { return text, nil }
	switch name {
	case "failed.csv":
		strip = csvWithoutAttempts
	case "failed.jsonl":
		strip = jsonlWithoutAttempts
	}
	mine, err := strip(a)
	if err != nil {
		return "", "", err
	}
	theirs, err := strip(b)
	return mine, theirs, err
}

func csvWithoutAttempts(text string) (string, error) {
	records, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(records) == 0 {
		return "", fmt.Errorf("no CSV: %w", err)
	}
	column := slices.Index(records[0], "Attempts")
	if column < 0 {
		return "", fmt.Errorf("no column Attempts")
	}
	var b strings.Builder
	for _, r := range records {
		r[column] = ""
		fmt.Fprintf(&b, "%q\n", r)
	}
	return b.String(), nil
}

func jsonlWithoutAttempts(text string) (string, error) {
	var b strings.Builder
	for line := range strings.Lines(text) {
		var members map[string]json.RawMessage
		if err := json.Unmarshal([]byte(line), &members); err != nil {
			return "", err
		}
		delete(members, "Attempts")
		for _, name := range slices.Sorted(maps.Keys(members)) {
			fmt.Fprintf(&b, "%s=%s ", name, members[name])
		}
		b.WriteByte('\n')
	}
	return b.String(), nil
}

// firstDifference shows the first line in which two texts differ.
func firstDifference(a, b string) string {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(x), len(y)) {
		if x[i] != y[i] {
			return fmt.Sprintf("line %d is %.200s, not %.200s", i+1, x[i], y[i])
		}
	}
	return fmt.Sprintf("%d lines, not %d", len(x), len(y))
}
