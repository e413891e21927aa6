package simulator

import (
	"bufio"
	"encoding/csv"
	"slices"
	"strconv"
	"strings"
)

// edges ranges over the lists of some accounts, one list in memory at a time.
func (s *Server) edges(names []string, sorted bool) func(func(edge) bool) {
	return func(yield func(edge) bool) {
		for _, from := range names {
			friends := s.graph.friends(from)
			if sorted {
				slices.SortFunc(friends, func(a, b Friend) int { return strings.Compare(a.To, b.To) })
			}
			for _, f := range friends {
				if !yield(edge{from, f}) {
					return
				}
			}
		}
	}
}

// writeCSV writes edges with a header under the API's names. It goes over them twice: the columns
// of custom fields are known only at the end. CSV does not tell an integer from a string.
func writeCSV(out *bufio.Writer, edges func(func(edge) bool)) {
	tags := Set{}
	edges(func(e edge) bool {
		for _, c := range e.Custom {
			tags[c.Tag] = struct{}{}
		}
		return true
	})
	columns := sortedKeys(tags)
	w := csv.NewWriter(out)
	defer w.Flush()
	header := []string{"From_Account", "To_Account", "Remark", "RemarkTime", "GroupName", "AddSource", "AddWording",
		"AddTime"}
	w.Write(append(header, columns...)) //nolint:errcheck // the reader may go
	edges(func(e edge) bool {
		row := []string{e.From, e.To, e.Remark, orNothing(e.RemarkTime), strings.Join(e.Groups, ";"), e.AddSource,
			e.AddWording, orNothing(e.AddTime)}
		for _, tag := range columns {
			value := ""
			for _, c := range e.Custom {
				if c.Tag == tag {
					value = c.Value
				}
			}
			row = append(row, value)
		}
		return w.Write(row) == nil
	})
}

func orNothing(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}
