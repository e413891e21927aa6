package export

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"friendmigrate/migrate"
	"friendmigrate/sink"
	"friendmigrate/sink/friendlist"
	"friendmigrate/source"
	"friendmigrate/source/accountlist"
)

// fetcher reads lists. It is the engine's Caller and its Journal: an account is a roster with one
// edge, which stands for its list.
type fetcher struct {
	out   *Export
	pages func(from string) friendlist.Pages

	mu     sync.Mutex // guards states, not each of them: the engine works at an account once at a time
	states map[int64]*state
}

// state is a list as far as it was read.
type state struct {
	read *friendlist.Reading
	rows bytes.Buffer // not handed over yet
	lost string       // why the last call got nothing through
	entry
}

// roster is an account as the engine knows it.
func roster(number int64, a accountlist.Account) migrate.Roster {
	edge := migrate.Edge{From: a.ID, Position: migrate.Position{Input: int(number), Line: a.Line}}
	chunk := migrate.Chunk{Ordinal: number, From: a.ID, Edges: []migrate.Edge{edge}}
	return migrate.Roster{
		From: a.ID, First: number, Chunks: 1, Edges: 1, ChunkBytes: callMemory,
		Load: func(int) (migrate.Chunk, error) { return chunk, nil },
	}
}

// callMemory is what reading a page takes, about: a hundred friends with some fields, as JSON and
// as rows.
const callMemory = 64 << 10

// flushAt is how many bytes of rows of one account wait before they are handed over.
const flushAt = 32 << 10

// Call implements migrate.Caller: it reads the whole list of the account, and after a call that
// failed continues where it was.
func (f *fetcher) Call(ctx context.Context, from string, edges []migrate.Edge) ([]migrate.Outcome, error) {
	s := f.state(&edges[0])
	err := s.read.Read(ctx, func(friend *sink.Friend) error { return f.row(s, friend) }, func() { f.forget(s) })
	if flushed := f.flush(s); flushed != nil { // a list that failed may wait long for its next call
		err = flushed
	}
	var call *migrate.CallError
	if errors.As(err, &call) {
		s.lost = call.Error()
	}
	switch {
	case err == nil:
		if came, said := s.read.Counts(); came != said {
			s.short, s.info = true, fmt.Sprintf("exported, but FriendNum is %d and %d came", said, came)
		}
		return []migrate.Outcome{{Kind: migrate.Imported}}, nil
	case call != nil, errors.Is(err, source.ErrNotCSV), errors.Is(err, errHold), ctx.Err() != nil:
		return nil, err // the second and third end the export
	}
	return []migrate.Outcome{{Kind: migrate.Failed, Info: err.Error()}}, nil
}

// state finds how far an account was read.
func (f *fetcher) state(e *migrate.Edge) *state {
	f.mu.Lock()
	defer f.mu.Unlock()
	number, from := int64(e.Input), e.From
	s := f.states[number]
	if s == nil {
		s = &state{
			read:  friendlist.New(func() friendlist.Pages { return f.pages(from) }),
			entry: newEntry(number, accountlist.Account{ID: from, Line: e.Line}),
		}
		f.states[number] = s
	}
	return s
}

// flush hands the rows of a state over, which are many at once.
func (f *fetcher) flush(s *state) error {
	if s.rows.Len() == 0 {
		return nil
	}
	err := f.out.waiting.add(&s.entry, s.rows.Bytes())
	s.rows.Reset()
	return err
}

// forget drops what was read of an account.
func (f *fetcher) forget(s *state) {
	s.rows.Reset()
	f.out.waiting.drop(&s.entry)
	s.entry = newEntry(s.number, s.account)
}

// row takes one friend, as a row of JSONL.
func (f *fetcher) row(s *state, friend *sink.Friend) error {
	e, other, err := friend.Edge(s.account.ID)
	if err != nil {
		return err
	}
	for _, tag := range other {
		s.other[tag]++
	}
	if err := s.check(&e, f.out.csv); err != nil {
		return err
	}
	s.edges++
	if e.AddSource == "" {
		s.bare++
	}
	err = source.WriteEdges(&s.rows, source.ListFormat{Format: source.JSONL},
		func(yield func(source.ListRow, error) bool) { yield(source.ListRow{Edge: &e}, nil) })
	if err == nil && s.rows.Len() >= flushAt {
		err = f.flush(s)
	}
	return err
}

// check notes the custom fields of an edge, and refuses what a CSV cannot hold.
func (e *entry) check(edge *migrate.Edge, csv bool) error {
	for _, group := range edge.Groups {
		if csv && strings.Contains(group, ";") {
			return fmt.Errorf("%w: a group has ';' in its name, which separates groups there; choose JSONL",
				source.ErrNotCSV)
		}
	}
	for _, item := range edge.Custom {
		if integer, known := e.tags[item.Tag]; csv && known && integer != item.Integer {
			return mixed(item.Tag)
		}
		e.tags[item.Tag] = item.Integer
	}
	return nil
}

func mixed(tag string) error {
	return fmt.Errorf("%w: %q is a string for some friends and an integer for others; choose JSONL",
		source.ErrNotCSV, tag)
}

// Unsettled implements migrate.Journal. It returns every edge, since the plan has only what is left.
func (f *fetcher) Unsettled(_ int64, n int) (migrate.EdgeSet, bool) { return migrate.FullSet(n), false }

// Settle implements migrate.Journal: the account takes its place in the order. That is not durable
// yet: after a crash the position of the output counts.
func (f *fetcher) Settle(_ context.Context, s migrate.Settlement) error {
	found := f.state(&s.Chunk.Edges[0])
	if o := s.Edges[0].Outcome; o.Kind == migrate.Failed {
		f.forget(found)
		found.failed, found.code, found.info = true, o.Code, o.Info
	}
	return f.settle(found)
}

func (f *fetcher) settle(s *state) error {
	f.mu.Lock()
	delete(f.states, s.number)
	f.mu.Unlock()
	return f.out.settle(&s.entry)
}

// giveUp lists as failed the accounts for which no call ever got an answer, though others did. The
// engine has ended.
func (f *fetcher) giveUp() error {
	for _, s := range f.states {
		lost := s.lost
		f.forget(s)
		if s.failed, s.info = true, "no answer after all attempts"; lost != "" {
			s.info = "given up after all attempts: " + lost
		}
		if err := f.settle(s); err != nil {
			return err
		}
	}
	return nil
}
