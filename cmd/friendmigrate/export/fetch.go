package export

import (
	"bytes"
	"context"
	"encoding/json"
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

// fetcher reads friend lists. It is the engine's Caller and its Journal: an account is a roster
// with one edge, which represents its list.
type fetcher struct {
	out   *Export
	pages func(from string) friendlist.Pages

	mu     sync.Mutex // guards the map, but not each state: the engine makes one call per account at a time
	states map[int64]*state
}

// state is the part of a list that was read.
type state struct {
	read *friendlist.Reading
	rows bytes.Buffer // not yet handed over to the output
	lost string       // why the last call got no answer
	entry
}

// roster returns the roster that represents an account in the engine.
func roster(number int64, a accountlist.Account) migrate.Roster {
	edge := migrate.Edge{From: a.ID, Position: migrate.Position{Input: int(number), Line: a.Line}}
	chunk := migrate.Chunk{Ordinal: number, From: a.ID, Edges: []migrate.Edge{edge}}
	return migrate.Roster{
		From: a.ID, First: number, Chunks: 1, Edges: 1, ChunkMemory: callMemory,
		Load: func(int) (migrate.Chunk, error) { return chunk, nil },
	}
}

// callMemory is about how many bytes reading a page takes: a hundred friends with some fields, as
// JSON and as rows.
const callMemory = 64 << 10

// flushAt is how many bytes of rows of one account wait before they are handed over.
const flushAt = 32 << 10

// Call is a migrate.Caller. It reads the whole list of the account; after a failed call it
// continues where that stopped.
func (f *fetcher) Call(ctx context.Context, from string, edges []migrate.Edge) ([]migrate.Outcome, error) {
	s := f.state(&edges[0])
	err := s.read.Read(ctx, func(friend *sink.Friend) error { return f.row(s, friend) }, func() { f.forget(s) })
	if flushed := f.flush(s); flushed != nil { // the next call for a list that failed may come much later
		err = flushed
	}
	var call *migrate.CallError
	if errors.As(err, &call) {
		s.lost = call.Error()
	}
	switch {
	case err == nil:
		if doubt := s.read.Doubt(); doubt != "" {
			s.doubtful, s.info = true, "exported, but "+doubt
		}
		return []migrate.Outcome{{Kind: migrate.Imported}}, nil
	case call != nil, errors.Is(err, source.ErrNotCSV), errors.Is(err, errHold), ctx.Err() != nil:
		return nil, err // the second and third end the export
	}
	return []migrate.Outcome{{Kind: migrate.Failed, Info: err.Error()}}, nil
}

// state returns the state of an account, or a new one.
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

// flush hands the collected rows of a state over to the output.
func (f *fetcher) flush(s *state) error {
	if s.rows.Len() == 0 {
		return nil
	}
	err := f.out.waiting.add(&s.entry, s.rows.Bytes())
	s.rows.Reset()
	return err
}

// forget drops the state of an account.
func (f *fetcher) forget(s *state) {
	s.rows.Reset()
	f.out.waiting.drop(&s.entry)
	s.entry = newEntry(s.number, s.account)
}

// row adds one friend as a row.
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
	if f.out.csv { // it is written when all columns are known
		err = json.NewEncoder(&s.rows).Encode(e)
	} else {
		err = source.WriteEdges(&s.rows, source.ListFormat{Format: source.JSONL},
			func(yield func(source.ListRow, error) bool) { yield(source.ListRow{Edge: &e}, nil) })
	}
	if err == nil && s.rows.Len() >= flushAt {
		err = f.flush(s)
	}
	return err
}

// check records the custom fields of an edge, and fails for what a CSV cannot hold.
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

// Unsettled implements migrate.Journal. It returns every edge, since the plan has only what is
// left.
func (f *fetcher) Unsettled(_ int64, n int) (migrate.EdgeSet, bool) { return migrate.FullSet(n), false }

// Announce implements migrate.Journal. A read needs no announcement.
func (f *fetcher) Announce(int64) error { return nil }

// Settle implements migrate.Journal. It hands the account over to the output. That is not
// durable yet: after a crash the position of the output counts.
func (f *fetcher) Settle(_ context.Context, s migrate.Settlement) error {
	found := f.state(&s.Chunk.Edges[0])
	if o := s.Settled[0].Outcome; o.Kind == migrate.Failed {
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

// giveUp lists as failed the accounts that never got an answer although others did. It is called
// after the engine has ended.
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
