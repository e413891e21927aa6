package source

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// rejection is what rejected rows are counted by.
type rejection struct {
	reject
	input     int
	elsewhere bool // the row belongs to another shard, which lists it
}

// AllRejected are inputs of which every row, of all shards, is rejected for the same reason.
type AllRejected struct {
	Reason string   `json:"reason"`
	Inputs int64    `json:"inputs"`
	First  []string `json:"first"` // of the inputs, at most mostNamed
}

// addRejected takes up the rejections of all parsers. rows are those of each input.
func (c *Counts) addRejected(rows []int64, by map[rejection]int64) {
	reasons := make([]string, len(rows)) // of each input, one
	alike := make([]int64, len(rows))    // rows rejected for that one
	for r, n := range by {
		reason := r.String()
		if reasons[r.input] == "" {
			reasons[r.input] = reason
		}
		if reasons[r.input] == reason {
			alike[r.input] += n
		}
		if r.elsewhere {
			continue
		}
		if c.RejectedBy == nil {
			c.RejectedBy = map[string]int64{}
		}
		c.RejectedBy[reason] += n
		if format := c.Inputs[r.input].Format; !slices.Contains(c.RejectedIn, format) {
			c.RejectedIn = append(c.RejectedIn, format)
		}
	}
	slices.Sort(c.RejectedIn)
	for i, n := range rows {
		if n == 0 || n != alike[i] {
			continue
		}
		at := slices.IndexFunc(c.AllRejected, func(a AllRejected) bool { return a.Reason == reasons[i] })
		if at < 0 {
			at = len(c.AllRejected)
			c.AllRejected = append(c.AllRejected, AllRejected{Reason: reasons[i]})
		}
		a := &c.AllRejected[at]
		if a.Inputs++; len(a.First) < mostNamed {
			a.First = append(a.First, c.InputName(i))
		}
	}
	slices.SortStableFunc(c.AllRejected, func(a, b AllRejected) int { return cmp.Compare(b.Inputs, a.Inputs) })
}

// WhyAllRejected names the inputs of which every row is rejected for one reason, and the reason; ""
// if there is none.
func (c *Counts) WhyAllRejected() string {
	var list []string
	for _, a := range c.AllRejected[:min(len(c.AllRejected), mostNamed)] {
		of := "all rows of " + quoted(a.First, a.Inputs)
		if len(c.Inputs) == 1 {
			of = "all rows"
		}
		text := of + ": " + a.Reason
		column, _, _ := strings.Cut(a.Reason, " ")
		if meant := near(column, c.ColumnsIgnored...); meant != "" && meant != column {
			text += fmt.Sprintf(" (%.40q: did you mean %s?)", meant, column)
		}
		list = append(list, text)
	}
	return strings.Join(list, "; ")
}
