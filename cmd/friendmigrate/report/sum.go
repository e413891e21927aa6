// Package report is the report of a job: what became of every row of its input, in numbers that
// have to balance, as JSON for programs and as one HTML page for people.
//
// What it promises: the page loads nothing and runs nothing; everything in it is escaped. Its only
// account ids are those of three failed edges of each code, and the JSON has none. Sums that do not
// balance are shown as such. The package reads nothing of a state but what it is given.
package report

import (
	"fmt"
	"strings"

	"friendmigrate/checkpoint"
	"friendmigrate/cmd/friendmigrate/terminal"
)

// Sum counts the rows that were read by outcome. Read is the sum of all others.
type Sum struct {
	Read int64 `json:"read"`
	checkpoint.Counts
	Rejected  int64 `json:"rejected"`
	Duplicate int64 `json:"duplicate"`
	Pending   int64 `json:"pending"`
	Balanced  bool  `json:"balanced"`
}

// Added counts the edges that --mutual added by outcome. They are counted separately.
type Added struct {
	Edges int64 `json:"edges"`
	checkpoint.Counts
	Pending int64 `json:"pending"`
}

// Sums are both.
type Sums struct {
	Rows  Sum   `json:"edges"`
	Added Added `json:"added"`

	// chunks with pending edges that a run has perhaps sent without seeing their answer
	MaybeSent int64 `json:"callsMaybeSent,omitempty"`
}

// SumsOf returns the sums of a job as its journal has them now.
func SumsOf(journal *checkpoint.Journal) Sums {
	sums := Make(journal.Identity(), journal.Totals())
	sums.MaybeSent = journal.MaybeSent()
	return sums
}

// Make returns the sums of a job from its journal.
func Make(id checkpoint.Identity, t checkpoint.Totals) Sums {
	a := Sums{
		Rows:  Sum{Read: id.Rows, Counts: t.Rows(), Rejected: id.Rejected, Duplicate: id.Duplicates},
		Added: Added{Edges: id.Added, Counts: t.Added, Pending: id.Added - t.Added.Settled()},
	}
	// Pending comes from the plan. If it were computed from the other numbers, the sum would always
	// balance.
	a.Rows.Pending = t.Pending - a.Added.Pending
	a.Rows.Balanced = a.imbalance() == ""
	return a
}

// Outcome is what became of some rows and of some edges that --mutual added.
type Outcome struct {
	Name        string
	Rows, Added int64
}

// Outcomes returns the sums by outcome, in the order in which they are shown.
func (a Sums) Outcomes() []Outcome {
	r, d := a.Rows, a.Added
	return []Outcome{
		{"imported", r.Imported, d.Imported}, {"already", r.Already, d.Already}, {"failed", r.Failed, d.Failed},
		{"rejected", r.Rejected, 0}, {"duplicate", r.Duplicate, 0}, {"pending", r.Pending, d.Pending},
	}
}

// String returns the sums in words.
func (a Sums) String() string {
	var rows, added []string
	for _, o := range a.Outcomes() {
		rows = append(rows, terminal.Count(o.Rows)+" "+o.Name)
		if o.Added > 0 {
			added = append(added, terminal.Count(o.Added)+" "+o.Name)
		}
	}
	text := terminal.Some(a.Rows.Read, "row") + " read = " + strings.Join(rows, " + ")
	if a.Added.Edges > 0 {
		text += "; " + terminal.Count(a.Added.Edges) + " added = " + strings.Join(added, " + ")
	}
	return text
}

// imbalance returns what is wrong with the sums; "" if they balance.
func (a Sums) imbalance() string {
	sum := int64(0)
	for _, o := range a.Outcomes() {
		if least := min(o.Rows, o.Added); least < 0 {
			return fmt.Sprintf("%d are %s", least, o.Name)
		}
		sum += o.Rows
	}
	if sum != a.Rows.Read {
		return fmt.Sprintf("%d rows were read, but imported, already, failed, rejected, duplicate and pending add "+
			"up to %d", a.Rows.Read, sum)
	}
	return ""
}

// Check returns an error that says why the sums do not balance.
func (a Sums) Check() error {
	if words := a.imbalance(); words != "" {
		return fmt.Errorf("the sums do not balance: %s", words)
	}
	return nil
}

// InPlace returns the number of edges in the service, rows and added ones.
func (a Sums) InPlace() int64 {
	return a.Rows.Imported + a.Rows.Already + a.Added.Imported + a.Added.Already
}

// AlreadyUncertain returns the number of edges that were there already, and perhaps by a call of
// this job. Undo does not touch them.
func (a Sums) AlreadyUncertain() int64 { return a.Rows.AlreadyUncertain + a.Added.AlreadyUncertain }

// Untouched says after a semicolon how many edges undo leaves though this job may have made them.
func (a Sums) Untouched() string {
	text := ""
	if n := a.AlreadyUncertain(); n > 0 {
		text = fmt.Sprintf("; %s not touched: perhaps made by a call of this job", terminal.IsAre(n, "edge"))
	}
	if a.MaybeSent > 0 {
		text += fmt.Sprintf("; %s pending and not touched: calls that got no answer have perhaps made some",
			terminal.IsAre(a.Pending(), "edge"))
	}
	return text
}

// Edges returns the number of edges of the plan, rows and added ones.
func (a Sums) Edges() int64 { return a.InPlace() + a.Failed() + a.Pending() }

// Failed returns the number of failed edges, rows and added ones.
func (a Sums) Failed() int64 { return a.Rows.Failed + a.Added.Failed }

// Pending returns the number of pending edges, rows and added ones.
func (a Sums) Pending() int64 { return a.Rows.Pending + a.Added.Pending }
