package inspect

import (
	"fmt"
	"strings"
	"time"

	"friendmigrate/cmd/friendmigrate/progress"
	"friendmigrate/cmd/friendmigrate/terminal"
)

// when writes a moment.
func when(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// Text is the status for people.
func (s *Status) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", s.State, s.headline())
	row := func(name, value, about string) {
		fmt.Fprintln(&b, strings.TrimRight(fmt.Sprintf("  %-11s %15s   %s", name, value, about), " "))
	}
	s.edgeRows(row)
	s.runRows(row)
	for _, f := range s.FailedBy {
		fmt.Fprintf(&b, "  %s with %d: %s\n", terminal.Some(f.Edges, "edge")+" failed", f.Code, f.Advice)
	}
	if len(s.Shards) > 1 || s.Shards[0].Shard != "" {
		s.shardRows(&b)
	}
	return b.String()
}

// headline says what is going on, in one line.
func (s *Status) headline() string {
	text, of := s.Shards[0].going(), ""
	if len(s.Shards) > 1 || s.Shards[0].Shard != "" {
		running := 0
		for i := range s.Shards {
			if s.Shards[i].Running() {
				running++
			}
		}
		begun, all := len(s.Shards), terminal.Some(int64(len(s.Shards)+len(s.Missing)), "shard")
		text = fmt.Sprintf("%s; %d of %s running", s.Phase, running, all)
		if len(s.Missing) > 0 {
			text = fmt.Sprintf("%s; %d of %s have begun, %d running", s.Phase, begun, all, running)
			of = " of their edges"
		}
	}
	if s.Account != nil {
		text += fmt.Sprintf(", %.1f %%%s settled", s.Percent, of)
	}
	if s.PerSecond > 0 {
		text += fmt.Sprintf(", %.0f calls/s", s.PerSecond)
	}
	if s.Left != nil {
		text += ", " + terminal.Span(time.Duration(*s.Left*float64(time.Second))) + " left"
	}
	return text
}

// going says in a few words what a shard does, or how it ended.
func (s *JobStatus) going() string {
	p := s.Progress
	switch {
	case s.Phase == Reading && p != nil:
		return p.Line()
	case s.Phase == Finished && s.Code != nil && *s.Code != 0:
		return fmt.Sprintf("finished (exit code %d)", *s.Code)
	case s.Phase == Stopped && s.Code != nil:
		return fmt.Sprintf("stopped (exit code %d)", *s.Code)
	case s.Phase == Stopped && p != nil:
		return fmt.Sprintf("not running; its last sign of life was %s ago",
			terminal.Span(time.Duration(s.Silent*float64(time.Second))))
	}
	return s.Phase
}

func (s *Status) edgeRows(row func(name, value, about string)) {
	a := s.Account
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
	count("imported", a.Rows.Imported, a.Added.Imported, "")
	unsure := ""
	if n := a.Rows.AlreadyUncertain + a.Added.AlreadyUncertain; n > 0 {
		unsure = terminal.Count(n) + " of them perhaps by a call of this job that got no answer"
	}
	count("already", a.Rows.Already, a.Added.Already, unsure)
	count("failed", a.Rows.Failed, a.Added.Failed, "")
	count("rejected", a.Rows.Rejected, 0, "")
	count("duplicate", a.Rows.Duplicate, 0, "")
	count("pending", a.Rows.Pending, a.Added.Pending, "")
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
			about = fmt.Sprintf("%d of them were killed", killed)
		}
		row("runs", terminal.Count(int64(runs)), about)
	}
	if len(s.Shards) == 1 {
		one := &s.Shards[0]
		if p := one.Progress; p != nil && p.Slow != "" && one.Running() {
			row("slow", "", p.Slow)
		}
		if one.What != "" && !one.Running() {
			row("ended", "", one.What)
		}
	}
	if s.Pace != nil {
		row("pace", "", s.Pace.String()+" (set by friendmigrate pace)")
	}
	if v := s.Verified; v != nil {
		row("verified", "", fmt.Sprintf("%s on %s: %s", v.How, when(v.At), v.String()))
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

func (s *Status) shardRows(b *strings.Builder) {
	b.WriteString("\n")
	for i := range s.Shards {
		j := &s.Shards[i]
		text := j.going()
		if a := j.Account; a != nil {
			text += fmt.Sprintf(", %.1f %% of %s", j.Percent, terminal.Some(a.Edges(), "edge"))
			if a.Failed() > 0 {
				text += fmt.Sprintf(", %s failed", terminal.Count(a.Failed()))
			}
		}
		if p := j.Progress; p != nil && j.Phase == Sending {
			text += paceText(p)
		}
		name := j.Shard
		if name == "" {
			name = "whole"
		}
		fmt.Fprintf(b, "  %-9s %s\n", name, text)
	}
}

func paceText(p *progress.Snapshot) (text string) {
	if p.Calls != nil {
		text += fmt.Sprintf(", %.0f calls/s", p.Calls.PerSecond)
	}
	if p.Left != nil {
		text += ", " + terminal.Span(time.Duration(*p.Left*float64(time.Second))) + " left"
	}
	if p.Slow != "" {
		text += " (" + p.Slow + ")"
	}
	return text
}

// Line is the status in one line.
func (s *Status) Line() string {
	text := s.headline()
	if s.Account != nil {
		text += fmt.Sprintf(": %s of %s", terminal.Count(s.Settled), terminal.Some(s.Total, "edge"))
		if n := s.Account.Failed(); n > 0 {
			text += fmt.Sprintf(", %s failed", terminal.Count(n))
		}
	}
	return text
}

// Text is the summary for people.
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
	return oneLine(info)
}

func oneLine(s string) string { return strings.ReplaceAll(s, "\n", `\n`) }

// Text is the finding for people, as one line or two.
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
		return text + fmt.Sprintf(": %s\n%11s%s\n", strings.TrimSpace(f.Column+" "+f.Reason), "", oneLine(f.Row))
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
		return fmt.Sprintf(", taken up again after it had failed with %d %s%s", f.Code, orNothing(f.Info),
			f.unsureText())
	}
	return f.unsureText()
}

func (f *Finding) unsureText() string {
	switch {
	case !f.Uncertain:
		return ""
	case f.Kind == Already:
		return ", perhaps by a call of this job that got no answer"
	}
	return ", may have been sent without an answer"
}
