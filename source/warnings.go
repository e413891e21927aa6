package source

import (
	"fmt"
	"slices"
	"strings"

	"friendmigrate/migrate"
	"friendmigrate/source/stage"
)

// FewMutual is the share of mutual pairs under which an export was most likely made with one row
// for each friendship.
const FewMutual = 0.05

// Warnings says in whole sentences what the user should know before anything is sent: what Job.Warn
// is told. Account ids are personal data and appear in none of them.
func Warnings(c *Counts, t *stage.Totals, o Options) (list []string) {
	warn := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	warnOfInputs(warn, c, o)
	warnOfRows(warn, c)
	warnOfRosters(warn, t, o)
	return list
}

// warnOfInputs warns of inputs that hold nothing new and of settings that none of them heeds.
func warnOfInputs(warn func(format string, args ...any), c *Counts, o Options) {
	if out := c.LeftOut.Warning(); out != "" {
		warn("%s", out)
	}
	if empty := slices.Concat(c.Empty, c.LeftOut.Empty); len(empty) > 0 {
		warn("no rows in %s", quoted(empty, int64(len(empty))))
	}
	if again := c.repeated(); len(again) > 0 {
		warn("the content of another input once more, so each of these rows is a duplicate: %s",
			quoted(again, int64(len(again))))
	}
	csv := func(in Input) bool { return in.Format == CSV }
	if len(o.IntegerTags) > 0 && !slices.ContainsFunc(c.Inputs, csv) {
		warn("--integer-tags says nothing here: JSONL carries the types of its values, 12 or \"12\"")
	}
	if len(c.MapUnused) > 0 {
		warn("no row has the keys that --map names: %s", quoted(c.MapUnused, int64(len(c.MapUnused))))
	}
	taken := func(in Input) bool {
		said, _ := nameSays(in.Name)
		return said == "" || said == o.format()
	}
	if o.Format != "" && len(c.Inputs) > 0 && !slices.ContainsFunc(c.Inputs, taken) {
		warn("--format %s says nothing here: the names of all inputs say another format", o.Format)
	}
}

// warnOfRows warns of columns and cells that look like a mistake.
func warnOfRows(warn func(format string, args ...any), c *Counts) {
	if len(c.ColumnsIgnored) > 0 {
		names := make([]string, len(c.ColumnsIgnored))
		for i, name := range c.ColumnsIgnored {
			names[i] = fmt.Sprintf("%.60q", name)
			if meant := nearField(name); meant != "" && meant != name {
				names[i] += fmt.Sprintf(" (did you mean %s?)", meant)
			}
		}
		more := ""
		if len(names) == maxIgnored {
			more = " and perhaps more"
		}
		warn("unknown columns are ignored: %s%s", strings.Join(names, ", "), more)
	}
	if m := c.ManyLines; m.Records > 0 {
		warn("%s of many lines may have swallowed rows by a stray quote (the longest has %s, from line %d of %q)",
			migrate.Some(m.Records, "record"), migrate.Some(m.Lines, "line"), m.Line, m.Input)
	}
	if c.Unusual > 0 {
		warn("account ids with characters other than A-Z a-z 0-9 _ - are sent as they are: in %s "+
			"(the first: %q, line %d)", migrate.Some(c.Unusual, "row"), c.InputName(c.UnusualAt.Input),
			c.UnusualAt.Line)
	}
}

// warnOfRosters warns of one-way friendships and of rosters that the service does not take whole.
func warnOfRosters(warn func(format string, args ...any), t *stage.Totals, o Options) {
	if share := float64(t.MutualPairs) / float64(max(t.Pairs, 1)); t.Pairs > 0 && share < FewMutual && !o.Mutual {
		about := ""
		if t.PairsSampled {
			about = "about "
		}
		warn("only %s%.1f %% of the pairs have both directions in the input, and a friendship is two edges: "+
			"--mutual adds the missing reverses", about, 100*share)
	}
	if t.OverMax > 0 && o.MaxFriends > 0 {
		warn("more than %s friends: %s; the service will refuse the rest of theirs",
			migrate.Count(int64(o.MaxFriends)), migrate.Some(t.OverMax, "account"))
	}
	if t.GroupsOver > 0 {
		warn("more than %d groups: %s; the service will refuse the edges that need more",
			migrate.MaxGroups, migrate.Some(t.GroupsOver, "account"))
	}
}
