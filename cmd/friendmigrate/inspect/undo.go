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
	Uncertain int64 // found in place after a call without an answer; in the list or not, as asked for
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

const deleteSingle = "Delete_Type_Single"

// undoWindow is how many chunks are looked up in the journal in one pass over it: 16 to 76 MB of
// sets.
const undoWindow = 512 << 10

// UndoOptions say what an undo list is about.
type UndoOptions struct {
	Uncertain bool                   // also pairs of which it cannot be told whether the job created them
	Only      func(from string) bool // nil: all accounts

	window int64 // chunks that are looked up at a time; 0: undoWindow
}

// Undo writes a line of friend_delete's JSON for each chunk of which this job created pairs: those
// that the service said were imported. Pairs that were there before (already) are not this job's.
// With Uncertain, those are taken in too of which that can't be told.
func (jobs Jobs) Undo(ctx context.Context, w io.Writer, o UndoOptions) (Undone, error) {
	out := bufio.NewWriter(w)
	u := undoer{ctx: ctx, UndoOptions: o, out: json.NewEncoder(out)}
	u.out.SetEscapeHTML(false)
	for _, j := range jobs {
		if j.Journal == nil || j.Journal.Totals().Settled() == 0 {
			continue
		}
		if command := j.Journal.Identity().Command(); command != "import" {
			return u.undone, fmt.Errorf("%q is the state of an %s, which created no pairs", j.Dir, command)
		}
		if j.Stage == nil {
			return u.undone, fmt.Errorf("name the pairs of %q: %w", j.Dir, ErrGone)
		}
		if err := u.job(j); err != nil {
			return u.undone, err
		}
	}
	return u.undone, out.Flush()
}

type undoer struct {
	ctx context.Context
	UndoOptions
	out    *json.Encoder
	undone Undone

	imported *Created // of the job at hand
}

func (u *undoer) job(j *Job) error {
	u.imported = &Created{Journal: j.Journal, window: u.window, uncertain: u.Uncertain}
	defer func() { u.undone.Uncertain += u.imported.unsure }()
	last := ""
	for r, err := range j.Stage.Rosters(u.ctx, nil) {
		if err != nil {
			return fmt.Errorf("read the plan: %w", err)
		}
		if u.Only != nil && !u.Only(r.From) {
			continue
		}
		for i := range r.Chunks {
			before := u.undone.Pairs
			if err := u.chunk(u.imported, &r, i); err != nil {
				return err
			}
			if u.undone.Pairs > before && r.From != last {
				last = r.From
				u.undone.Accounts++
			}
		}
	}
	return nil
}

// chunk writes what was created of chunk i of a roster.
func (u *undoer) chunk(imported *Created, r *migrate.Roster, i int) error {
	set, err := imported.Of(u.ctx, r.First+int64(i))
	if err != nil || set == (migrate.EdgeSet{}) {
		return err
	}
	c, err := r.Load(i)
	if err != nil {
		return fmt.Errorf("read the plan: %w", err)
	}
	d := deletion{From: c.From, Type: deleteSingle}
	for _, k := range set.Indexes() {
		d.To = append(d.To, c.Edges[k].To)
	}
	u.undone.Pairs += int64(len(d.To))
	u.undone.Calls++
	return u.out.Encode(d)
}

// Created tells which edges of each chunk a job has imported. It looks up many chunks at a time,
// so it is quick for chunks in the order of the plan. It is not safe for concurrent use.
type Created struct {
	Journal *checkpoint.Journal

	uncertain bool  // also those of which that cannot be told
	unsure    int64 // how many these were
	window    int64 // chunks that are looked up at a time; 0: undoWindow
	first     int64 // chunk of the window
	sets      [][]uint64
}

// Of is what was imported of a chunk.
func (m *Created) Of(ctx context.Context, ordinal int64) (set migrate.EdgeSet, err error) {
	if ordinal < m.first || ordinal >= m.first+int64(len(m.sets)) {
		if err := m.look(ctx, ordinal); err != nil {
			return set, err
		}
	}
	copy(set[:], m.sets[ordinal-m.first])
	return set, nil
}

// look finds out what was imported of the chunks from first on.
func (m *Created) look(ctx context.Context, first int64) error {
	n := min(cmp.Or(m.window, undoWindow), m.Journal.Identity().Chunks-first)
	m.first, m.sets = first, make([][]uint64, n)
	for s, err := range m.Journal.Settlements(first, n) {
		if err = errors.Join(err, context.Cause(ctx)); err != nil {
			m.sets = nil
			return fmt.Errorf("look into the journal: %w", err)
		}
		unsure := s.Outcome.Kind == migrate.Already && s.Outcome.Uncertain
		if unsure {
			m.unsure++
		}
		if s.Outcome.Kind != migrate.Imported && !(unsure && m.uncertain) {
			continue
		}
		set := &m.sets[s.Ordinal-first]
		for len(*set) <= s.Index/64 {
			*set = append(*set, 0)
		}
		(*set)[s.Index/64] |= 1 << (s.Index % 64)
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
