package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/migrate"
)

// Limits of what is shown of rejected rows.
const (
	firstRows = 3
	mostOfRow = 100 // bytes
)

// rejects returns the reasons, the most frequent first. by counts the rows of each reason; the
// first rows come from the list at name.
func rejects(name string, by map[string]int64) ([]Reason, error) {
	list := make([]Reason, 0, len(by))
	for reason, rows := range by {
		list = append(list, Reason{Reason: reason, Rows: rows, First: []Place{}})
	}
	slices.SortFunc(list, func(a, b Reason) int {
		return cmp.Or(cmp.Compare(b.Rows, a.Rows),
			strings.Compare(a.Reason, b.Reason))
	})
	open := map[string]*Reason{} // reasons whose first rows are still looked for
	for i := range list {
		open[list[i].Reason] = &list[i]
	}
	for cell, err := range folder.Rows(name) {
		if err != nil {
			return nil, err
		}
		if len(open) == 0 {
			break
		}
		r := open[reasonOf(cell("Column"), cell("Reason"))]
		if r == nil {
			continue
		}
		line, err := strconv.ParseInt(cell("Line"), 10, 64)
		if err != nil {
			return nil, fmt.Errorf("read the rejected list: %w", err)
		}
		beginning := strings.Clone(migrate.Shorten(cell("Row"), mostOfRow))
		r.First = append(r.First, Place{Input: strings.Clone(cell("Input")), Line: line, Row: beginning})
		if len(r.First) == firstRows || int64(len(r.First)) == r.Rows {
			delete(open, r.Reason)
		}
	}
	return list, nil
}

// reasonOf returns the key of a column and a reason in source.Counts.RejectedBy.
func reasonOf(column, reason string) string {
	const tags = "Tag_SNS_Custom_"
	switch {
	case column == "":
		return reason
	case strings.HasPrefix(column, tags):
		return tags + "* " + reason
	}
	return column + " " + reason
}
