package progress

import (
	"cmp"
	"strings"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/terminal"
)

// LastBlock says on a terminal how a command ended: what happened, the counts, where the report is,
// and the command to run next on a line of its own, which can be copied whole. In a pipe the last
// line alone, exit.Ending.Line, says it, for scripts.
func (s Snapshot) LastBlock(e exit.Ending) (rows []terminal.Row) {
	color := terminal.Red
	switch e.Code {
	case exit.Done:
		color = terminal.Green
	case exit.Exceptions, exit.Unfinished:
		color = terminal.Yellow
	}
	for _, sentence := range exit.Sentences(e.What) {
		rows = append(rows, terminal.Row{Head: "friendmigrate:", Color: color, Text: " " + sentence})
	}
	if s.Account != nil {
		if counts := s.outcomes(); counts != "" {
			rows = append(rows, terminal.Row{Text: "  " + counts})
		}
		if head, codes := s.failures(logColumns); head != "" {
			rows = append(rows, terminal.Row{Head: "  " + head, Color: terminal.Red, Text: codes})
		}
	}
	if e.Report != "" {
		rows = append(rows, terminal.Row{Text: "  report: " + e.Report})
	}
	hint := strings.Join(exit.Sentences(e.Hint), " ")
	switch {
	case hint == "", hint == exit.NothingToRun:
	case strings.HasPrefix(hint, exit.NothingToRun):
		if e.Report == "" {
			rows = append(rows, terminal.Row{Text: hint})
		}
	default:
		rows = append(rows, terminal.Row{Head: "hint:", Color: terminal.Bold}, terminal.Row{Text: hint})
	}
	return rows
}

// outcomes counts what became of the edges, those that --mutual added among them. Failed ones have
// a line of their own.
func (s Snapshot) outcomes() string {
	r, d := s.Account.Rows, s.Account.Added
	var parts []string
	for _, outcome := range []struct {
		name  string
		count int64
	}{
		{cmp.Or(s.Did, "imported"), r.Imported + d.Imported}, {"already", r.Already + d.Already},
		{"rejected", r.Rejected},
		{"duplicate", r.Duplicate}, {"pending", r.Pending + d.Pending},
	} {
		if outcome.count > 0 {
			parts = append(parts, outcome.name+" "+terminal.Count(outcome.count))
		}
	}
	return strings.Join(parts, ", ")
}
