package plan

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"friendmigrate/checkpoint"
	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/cmd/friendmigrate/terminal"
	"friendmigrate/sink"
)

// page writes lines of a name, a number and a remark.
type page struct{ strings.Builder }

func (b *page) row(name, value, about string) {
	fmt.Fprintln(b, strings.TrimRight(fmt.Sprintf("%-12s %16s   %s", name, value, about), " "))
}

func (b *page) count(name string, n int64, about string) { b.row(name, terminal.Count(n), about) }

// Text returns the plan for people. The caller has to clean it before printing, because it contains
// account ids and rows of the input.
func (p *Plan) Text() string {
	var b page
	b.rows(p)
	b.cost(p)
	b.notable(p)
	b.rejected(p)
	b.WriteString("\n")
	for _, note := range sink.Notes() {
		fmt.Fprintf(&b, "note: %s\n", note)
	}
	for _, w := range p.Warnings {
		fmt.Fprintf(&b, "\nwarning: %s\n", w)
	}
	return b.String()
}

func (b *page) rows(p *Plan) {
	about := ""
	if n := len(p.Inputs); n > 1 {
		about = fmt.Sprintf("in %d inputs", n)
	} else if n == 1 {
		about = "in " + p.Inputs[0].Name
	}
	if p.Shard != "" {
		about = strings.TrimSpace(about + ", of shard " + p.Shard + " alone")
	}
	b.count("rows", p.Rows.Read, about)
	b.count("rejected", p.Rows.Rejected, "")
	about = ""
	if p.Rows.Duplicate > 0 {
		about = fmt.Sprintf("of the same pair as another row; %s with other fields (--duplicates %s)",
			terminal.Count(p.Rows.Differing), p.Options["--duplicates"])
	}
	b.count("duplicate", p.Rows.Duplicate, about)
	if p.Rows.Changed > 0 {
		b.count("changed", p.Rows.Changed, "by --invalid-field "+p.Options["--invalid-field"])
	}
	if m := p.Rows.ManyLines; m.Records > 0 {
		b.count("many lines", m.Records, fmt.Sprintf("records; the longest has %s, from line %d of %s",
			terminal.Some(m.Lines, "line"), m.Line, m.Input))
	}
	about = ""
	if p.Added > 0 {
		about = terminal.Count(p.Added) + " of them are reverses that --mutual adds"
	}
	b.count("edges", p.Edges, about)
	b.count("accounts", p.Accounts, "with friends in the input")
}

func (b *page) cost(p *Plan) {
	b.WriteString("\n")
	about := fmt.Sprintf("of at most 1,000 edges and %s", settings.FormatSize(p.CallBytes))
	if p.ExtraCalls > 0 {
		about += fmt.Sprintf("; %s of them because of --chunk-bytes", terminal.Count(p.ExtraCalls))
	}
	if p.AskCalls > 0 {
		about += "; half of them ask first (--only-missing)"
	}
	b.count("calls", p.Calls, about)
	if p.LeastSeconds != nil {
		about := "at " + settings.RateWords(p.Rate)
		if p.Shard != "" {
			about += ", this shard's share"
		}
		b.row("least time", p.LeastTime(), about)
	}
	asked := (p.AboutBoth + sink.MaxAccounts - 1) / sink.MaxAccounts
	b.row("accounts", "about "+terminal.Count(asked),
		terminal.Verb(asked, "more call", "more calls")+
			" of friendmigrate accounts, at 100 per second, which comes first")
	b.row("on the wire", settings.FormatSize(p.Bytes), "of JSON")
	b.row("disk", settings.FormatSize(p.Disk.Staged), "at most, for the staged input; more while it is made")
}

// LeastTime returns the least time in words; "" if there is no limit.
func (p *Plan) LeastTime() string {
	switch {
	case p.LeastSeconds == nil:
		return ""
	case *p.LeastSeconds < 1:
		return "under a second"
	}
	return terminal.Span(time.Duration(*p.LeastSeconds * float64(time.Second)))
}

func (b *page) notable(p *Plan) {
	b.WriteString("\n")
	if p.Mutual.Pairs > 0 {
		about := ""
		if p.Mutual.Sampled {
			about = "about "
		}
		b.row("mutual", fmt.Sprintf("%s%.1f %%", about, 100*p.Mutual.Share),
			"of the pairs have a row in each direction")
	}
	if p.MaxFriends > 0 {
		b.count("too large", p.OverFriends, fmt.Sprintf("rosters of more than %s friends (--max-friends)",
			terminal.Count(p.MaxFriends)))
	}
	b.count("groups", p.OverGroups, "accounts with more than 32 groups")
	for i, r := range p.Largest {
		name := ""
		if i == 0 {
			name = "largest"
		}
		b.count(name, r.Friends, "friends of "+r.Account)
	}
}

func (b *page) rejected(p *Plan) {
	for _, r := range p.RejectedBy {
		fmt.Fprintf(b, "\nrejected: %s: %s\n", r.Reason, terminal.Some(r.Rows, "row"))
		for _, f := range r.First {
			fmt.Fprintf(b, "  %s line %d: %s\n", f.Input, f.Line, terminal.OneLine(f.Row))
		}
		if more := r.Rows - int64(len(r.First)); more > 0 && len(r.First) > 0 {
			fmt.Fprintf(b, "  and %s more\n", terminal.Count(more))
		}
	}
}

// ending returns how the plan ended, with the command that imports what was planned.
func (p *Plan) ending(r *job.Run) exit.Ending {
	e := exit.Ending{What: fmt.Sprintf("nothing was sent: %s of %s would take %s", terminal.Some(p.Edges, "edge"),
		terminal.Some(p.Accounts, "account"), terminal.Some(p.Calls, "call"))}
	if p.LeastSeconds != nil && *p.LeastSeconds >= 1 {
		e.What += ", at least " + p.LeastTime()
	}
	if p.PilotCalls > 0 {
		e.What += "; the accounts of --only-accounts take " + terminal.Some(p.PilotCalls, "call")
	}
	l := r.Line().As("import", func(flag string) bool { return flag != "json" }).Of(r.Line().Inputs()...)
	undo := filepath.Join(folder.Of(r.Base(), r.Set.Job.Shard), folder.Undo)
	if undone, err := checkpoint.Exists(r.FS, undo); err == nil && undone {
		l = l.With("fresh", "") // import refuses to go on with a job that was undone
	}
	e.Hint = l.String()
	elsewhere := p.Rows.RejectedElsewhere
	if p.Rows.Rejected > 0 {
		e.Code = exit.Exceptions
		why := ""
		if p.WhyAllRejected != "" {
			why = " (" + p.WhyAllRejected + ")"
		}
		e.What = fmt.Sprintf("%s rejected%s; %s", wouldBe(p.Rows.Rejected), why, e.What)
	}
	if r.Set.Strict && elsewhere > 0 {
		e.What = fmt.Sprintf("%s rejected of other shards; %s", wouldBe(elsewhere), e.What)
	}
	if r.Set.Strict && p.Rows.Rejected+elsewhere > 0 {
		e.Code = exit.Unusable
		e.What = "--strict: " + e.What
		e.Hint = r.Without(l, "strict").String() + " # or fix the rows first"
	}
	return e
}

func wouldBe(rows int64) string { return terminal.Some(rows, "row") + " would be" }
