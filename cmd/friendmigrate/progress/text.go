package progress

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/report"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/cmd/friendmigrate/terminal"
)

// wide is the number of columns from which the block shows more than what matters most.
const wide = 120

// Block returns the snapshot for a terminal: the progress in one line and, if there is any, what
// matters now in a second one.
func (s Snapshot) Block(columns int) []terminal.Row {
	facts := s.facts()
	if s.Phase != Reading && len(facts) > 0 && columns >= wide {
		facts[0] += "  " + terminal.Bar(s.Settled, s.Total)
	}
	if c := s.Calls; c != nil && s.Phase == Sending && columns >= wide {
		facts = append(facts, terminal.Count(c.InFlight)+" in flight", terminal.Some(c.Sent, "call"))
	}
	first := terminal.Row{Head: s.doing(), Color: terminal.Bold, Text: "  " + strings.Join(facts, "  ")}
	for len(facts) > 2 && first.Columns() > columns { // the time left, which is last, is more important
		facts = slices.Delete(facts, len(facts)-2, len(facts)-1)
		first.Text = "  " + strings.Join(facts, "  ")
	}
	rows := []terminal.Row{first}
	used := 0
	var matters terminal.Row
	for _, row := range s.matters(columns) {
		if used > 0 && used+len("  ")+row.Columns() > columns { // the first one is the most important
			break
		}
		if used == 0 {
			matters = row
		} else {
			matters.Text += "  " + row.Head + row.Text
		}
		used = matters.Columns()
	}
	if used > 0 {
		rows = append(rows, matters)
	}
	return rows
}

// Line returns the snapshot in one line, for a log.
func (s Snapshot) Line() string {
	text := s.doing()
	if facts := s.facts(); len(facts) > 0 {
		text += ": " + strings.Join(facts, ", ")
	}
	for _, row := range s.matters(logColumns) {
		text += "; " + row.Head + row.Text
	}
	return text
}

// logColumns is the maximum length of a list of codes in a log.
const logColumns = 100

// doing returns one word for what the command is doing.
func (s Snapshot) doing() string {
	switch {
	case s.Stop != "":
		return "stopping"
	case s.Finishing:
		return "finishing"
	}
	return cmp.Or(s.Doing, s.Phase)
}

func (s Snapshot) facts() (facts []string) {
	if s.Phase == Starting {
		return []string{"about to begin"}
	}
	if in := s.Input; s.Phase == Reading && in != nil {
		facts = in.facts()
	} else if s.Total > 0 || s.Sums != nil {
		noun := cmp.Or(s.Noun, "edge")
		facts = []string{terminal.Percent(s.Percent), terminal.Count(s.Settled) + " of " + terminal.Some(s.Total, noun)}
	}
	if s.Stop != "" {
		return facts
	}
	if c := s.Calls; c != nil && s.Phase == Sending && c.PerSecond > 0 && !s.Finishing {
		facts = append(facts, terminal.Some(int64(math.Round(c.PerSecond)), "call")+"/s")
	}
	if s.Left != nil {
		facts = append(facts, terminal.Span(time.Duration(*s.Left*float64(time.Second)))+" left")
	}
	return facts
}

func (in *Input) facts() []string {
	rows := terminal.Some(in.Rows, "row")
	switch {
	case in.Total <= 0:
		return []string{rows, settings.FormatSize(in.Bytes)}
	case in.Bytes >= in.Total:
		return []string{rows, "grouping them by account"}
	}
	return []string{terminal.Percent(Percent(in.Bytes, in.Total)), rows,
		settings.FormatSize(in.Bytes) + " of " + settings.FormatSize(in.Total)}
}

// matters returns what matters now, the most urgent first.
func (s Snapshot) matters(columns int) (rows []terminal.Row) {
	add := func(color terminal.Color, head, text string) {
		if head+text != "" {
			rows = append(rows, terminal.Row{Head: head, Color: color, Text: text})
		}
	}
	switch {
	case s.Finishing:
		add(terminal.Plain, "", "writing lists and report")
	case s.Stop != "":
		add(terminal.Yellow, s.Stopping(), "")
	default:
		add(terminal.Yellow, s.Slow, "")
	}
	if s.Failures != nil {
		head, codes := s.failures(columns)
		add(terminal.Red, head, codes)
	}
	add(terminal.Plain, "", s.Note)
	if s.Slow == "" && s.Few > 0 && !s.Finishing {
		add(terminal.Plain, "", terminal.Some(int64(s.Few), "account")+" left")
	}
	return rows
}

// Stopping returns what a command waits for that was asked to stop.
func (s Snapshot) Stopping() string {
	text := "nothing is in flight"
	if c := s.Calls; c != nil && c.InFlight > 0 {
		text = fmt.Sprintf("waiting for %s in flight", terminal.Some(c.InFlight, "call"))
		if s.Drain > 0 { // status does not know it
			text += ", at most " + terminal.Span(s.Drain)
		}
	}
	return text + "; " + s.Stop
}

// failures returns the number of failed edges, and as many of their codes as fit.
func (s Snapshot) failures(columns int) (head, codes string) {
	sum := int64(0)
	var parts []string
	for _, code := range report.MostFirst(s.Failures) {
		sum += s.Failures[code]
		parts = append(parts, fmt.Sprintf("%d ×%s", code, terminal.Count(s.Failures[code])))
	}
	if sum == 0 {
		return "", ""
	}
	head = "failed " + terminal.Count(sum)
	for n := len(parts); ; n-- {
		codes = ": " + strings.Join(parts[:n], ", ")
		if n < len(parts) {
			codes += " and " + terminal.Some(int64(len(parts)-n), "more code")
		}
		if n <= 1 || utf8.RuneCountInString(head+codes) <= columns {
			return head, codes
		}
	}
}

// LastBlock returns the last lines on a terminal: what happened, the counts, where the report is,
// and the command to run next on a line of its own for copying. In a pipe there is only the last
// line, exit.Ending.LastLine, for scripts.
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
	if s.Sums != nil {
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

// outcomes returns the counts of edges by outcome, including those that --mutual added. Failed
// edges have a line of their own.
func (s Snapshot) outcomes() string {
	var parts []string
	for _, o := range s.Sums.Outcomes() {
		if o.Name == "imported" {
			o.Name = cmp.Or(s.Did, o.Name)
		}
		if n := o.Rows + o.Added; n > 0 && o.Name != "failed" {
			parts = append(parts, o.Name+" "+terminal.Count(n))
		}
	}
	return strings.Join(parts, ", ")
}
