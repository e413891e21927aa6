package stage

import (
	"fmt"
	"testing"

	"friendmigrate/migrate"
)

// Whatever has a fixed size in a stage is asked for nothing, for one, for all that it holds and for
// more.
func TestMoreThanAPoolHolds(t *testing.T) {
	for name, counts := range map[string][]int{
		"values of AddSource": {1, 2, maxSources, maxSources + 1, maxSources + 500},
		"custom fields":       {0, 1, 2, 300},
		"groups":              {0, 1, 2, 1000},
		"accounts":            {0, 1, 2, 600}, // more than partitions, and than the blocks that are remembered
	} {
		for _, n := range counts {
			rows := poolRows(name, n)
			for _, l := range []limits{tiny(), roomy(2)} {
				o := Options{Lanes: 2}
				s, totals, heard := build(t, rows, o, l, nil, uint64(n))
				check(t, s, totals, heard, model(rows, o, nil))
			}
		}
	}
}

func poolRows(of string, n int) (rows []migrate.Edge) {
	row := func() *migrate.Edge {
		i := len(rows)
		rows = append(rows, migrate.Edge{
			From: fmt.Sprint("u", i%7), To: fmt.Sprint("v", i), AddSource: "AddSource_Type_X", Position: migrate.Position{Line: int64(i + 2)},
		})
		return &rows[i]
	}
	switch of {
	case "values of AddSource":
		for i := range n {
			row().AddSource = fmt.Sprint("AddSource_Type_", i)
		}
	case "custom fields":
		e := row()
		for i := range n {
			e.Custom = append(e.Custom, migrate.CustomItem{Tag: fmt.Sprint("Tag_SNS_Custom_", i), Value: fmt.Sprint(i)})
		}
	case "groups":
		e := row()
		for i := range n {
			e.Groups = append(e.Groups, fmt.Sprint("g", i))
		}
	case "accounts":
		for i := range n {
			row().From = fmt.Sprint("account", i)
		}
	}
	return rows
}
