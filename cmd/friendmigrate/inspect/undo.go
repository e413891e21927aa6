package inspect

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"friendmigrate/migrate"
)

// ErrGone says that pairs can't be named any more: the staged input is gone.
var ErrGone = errors.New("the staged input is gone")

// Undone counts what is in an undo list and what is not.
type Undone struct {
	Pairs     int64
	Uncertain int64 // found in place after a call without an answer; in the list or not, as asked for
	Calls     int64 // of friend_delete: one a line
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

// Undo writes a line of friend_delete's JSON for each chunk of which this job created pairs: those
// that the service said were imported. Pairs that were there before (already) are not this job's.
// With uncertain, those are taken in too of which that can't be told.
func (jobs Jobs) Undo(ctx context.Context, w io.Writer, uncertain bool) (Undone, error) {
	return jobs.undo(ctx, w, uncertain, undoWindow)
}

func (jobs Jobs) undo(ctx context.Context, w io.Writer, uncertain bool, window int64) (Undone, error) {
	out := bufio.NewWriter(w)
	u := undoer{ctx: ctx, uncertain: uncertain, window: window, out: json.NewEncoder(out)}
	u.out.SetEscapeHTML(false)
	for _, j := range jobs {
		if j.Journal == nil || j.Journal.Totals().Settled() == 0 {
			continue
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
	ctx       context.Context
	uncertain bool
	window    int64 // chunks
	out       *json.Encoder
	undone    Undone

	first   int64      // chunk of the window
	created [][]uint64 // by chunk: a bit for each edge, as many words as it takes
}

func (u *undoer) job(j *Job) error {
	u.first, u.created = 0, nil
	for r, err := range j.Stage.Rosters(u.ctx, nil) {
		if err != nil {
			return fmt.Errorf("read the plan: %w", err)
		}
		for i := range r.Chunks {
			if err := u.chunk(j, &r, i); err != nil {
				return err
			}
		}
	}
	return nil
}

// chunk writes what was created of chunk i of a roster.
func (u *undoer) chunk(j *Job, r *migrate.Roster, i int) error {
	ordinal := r.First + int64(i)
	if ordinal >= u.first+int64(len(u.created)) {
		if err := u.look(j, ordinal); err != nil {
			return err
		}
	}
	set := u.created[ordinal-u.first]
	if len(set) == 0 {
		return nil
	}
	c, err := r.Load(i)
	if err != nil {
		return fmt.Errorf("read the plan: %w", err)
	}
	d := deletion{From: c.From, Type: deleteSingle}
	for k := range c.Edges {
		if k/64 < len(set) && set[k/64]&(1<<(k%64)) != 0 {
			d.To = append(d.To, c.Edges[k].To)
		}
	}
	u.undone.Pairs += int64(len(d.To))
	u.undone.Calls++
	return u.out.Encode(d)
}

// look finds out what was created of the chunks from first on.
func (u *undoer) look(j *Job, first int64) error {
	n := min(u.window, j.Journal.Identity().Chunks-first)
	u.first, u.created = first, make([][]uint64, n)
	for s, err := range j.Journal.Settlements(first, n) {
		if err = errors.Join(err, context.Cause(u.ctx)); err != nil {
			return fmt.Errorf("look into the journal: %w", err)
		}
		unsure := s.Outcome.Kind == migrate.Already && s.Outcome.Uncertain
		if unsure {
			u.undone.Uncertain++
		}
		if s.Outcome.Kind != migrate.Imported && !(unsure && u.uncertain) {
			continue
		}
		set := &u.created[s.Ordinal-first]
		for len(*set) <= s.Index/64 {
			*set = append(*set, 0)
		}
		(*set)[s.Index/64] |= 1 << (s.Index % 64)
	}
	return nil
}
