package inspect

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"friendmigrate/checkpoint"
	"friendmigrate/migrate/disk"
	"friendmigrate/sink"
	"friendmigrate/source"
)

// FailuresVersion of the JSON form. It changes when a key changes its meaning or goes.
const FailuresVersion = 1

// FailedColumns returns the columns of the list of failed edges after the edge's own columns.
func FailedColumns() []string {
	return []string{"ResultCode", "ResultInfo", "Attempts", "Input", "Line"}
}

// Filter chooses failures. The zero Filter takes all.
type Filter struct {
	Codes    []int
	Accounts []string // as From or To
}

func (f Filter) takes(x *checkpoint.Failure) bool {
	return (len(f.Codes) == 0 || slices.Contains(f.Codes, x.Code)) &&
		(len(f.Accounts) == 0 || slices.Contains(f.Accounts, x.Edge.From) || slices.Contains(f.Accounts, x.Edge.To))
}

// Summary counts failures by code.
type Summary struct {
	Version int           `json:"version"`
	Edges   int64         `json:"edges"`
	Codes   []CodeSummary `json:"codes"` // the most frequent first
}

// CodeSummary counts the failures with one ResultCode.
type CodeSummary struct {
	Code    int     `json:"code"`
	Edges   int64   `json:"edges"`
	Advice  string  `json:"advice"`
	Example Example `json:"example"` // one of them
}

// Example is one failed edge.
type Example struct {
	From  string `json:"from"`
	To    string `json:"to"`
	Info  string `json:"info"`
	Input string `json:"input"`
	Line  int64  `json:"line"`
}

// Summarize counts the failures that a filter takes.
func (jobs Jobs) Summarize(f Filter) (*Summary, error) {
	by := map[int]*CodeSummary{}
	s := &Summary{Version: FailuresVersion, Codes: []CodeSummary{}}
	err := jobs.each(f, func(j *Job, x *checkpoint.Failure) error {
		s.Edges++
		c := by[x.Code]
		if c == nil {
			known, _ := sink.LookupCode(x.Code)
			input, line := j.place(x.Edge.Position)
			c = &CodeSummary{Code: x.Code, Advice: known.EdgeAdvice(),
				Example: Example{From: x.Edge.From, To: x.Edge.To, Info: x.Info, Input: input, Line: line}}
			by[x.Code] = c
		}
		c.Edges++
		return nil
	})
	for _, c := range by {
		s.Codes = append(s.Codes, *c)
	}
	slices.SortFunc(s.Codes, func(a, b CodeSummary) int {
		return cmp.Or(cmp.Compare(b.Edges, a.Edges), cmp.Compare(a.Code, b.Code))
	})
	return s, err
}

// each calls do with the failures that a filter takes, in no particular order.
func (jobs Jobs) each(f Filter, do func(*Job, *checkpoint.Failure) error) error {
	for _, j := range jobs {
		if j.Journal == nil {
			continue
		}
		for x, err := range j.Journal.Failures() {
			if err != nil {
				return fmt.Errorf("read the failures: %w", err)
			}
			if !f.takes(&x) {
				continue
			}
			if err := do(j, &x); err != nil {
				return err
			}
		}
	}
	return nil
}

// ListFormat returns the format of the job's own list of failed edges.
func (jobs Jobs) ListFormat() string {
	for _, j := range jobs {
		if j.Counts.ListFormat() == source.JSONL {
			return source.JSONL
		}
	}
	return source.CSV
}

// listMemory is how many bytes of the list are held in memory; the rest goes to a temporary file.
const listMemory = 32 << 20

// List writes the failures that a filter takes, in the form of the job's own list and in the order
// of the input. It returns the custom fields that --integer-tags has to name when the list is
// imported; nil for JSONL. For many failures it uses a temporary file in the folder temporary.
func (jobs Jobs) List(w io.Writer, format, temporary string, f Filter) (integers []string, err error) {
	list := source.NewList(source.ListOptions{
		FS: disk.OS{}, Path: filepath.Join(temporary, "friendmigrate-failures-"+rand.Text()), Memory: listMemory,
		Format: format, Extra: FailedColumns(),
	})
	defer func() { err = errors.Join(err, list.Close()) }()
	err = jobs.each(f, func(j *Job, x *checkpoint.Failure) error {
		return list.Add(&x.Edge, int64(x.Code), x.Info, int64(x.Attempts), j.Counts.InputName(x.Edge.Input),
			x.Edge.Line)
	})
	if err != nil {
		return nil, err
	}
	if err := list.WriteList(w); err != nil {
		return nil, fmt.Errorf("write the failures: %w", err)
	}
	if format == source.CSV {
		integers = list.IntegerTags()
	}
	return integers, nil
}
