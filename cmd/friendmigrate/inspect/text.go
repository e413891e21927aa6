package inspect

import (
	"cmp"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"friendmigrate/cmd/friendmigrate/terminal"
)

// when formats a time.
func when(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// Text returns the status for people.
func (s *Status) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", s.State, s.now.Line())
	row := func(name, value, about string) {
		fmt.Fprintln(&b, strings.TrimRight(fmt.Sprintf("  %-11s %15s   %s", name, value, about), " "))
	}
	s.edgeRows(row)
	s.runRows(row)
	for _, f := range s.FailedBy {
		fmt.Fprintf(&b, "  %s with %d: %s\n", terminal.Some(f.Edges, "edge")+" failed", f.Code, f.Advice)
	}
	if s.sharded() {
		b.WriteString("\n")
		for i := range s.Shards {
			fmt.Fprintf(&b, "  %-9s %s\n", cmp.Or(s.Shards[i].Shard, "whole"), s.Shards[i].now.Line())
		}
	}
	return b.String()
}

// Line returns the status in one line, for somebody who watches it.
func (s *Status) Line() string {
	now := s.now
	now.Note = cmp.Or(s.next(), now.Note)
	return now.Line()
}

// next returns what to do about a shard that has no state yet, or about one that stopped.
func (s *Status) next() string {
	if len(s.Missing) > 0 {
		return "not begun: " + shortList(s.Missing, 8)
	}
	for i := range s.Shards {
		if hint := s.Shards[i].Hint; hint != "" {
			return "next: " + hint
		}
	}
	return ""
}

// Block returns the status for a terminal with this many columns, which is redrawn repeatedly: what
// the job itself shows there, or a line for each shard and then their sum.
func (s *Status) Block(columns int) (rows []terminal.Row) {
	now := s.now
	now.Note = cmp.Or(s.next(), now.Note)
	if utf8.RuneCountInString(now.Note) > columns { // half a command helps nobody
		now.Note = "friendmigrate status says more"
	}
	if s.sharded() {
		now.Doing = s.division()
		if len(s.Missing) > 0 {
			now.Doing = fmt.Sprintf("%d of %s", len(s.Shards), now.Doing)
		}
		for i := range s.Shards {
			j := &s.Shards[i]
			block := j.now.Block(columns - len(j.Shard) - 2)
			row := terminal.Row{Head: j.Shard, Color: terminal.Bold, Text: "  " + block[0].Head + block[0].Text}
			if len(block) > 1 && row.Columns()+2+block[1].Columns() <= columns { // the sum says the gravest
				row.Text += "  " + block[1].Head + block[1].Text
			}
			rows = append(rows, row)
		}
	}
	return append(rows, now.Block(columns)...)
}

// begun returns in a few words how many shards are running.
func (s *Status) begun() string {
	running, doing := 0, cmp.Or(s.now.Doing, s.Phase)
	for i := range s.Shards {
		if j := &s.Shards[i]; j.Running() {
			running, doing = running+1, cmp.Or(j.now.Doing, doing)
		}
	}
	all := s.division()
	if len(s.Missing) > 0 {
		return fmt.Sprintf("%s, %d of %s have begun, %d running", doing, len(s.Shards), all, running)
	}
	return fmt.Sprintf("%s, %d of %s running", doing, running, all)
}

// division returns of how many shards the job is.
func (s *Status) division() string {
	text := terminal.Some(int64(len(s.Shards)+len(s.Missing)), "shard")
	if s.Mixed != "" {
		text += " of different jobs"
	}
	return text
}

// ended returns in a few words how a shard ended that is not running.
func (s *JobStatus) ended() string {
	switch {
	case s.Phase == Finished && s.Code != nil && *s.Code != 0, s.Phase == Stopped && s.Code != nil:
		return fmt.Sprintf("%s (exit code %d)", s.Phase, *s.Code)
	case s.Phase == Stopped && s.Progress != nil:
		text := "not running for %s"
		if s.held {
			text = "no sign of life for %s, though a process holds the state: suspended, or another command"
		}
		return fmt.Sprintf(text, terminal.Span(time.Duration(s.Silent*float64(time.Second))))
	}
	return s.Phase
}

func (s *Status) edgeRows(row func(name, value, about string)) {
	a := s.Sums
	if a == nil {
		return
	}
	count := func(name string, n, added int64, about string) {
		if added > 0 {
			about = strings.TrimSpace(fmt.Sprintf("and %s added ones  %s", terminal.Count(added), about))
		}
		row(name, terminal.Count(n), about)
	}
	count("read", a.Rows.Read, a.Added.Edges, "")
	for _, o := range a.Outcomes() {
		about := ""
		if n := a.AlreadyUncertain(); n > 0 && o.Name == "already" {
			about = terminal.Count(n) + " of them perhaps by a call of this job"
		}
		count(o.Name, o.Rows, o.Added, about)
	}
	if !a.Rows.Balanced {
		row("", "", "THE SUM DOES NOT BALANCE: please report this")
	}
}

func (s *Status) runRows(row func(name, value, about string)) {
	runs, killed := 0, 0
	for i := range s.Shards {
		runs += s.Shards[i].Runs
		killed += s.Shards[i].Killed
	}
	if runs > 0 {
		about := ""
		if killed > 0 {
			about = fmt.Sprintf("%d of them %s killed or ended at once by a second signal", killed,
				terminal.Verb(int64(killed), "was", "were"))
		}
		row("runs", terminal.Count(int64(runs)), about)
	}
	if len(s.Shards) == 1 {
		one := &s.Shards[0]
		if one.What != "" && !one.Running() && s.Undone == nil { // else it speaks of what is gone
			row("ended", "", one.What)
		}
	}
	for i := range s.Shards {
		if j := &s.Shards[i]; j.Hint != "" {
			row("next", j.Shard, j.Hint)
		}
	}
	if s.Undone != nil {
		row("undone", "", s.Undone.String())
	}
	if s.Pace != nil {
		row("pace", "", s.Pace.String()+" (set by friendmigrate pace)")
	}
	if v := s.Verified; v != nil {
		text := fmt.Sprintf("%s on %s: %s", v.How, when(v.At), v.String())
		if s.Sums != nil && v.Asked() < s.Sums.InPlace() {
			text += fmt.Sprintf("; it asked about %s of %s in place", terminal.Count(v.Asked()),
				terminal.Some(s.Sums.InPlace(), "edge"))
		}
		row("verified", "", text)
	}
	if s.Mixed != "" {
		row("mixed", "", s.Mixed)
	}
	if len(s.Missing) > 0 {
		row("not begun", terminal.Count(int64(len(s.Missing))),
			"of the shards, without a state here: "+shortList(s.Missing, 8))
	}
}

func shortList(list []string, most int) string {
	if len(list) > most {
		return strings.Join(list[:most], ", ") + ", ..."
	}
	return strings.Join(list, ", ")
}

// Text returns the summary for people.
func (s *Summary) Text() string {
	var b strings.Builder
	for i, c := range s.Codes {
		if i > 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "%d: %s failed: %s\n", c.Code, terminal.Some(c.Edges, "edge"), c.Advice)
		fmt.Fprintf(&b, "  such as %s -> %s, %s line %d: %s\n", c.Example.From, c.Example.To, c.Example.Input,
			c.Example.Line, orNothing(c.Example.Info))
	}
	return b.String()
}

func orNothing(info string) string {
	if info == "" {
		return "the service gave no text"
	}
	return terminal.OneLine(info)
}

// Text returns the finding for people, in one or two lines.
func (f Finding) Text() string {
	where := fmt.Sprintf("%s line %d", f.Input, f.Line)
	if f.Added {
		where = "reverse of " + where
	}
	text := fmt.Sprintf("%-9s  ", f.Kind)
	if f.From != "" {
		text += fmt.Sprintf("%s -> %s   ", f.From, f.To)
	}
	text += where
	switch f.Kind {
	case Rejected:
		return text + fmt.Sprintf(": %s\n%11s%s\n", strings.TrimSpace(f.Column+" "+f.Reason), "",
			terminal.OneLine(f.Row))
	case Duplicate:
		return text + fmt.Sprintf(": lost against %s line %d\n", f.KeptInput, f.KeptLine)
	case Changed:
		now := fmt.Sprintf("became %q", f.Now)
		if f.Now == "" {
			now = "was dropped"
		}
		return text + fmt.Sprintf(": %s %s, so %q %s\n", f.Column, f.Reason, f.Was, now)
	}
	if f.At != nil {
		text += "   " + when(*f.At)
	}
	return text + f.outcomeText() + "\n"
}

func (f *Finding) outcomeText() string {
	switch {
	case f.Kind == Failed:
		return fmt.Sprintf(", after %s\n%11s%d %s: %s", terminal.Some(int64(f.Attempts), "attempt"), "", f.Code,
			orNothing(f.Info), f.Advice)
	case f.Kind == Pending && f.Code != 0:
		return fmt.Sprintf(", to be sent again after it had failed with %d %s%s", f.Code, orNothing(f.Info),
			f.unsureText())
	}
	return f.unsureText()
}

func (f *Finding) unsureText() string {
	switch {
	case f.Deleted:
		return ", deleted by undo since"
	case f.Perhaps:
		return ", perhaps deleted by undo since: its call got no answer"
	case !f.Uncertain:
		return ""
	case f.Kind == Already:
		return ", perhaps by a call of this job"
	}
	return ", may have been sent without an answer"
}
