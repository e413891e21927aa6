package inspect

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"friendmigrate/checkpoint"
	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/report"
	"friendmigrate/migrate"
)

// ErrGone says that pairs can't be named any more: the staged input is gone.
var ErrGone = errors.New("the staged input is gone")

// Undone counts what is in an undo list and what is not.
type Undone struct {
	Pairs     int64
	Uncertain int64 // found in place after a call without an answer: not in the list
	Calls     int64 // of friend_delete: one a line
	Accounts  int64 // with such pairs
}

// deletion is a call of friend_delete: at most 1000 of one account's friends, from its list alone
// (the page of friend_delete).
type deletion struct {
	From string   `json:"From_Account"`
	To   []string `json:"To_Account"`
	Type string   `json:"DeleteType"`
}

// Undo writes a line of friend_delete's JSON for each chunk of which this job created pairs: those
// that the service said were imported. Pairs that were there before (already) are not this job's.
// only chooses accounts; nil: all.
func (jobs Jobs) Undo(ctx context.Context, w io.Writer, only func(from string) bool) (Undone, error) {
	return jobs.undo(ctx, w, only, undoWindow)
}

func (jobs Jobs) undo(ctx context.Context, w io.Writer, only func(string) bool, window int64) (u Undone, err error) {
	out := bufio.NewWriter(w)
	lines := json.NewEncoder(out)
	lines.SetEscapeHTML(false)
	for _, j := range jobs {
		if j.Journal == nil || j.Journal.Totals().Settled() == 0 {
			continue
		}
		if command := j.Journal.Identity().Command(); command != "import" {
			return u, fmt.Errorf("%q is the state of an %s, which created no pairs", j.Dir, command)
		}
		if j.Stage == nil {
			return u, fmt.Errorf("name the pairs of %q: %w", j.Dir, ErrGone)
		}
		created := Created{Journal: j.Journal, window: window}
		for r, err := range j.Stage.Rosters(ctx, nil) {
			if err == nil && (only == nil || only(r.From)) {
				err = u.roster(ctx, &created, &r, lines)
			}
			if err != nil {
				return u, fmt.Errorf("name the pairs of %q: %w", j.Dir, err)
			}
		}
		u.Uncertain += created.uncertain
	}
	return u, out.Flush()
}

// roster writes what was created of a roster.
func (u *Undone) roster(ctx context.Context, created *Created, r *migrate.Roster, lines *json.Encoder) error {
	before := u.Pairs
	for i := range r.Chunks {
		set, err := created.Of(ctx, r.First+int64(i))
		if err != nil {
			return err
		}
		if set == (migrate.EdgeSet{}) {
			continue
		}
		c, err := r.Load(i)
		if err != nil {
			return err
		}
		d := deletion{From: c.From, Type: "Delete_Type_Single"}
		for _, k := range set.Indexes() {
			d.To = append(d.To, c.Edges[k].To)
		}
		u.Pairs += int64(len(d.To))
		u.Calls++
		if err := lines.Encode(d); err != nil {
			return err
		}
	}
	if u.Pairs > before {
		u.Accounts++
	}
	return nil
}

// undoWindow is how many chunks are looked up in one pass over the journal: at most 64 MB of sets.
const undoWindow = 512 << 10

// Created tells which edges of each chunk a job has imported. It looks up many chunks at a time, so
// it is quick for chunks in the order of the plan. It is not safe for concurrent use.
type Created struct {
	Journal *checkpoint.Journal

	uncertain int64 // edges that were found in place after a call without an answer
	window    int64 // chunks that are looked up at a time; 0: undoWindow
	first     int64 // chunk of the window
	sets      []migrate.EdgeSet
}

// Of is what was imported of a chunk.
func (m *Created) Of(ctx context.Context, ordinal int64) (migrate.EdgeSet, error) {
	if ordinal < m.first || ordinal >= m.first+int64(len(m.sets)) {
		if err := m.look(ctx, ordinal); err != nil {
			m.sets = nil
			return migrate.EdgeSet{}, fmt.Errorf("look into the journal: %w", err)
		}
	}
	return m.sets[ordinal-m.first], nil
}

// look finds out what was imported of the chunks from first on.
func (m *Created) look(ctx context.Context, first int64) error {
	n := min(cmp.Or(m.window, undoWindow), m.Journal.Identity().Chunks-first)
	m.first, m.sets = first, make([]migrate.EdgeSet, n)
	for s, err := range m.Journal.Settlements(first, n) {
		if err = errors.Join(err, context.Cause(ctx)); err != nil {
			return err
		}
		switch {
		case s.Outcome.Kind == migrate.Imported:
			m.sets[s.Ordinal-first].Add(s.Index)
		case s.Outcome.Kind == migrate.Already && s.Outcome.Uncertain:
			m.uncertain++
		}
	}
	return nil
}

// Undoing tells how far the undo of the job in dir is; nil: none has begun.
func Undoing(dir string) (*report.Undone, error) {
	journal, err := openJournal(filepath.Join(dir, folder.Undo))
	if journal == nil || err != nil {
		return nil, err
	}
	defer journal.Close() // read only
	id, t := journal.Identity(), journal.Totals()
	return &report.Undone{At: id.Created, Edges: id.Edges, Deleted: t.Imported, Failed: t.Failed,
		Pending: t.Pending}, nil
}
