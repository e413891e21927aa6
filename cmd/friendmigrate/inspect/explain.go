package inspect

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"friendmigrate/checkpoint"
	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/migrate"
	"friendmigrate/sink"
)

// The kinds of finding: the outcomes of edges, and one for fields that --invalid-field changed.
const (
	Imported  = "imported"
	Already   = "already"
	Failed    = "failed"
	Pending   = "pending"
	Rejected  = "rejected"
	Duplicate = "duplicate"
	Changed   = "changed"
)

// Finding is one fact about an account or a pair. Fields that do not belong to its kind are empty.
type Finding struct {
	Kind  string `json:"kind"`
	Shard string `json:"shard,omitempty"`
	From  string `json:"from,omitempty"` // not known for a rejected row
	To    string `json:"to,omitempty"`
	Input string `json:"input"`
	Line  int64  `json:"line"`
	Added bool   `json:"added,omitempty"` // by --mutual, as the reverse of that row

	// Of an edge.
	At *time.Time `json:"at,omitempty"`
	// of a failed edge; of a pending one: how it had failed before it was reopened
	Code     int    `json:"code,omitempty"`
	Info     string `json:"info,omitempty"`
	Advice   string `json:"advice,omitempty"`
	Attempts int    `json:"attempts,omitempty"`
	// already: this job may have imported it; pending: it may have been sent
	Uncertain bool `json:"uncertain,omitempty"`
	Deleted   bool `json:"deleted,omitempty"`        // imported: undo has deleted it since
	Perhaps   bool `json:"perhapsDeleted,omitempty"` // imported: by a call of undo without an answer

	// Of a rejected or changed row.
	Column string `json:"column,omitempty"`
	Reason string `json:"reason,omitempty"`
	Row    string `json:"row,omitempty"` // rejected: as it is in the input
	Was    string `json:"was,omitempty"`
	Now    string `json:"now,omitempty"`

	// Of a duplicate: the row that won.
	KeptInput string `json:"keptInput,omitempty"`
	KeptLine  int64  `json:"keptLine,omitempty"`
}

// Tally counts what an explanation found.
type Tally struct {
	ByKind map[string]int64
	Gone   bool // the staged input is missing, so only failed edges and rows of the lists are known

	Deleted, Perhaps int64 // of the imported ones, by undo
}

// Found returns the number of findings.
func (t Tally) Found() (n int64) {
	for _, count := range t.ByKind {
		n += count
	}
	return n
}

// Edges returns the number of findings that are edges of the plan.
func (t Tally) Edges() int64 {
	return t.ByKind[Imported] + t.ByKind[Already] + t.ByKind[Failed] + t.ByKind[Pending]
}

// Explain finds what became of the edges of an account or, with to, of one pair: first those of the
// plan in the order of the input, then rows in the lists of rejected, duplicate and changed rows.
// Findings of one kind are in the input's order of To.
func (jobs Jobs) Explain(ctx context.Context, from, to string, tell func(Finding) error) (Tally, error) {
	return jobs.explain(ctx, from, to, tell, explainWindow)
}

// explainWindow is how many chunks are looked up in the journal at once, since a roster may be
// larger than memory.
const explainWindow = 128

func (jobs Jobs) explain(ctx context.Context, from, to string, tell func(Finding) error, window int) (Tally, error) {
	e := explainer{ctx: ctx, from: from, to: to, tell: tell, window: window, tally: Tally{ByKind: map[string]int64{}}}
	for _, explain := range []func() error{e.edges, e.lists} {
		for _, e.job = range jobs {
			if err := explain(); err != nil {
				return e.tally, err
			}
		}
	}
	return e.tally, nil
}

type explainer struct {
	ctx      context.Context
	from, to string // to may be ""
	tell     func(Finding) error
	window   int // chunks
	tally    Tally
	job      *Job
	deleted  *Created // by the undo of the job; nil: no undo has begun
}

// wants reports whether the question is about a friend of the account.
func (e *explainer) wants(to string) bool { return e.to == "" || to == e.to }

func (e *explainer) find(f Finding) error {
	if err := context.Cause(e.ctx); err != nil {
		return err
	}
	f.Shard = e.job.Shard.String()
	e.tally.ByKind[f.Kind]++
	if f.Deleted {
		e.tally.Deleted++
	}
	if f.Perhaps {
		e.tally.Perhaps++
	}
	return e.tell(f)
}

// edges explains the edges of the plan.
func (e *explainer) edges() error {
	if e.job.Stage == nil {
		return e.failures()
	}
	undo, err := OpenUndo(e.job.Dir)
	if err != nil {
		return err
	}
	if e.deleted = nil; undo != nil {
		defer undo.Close() // read only
		e.deleted = &Created{Journal: undo, window: int64(e.window)}
	}
	r, ok, err := e.job.Stage.Find(e.from)
	if err != nil || !ok {
		return err
	}
	for first := 0; first < r.Chunks; first += e.window {
		if err := e.chunks(&r, first, min(first+e.window, r.Chunks)); err != nil {
			return err
		}
	}
	return nil
}

// failures explains the failed edges in the journal, if the stage is gone.
func (e *explainer) failures() error {
	if e.job.Journal == nil {
		return nil
	}
	e.tally.Gone = e.tally.Gone || e.job.has(e.from)
	return Jobs{e.job}.each(Filter{Accounts: []string{e.from}}, func(_ *Job, x *checkpoint.Failure) error {
		if x.Edge.From != e.from || !e.wants(x.Edge.To) {
			return nil
		}
		f := e.edge(&x.Edge)
		f.failed(migrate.Outcome{Code: x.Code, Info: x.Info}, x.Attempts, x.At)
		return e.find(f)
	})
}

// place is an edge's place in the plan.
type place struct {
	ordinal int64
	index   int
}

// chunks explains the chunks of a roster from first up to end.
func (e *explainer) chunks(r *migrate.Roster, first, end int) error {
	var chunks []migrate.Chunk
	for i := first; i < end; i++ {
		c, err := r.Load(i)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(c.Edges, func(x migrate.Edge) bool { return e.wants(x.To) }) {
			chunks = append(chunks, c)
		}
	}
	if len(chunks) == 0 {
		return nil
	}
	settled, err := e.settled(chunks[0].Ordinal, chunks[len(chunks)-1].Ordinal)
	if err != nil {
		return err
	}
	for _, c := range chunks {
		maybeSent := false
		if e.job.Journal != nil {
			_, maybeSent = e.job.Journal.Unsettled(c.Ordinal, len(c.Edges))
		}
		var deleted migrate.EdgeSet
		if e.deleted != nil {
			if deleted, err = e.deleted.Of(e.ctx, c.Ordinal); err != nil {
				return err
			}
		}
		for k := range c.Edges {
			if !e.wants(c.Edges[k].To) {
				continue
			}
			f := e.edge(&c.Edges[k])
			f.settle(settled[place{c.Ordinal, k}], maybeSent)
			f.Deleted = deleted.Has(k)
			f.Perhaps = e.deleted != nil && f.Kind == Imported && PerhapsDeleted(e.deleted.Journal, c.Ordinal, k)
			if err := e.find(f); err != nil {
				return err
			}
		}
	}
	return nil
}

// settled returns the latest record in the journal for each edge of the chunks from first to last.
func (e *explainer) settled(first, last int64) (map[place]*checkpoint.Settled, error) {
	known := map[place]*checkpoint.Settled{}
	if e.job.Journal == nil {
		return known, nil
	}
	for s, err := range e.job.Journal.Settlements(first, last-first+1) {
		if err = errors.Join(err, context.Cause(e.ctx)); err != nil {
			return nil, fmt.Errorf("look into the journal: %w", err)
		}
		known[place{s.Ordinal, s.Index}] = &s
	}
	return known, nil
}

// edge returns a finding for an edge, without its outcome.
func (e *explainer) edge(x *migrate.Edge) Finding {
	f := Finding{Kind: Pending, From: x.From, To: x.To, Added: x.Added}
	f.Input, f.Line = e.job.place(x.Position)
	return f
}

// settle sets the outcome from the journal's record; nil: there is none.
func (f *Finding) settle(s *checkpoint.Settled, maybeSent bool) {
	switch {
	case s == nil:
		f.Uncertain = maybeSent
	case s.Reopened:
		f.failed(s.Outcome, s.Attempts, s.At)
		f.Kind, f.Uncertain = Pending, maybeSent
	case s.Outcome.Kind == migrate.Failed:
		f.failed(s.Outcome, s.Attempts, s.At)
	default:
		f.Kind, f.At, f.Uncertain = Imported, &s.At, s.Outcome.Uncertain
		if s.Outcome.Kind == migrate.Already {
			f.Kind = Already
		}
	}
}

func (f *Finding) failed(o migrate.Outcome, attempts int, at time.Time) {
	known, _ := sink.LookupCode(o.Code)
	f.Kind, f.Code, f.Info, f.Advice, f.Attempts, f.At = Failed, o.Code, o.Info, known.EdgeAdvice(), attempts, &at
}

// lists explains the rows that are in lists: each list is read once.
func (e *explainer) lists() error {
	for _, l := range []struct{ name, kind string }{
		{folder.Rejected, Rejected}, {folder.Duplicates, Duplicate}, {folder.Changed, Changed},
	} {
		for cell, err := range folder.Rows(filepath.Join(e.job.Dir, l.name)) {
			if err == nil {
				err = e.row(l.kind, cell)
			}
			if err != nil {
				return fmt.Errorf("look into %s: %w", l.name, err)
			}
		}
	}
	return nil
}

// row explains a row of a list according to the list's columns.
func (e *explainer) row(kind string, cell func(column string) string) (err error) {
	f := Finding{Kind: kind, From: cell("From_Account"), To: cell("To_Account"), Input: cell("Input"),
		Column: cell("Column"), Reason: cell("Reason"), Row: cell("Row"), Was: cell("Was"), Now: cell("Now"),
		KeptInput: cell("KeptInput")}
	switch {
	case kind == Rejected && !e.inRow(f.Row), kind != Rejected && (f.From != e.from || !e.wants(f.To)):
		return nil
	case kind == Duplicate:
		if f.KeptLine, err = strconv.ParseInt(cell("KeptLine"), 10, 64); err != nil {
			return err
		}
	}
	if f.Line, err = strconv.ParseInt(cell("Line"), 10, 64); err != nil {
		return err
	}
	return e.find(f)
}

// inRow reports whether a rejected row names the account, or the pair, in any of its fields: it may
// be too broken to tell which of them is From_Account.
func (e *explainer) inRow(raw string) bool {
	if !strings.Contains(raw, e.from) && !strings.ContainsAny(raw, `\"`) { // most rows need not be parsed
		return false
	}
	fields := RowFields(raw)
	at := slices.Index(fields, e.from)
	return at >= 0 && (e.to == "" || slices.Contains(slices.Delete(fields, at, at+1), e.to))
}

// RowFields parses a row of an input as far as possible. It returns the fields of a CSV record, or
// the texts and numbers of a JSON object.
func RowFields(raw string) (fields []string) {
	var object map[string]any
	d := json.NewDecoder(strings.NewReader(raw))
	d.UseNumber()
	if d.Decode(&object) == nil {
		for _, value := range object {
			switch v := value.(type) {
			case string:
				fields = append(fields, v)
			case json.Number:
				fields = append(fields, v.String())
			}
		}
		return fields
	}
	r := csv.NewReader(strings.NewReader(raw))
	r.LazyQuotes = true
	fields, _ = r.Read()
	return fields
}
