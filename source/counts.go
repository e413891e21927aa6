package source

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"friendmigrate/migrate"
	"friendmigrate/source/stage"
)

// Counts are the results of reading the inputs. With shards, they are about this shard's rows only,
// except RejectedElsewhere.
type Counts struct {
	Rows int64 `json:"rows"` // rows read, valid and rejected
	// rows that are not valid; rejected.csv lists them
	Rejected    int64            `json:"rejected"`
	RejectedBy  map[string]int64 `json:"rejected_by,omitempty"` // by column and reason: "From_Account is empty"
	RejectedIn  []string         `json:"rejected_in,omitempty"` // formats of the inputs with rejected rows
	AllRejected []AllRejected    `json:"all_rejected,omitempty"`
	// rows that are not valid and belong to other shards, which list them
	RejectedElsewhere int64 `json:"rejected_elsewhere,omitempty"`

	// rows kept with a field dropped or cut; changed.csv lists the fields
	Changed int64 `json:"changed"`
	// valid rows with an account id with characters that the vendor doesn't recommend
	Unusual   int64            `json:"unusual"`
	UnusualAt migrate.Position `json:"unusual_at"` // of the first of those
	// valid rows of a CSV with a cell that is \N, NULL or another word for no value
	Nulls   int64            `json:"nulls,omitempty"`
	NullsAt migrate.Position `json:"nulls_at"` // of the first of those

	ManyLines ManyLines `json:"many_lines"`

	Inputs  []Input  `json:"inputs"`
	Empty   []string `json:"empty,omitempty"` // inputs without a single row, of any shard
	LeftOut LeftOut  `json:"left_out"`        // of folders and prefixes, not read
	// unknown columns and keys, sorted, at most maxIgnored
	ColumnsIgnored []string `json:"columns_ignored,omitempty"`
}

// CheckEmpty returns an *EmptyError if the inputs hold no row, unless o allows that.
func (c *Counts) CheckEmpty(o Options) error {
	if o.AllowEmpty || !c.NoRows() {
		return nil
	}
	return &EmptyError{Inputs: slices.Concat(c.Empty, c.LeftOut.Empty)}
}

// NoRows reports whether the inputs hold no row, not even one of another shard.
func (c *Counts) NoRows() bool { return len(c.Empty) == len(c.Inputs) }

// ManyLines counts the records that may have swallowed rows because of a stray quote. They have
// over manyLines lines, or a field with line breaks and as many commas as the header.
type ManyLines struct {
	Records int64  `json:"records"`
	Lines   int64  `json:"lines"`           // of the longest
	Input   string `json:"input,omitempty"` // of the longest, and where it begins
	Line    int64  `json:"line,omitempty"`
}

const manyLines = 20

// ListFormat returns the format for lists of edges as they were in the input. It is JSONL if any
// input was, because CSV cannot hold everything that JSONL can.
func (c *Counts) ListFormat() string {
	if slices.ContainsFunc(c.Inputs, func(in Input) bool { return in.Format == JSONL }) {
		return JSONL
	}
	return CSV
}

// Digests returns the digests of the inputs, in their order.
func (c *Counts) Digests() []string {
	digests := []string{}
	for _, in := range c.Inputs {
		digests = append(digests, in.Digest)
	}
	return digests
}

// InputName returns the name of an input, as the user named it. input is from a Position.
func (c *Counts) InputName(input int) string {
	if input < 0 || input >= len(c.Inputs) {
		return ""
	}
	return c.Inputs[input].Name
}

// maxIgnored is the most names of unknown columns and keys that are kept: the first in alphabetical
// order, so that they don't depend on which parser read what.
const maxIgnored = 50

// tally is one parser's share of Counts.
type tally struct {
	Rows, Changed, Unusual, Nulls int64

	unusualAt, nullsAt migrate.Position
	many               ManyLines // without Input
	manyAt             migrate.Position
	inputs             []int64 // rows of each input, of all shards
	by                 map[rejection]int64
	used               map[string]struct{} // names that --map maps and that a row of JSONL has
	ignored            map[string]struct{}
	last               string // the alphabetically last of ignored, once there are maxIgnored
}

func newTally() tally {
	return tally{by: map[rejection]int64{}, used: map[string]struct{}{}, ignored: map[string]struct{}{}}
}

// row counts a row of this shard. lines is 0 unless the record may have swallowed rows.
func (t *tally) row(at migrate.Position, lines int64) {
	t.Rows++
	if lines > 0 {
		t.span(1, lines, at)
	}
}

// saw counts rows of an input, of any shard.
func (t *tally) saw(input int, rows int64) {
	for len(t.inputs) <= input {
		t.inputs = append(t.inputs, 0)
	}
	t.inputs[input] += rows
}

// span adds records that may have swallowed rows. The longest has a number of lines and begins at a
// position.
func (t *tally) span(records, lines int64, at migrate.Position) {
	t.many.Records += records
	if lines > t.many.Lines || lines == t.many.Lines && at.Before(t.manyAt) {
		t.many.Lines, t.manyAt = lines, at
	}
}

// note adds n rows, the first of them at a position, to a count of rows and the first of those.
func note(count *int64, first *migrate.Position, n int64, at migrate.Position) {
	if n > 0 && (*count == 0 || at.Before(*first)) {
		*first = at
	}
	*count += n
}

func (t *tally) use(r *rules, name string) {
	if _, mapped := r.mapped[name]; mapped {
		t.used[name] = struct{}{}
	}
}

// ignore keeps the name of an unknown column or key.
func (t *tally) ignore(name string) {
	if _, known := t.ignored[name]; known || len(t.ignored) == maxIgnored && name >= t.last {
		return
	}
	if len(t.ignored) == maxIgnored {
		delete(t.ignored, t.last)
	}
	t.ignored[strings.Clone(name)] = struct{}{}
	if len(t.ignored) == maxIgnored {
		t.last = slices.Max(slices.Collect(maps.Keys(t.ignored)))
	}
}

func (c *Counts) add(parts []*tally) {
	all := newTally()
	for _, t := range parts {
		c.Rows += t.Rows
		c.Changed += t.Changed
		note(&c.Unusual, &c.UnusualAt, t.Unusual, t.unusualAt)
		note(&c.Nulls, &c.NullsAt, t.Nulls, t.nullsAt)
		all.span(t.many.Records, t.many.Lines, t.manyAt)
		for input, n := range t.inputs {
			all.saw(input, n)
		}
		for r, n := range t.by {
			all.by[r] += n
		}
		for name := range t.ignored {
			all.ignore(name)
		}
	}
	c.addRejected(all.inputs, all.by)
	if c.ManyLines = all.many; c.ManyLines.Records > 0 {
		c.ManyLines.Input, c.ManyLines.Line = c.InputName(all.manyAt.Input), all.manyAt.Line
	}
	c.ColumnsIgnored = slices.Sorted(maps.Keys(all.ignored))
}

// String returns column and reason.
func (r reject) String() string { return strings.TrimLeft(r.column+" "+r.reason, " ") }

// rejection is the key by which rejected rows are counted.
type rejection struct {
	reject
	input     int
	elsewhere bool // the row belongs to another shard, which lists it
}

// AllRejected names inputs whose rows, of all shards, are all rejected for the same reason.
type AllRejected struct {
	Reason string   `json:"reason"`
	Inputs int64    `json:"inputs"`
	First  []string `json:"first"` // names of the first inputs, at most mostNamed
}

// addRejected adds the rejections of all parsers. rows is the number of rows of each input.
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
			c.RejectedElsewhere += n
			continue
		}
		c.Rejected += n
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

// WhyAllRejected names the inputs whose rows are all rejected for one reason, with the reason. It
// returns "" if there is none.
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

// Better returns the flag that would make rows valid if all rows of all inputs are rejected for one
// reason that a flag removes. mapped is --map.
func (c *Counts) Better(mapped map[string]string) Flag {
	if len(c.AllRejected) != 1 || c.AllRejected[0].Inputs != int64(len(c.Inputs)-len(c.Empty)) {
		return Flag{}
	}
	column, reason, _ := strings.Cut(c.AllRejected[0].Reason, " ")
	meant := near(column, c.ColumnsIgnored...)
	switch {
	case column == nameAddSource && reason == reasonMissing:
		return Flag{"default-add-source", sourcePrefix + "WORD"}
	case reason == reasonEmpty && meant != "":
		better := map[string]string{column: meant}
		maps.Copy(better, mapped)
		return mapFlag(better)
	}
	return Flag{}
}

// FewMutual is a share of mutual pairs. An export with a smaller share most likely has one row for
// each friendship.
const FewMutual = 0.05

// Warnings returns, in whole sentences, what the user should know before anything is sent.
// Request.Warn gets them. They contain no account ids, which are personal data.
func Warnings(c *Counts, t *stage.Totals, o Options) (list []string) {
	warn := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	warnOfInputs(warn, c, o)
	warnOfRows(warn, c)
	if !o.NoRosters {
		warnOfRosters(warn, t, o)
	}
	return list
}

// warnOfInputs warns of inputs that hold nothing and of settings that apply to no input.
func warnOfInputs(warn func(format string, args ...any), c *Counts, o Options) {
	if out := c.LeftOut.Warning(); out != "" {
		warn("%s", out)
	}
	if empty := slices.Concat(c.Empty, c.LeftOut.Empty); len(empty) > 0 {
		warn("no rows in %s", quoted(empty, int64(len(empty))))
	}
	csv := func(in Input) bool { return in.Format == CSV }
	if len(o.IntegerTags) > 0 && !slices.ContainsFunc(c.Inputs, csv) {
		warn("--integer-tags says nothing here: JSONL carries the types of its values, 12 or \"12\"")
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
			names[i] = didYouMean(name, nearField(name))
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
	if c.Nulls > 0 {
		warn("words for no value, such as \\N or NULL, are sent as they are: in %s (the first: %q, line %d); "+
			"an empty cell is not sent", migrate.Some(c.Nulls, "row"), c.InputName(c.NullsAt.Input), c.NullsAt.Line)
	}
	bytes := int64(0)
	for reason, n := range c.RejectedBy {
		if strings.HasSuffix(reason, reasonUTF8) {
			bytes += n
		}
	}
	if bytes > 0 {
		warn("text that is not UTF-8 in %s: if the input was made on Windows, iconv -f GB18030 -t UTF-8 converts "+
			"Chinese, and iconv -f WINDOWS-1252 -t UTF-8 Western text", migrate.Some(bytes, "row"))
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
