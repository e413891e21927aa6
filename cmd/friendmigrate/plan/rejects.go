package plan

import (
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// What is shown of rejected rows.
const (
	firstRows = 3
	mostOfRow = 100 // bytes
)

// rejects lists the reasons, the most frequent first, with the first rows of each from the list at
// name. by counts them.
func rejects(name string, by map[string]int64) ([]Reason, error) {
	list := make([]Reason, 0, len(by))
	for reason, rows := range by {
		list = append(list, Reason{Reason: reason, Rows: rows, First: []Place{}})
	}
	slices.SortFunc(list, func(a, b Reason) int {
		return cmp.Or(cmp.Compare(b.Rows, a.Rows),
			strings.Compare(a.Reason, b.Reason))
	})
	if len(list) == 0 {
		return list, nil
	}
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return list, nil // the user took it away
	}
	if err != nil {
		return nil, fmt.Errorf("read the rejected list: %w", err)
	}
	defer f.Close()
	return list, firstOf(csv.NewReader(f), list)
}

// firstOf fills in the first rows of each reason. It reads no further than it has to.
func firstOf(rows *csv.Reader, list []Reason) error {
	rows.ReuseRecord = true
	open := map[string]*Reason{}
	for i := range list {
		open[list[i].Reason] = &list[i]
	}
	for header := true; len(open) > 0; header = false {
		row, err := rows.Read()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the rejected list: %w", err)
		}
		if header || len(row) != 5 { // Input,Line,Column,Reason,Row
			continue
		}
		reason := reasonOf(row[2], row[3])
		r := open[reason]
		if r == nil {
			continue
		}
		line, err := strconv.ParseInt(row[1], 10, 64)
		if err != nil {
			return fmt.Errorf("read the rejected list: %w", err)
		}
		r.First = append(r.First, Place{Input: strings.Clone(row[0]), Line: line, Row: beginning(row[4])})
		if len(r.First) == firstRows || int64(len(r.First)) == r.Rows {
			delete(open, reason)
		}
	}
	return nil
}

// reasonOf names column and reason as source.Counts.RejectedBy does.
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

// beginning is what is shown of a row.
func beginning(row string) string {
	if len(row) <= mostOfRow {
		return strings.Clone(row)
	}
	end := mostOfRow
	for end > mostOfRow-utf8.UTFMax && !utf8.RuneStart(row[end]) {
		end--
	}
	return row[:end] + "…"
}
