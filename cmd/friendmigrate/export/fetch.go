package export

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"friendmigrate/source/accountlist"
	"strings"
	"sync"

	"friendmigrate/migrate"
	"friendmigrate/sink"
	"friendmigrate/sink/friendlist"
	"friendmigrate/source"
)

// fetcher reads lists. It is the engine's Caller and its Journal: an account is a roster with one
// edge, which stands for its list.
type fetcher struct {
	pages func(from string) friendlist.Pages
	seq   *sequence
	csv   bool

	mu     sync.Mutex // guards what follows, not the states: the engine works at an account once at a time
	states map[int64]*state
}

// state is a list as far as it was read.
type state struct {
	read *friendlist.Reading
	rows bytes.Buffer // not handed over yet
	lost string       // why the last call got nothing through
	entry
}

// RefusedError is something that the chosen format cannot hold.
type RefusedError struct{ What string }

func (e *RefusedError) Error() string { return "CSV cannot hold it: " + e.What + "; choose JSONL" }

func mixed(tag string) error {
	return &RefusedError{fmt.Sprintf("%q is a string for some friends and an integer for others", tag)}
}

// roster is an account as the engine knows it.
func roster(number int64, a accountlist.Account) migrate.Roster {
	edge := migrate.Edge{From: a.ID, Position: migrate.Position{Input: int(number), Line: a.Line}}
	chunk := migrate.Chunk{Ordinal: number, From: a.ID, Edges: []migrate.Edge{edge}}
	return migrate.Roster{
		From: a.ID, First: number, Chunks: 1, Edges: 1, ChunkBytes: callMemory, Load: func(int) (migrate.Chunk,
			error) {
			return chunk, nil
		},
	}
}

// callMemory is what reading a page takes, about: a hundred friends with some fields, as JSON and
// as rows.
const callMemory = 64 << 10

// flushAt is how many bytes of rows of one account wait before they are handed over.
const flushAt = 32 << 10

// Call implements migrate.Caller: it reads the whole list of the account, and after a call that
// failed goes on where it was.
func (f *fetcher) Call(ctx context.Context, from string, edges []migrate.Edge) ([]migrate.Outcome, error) {
	s := f.state(int64(edges[0].Input), from)
	err := s.read.Read(ctx, func(friend *sink.Friend) error { return f.row(s, from, friend) }, func() { f.forget(s) })
	if flushed := f.flush(s); flushed != nil { // also what came before an error: a list that waits for its next call may wait long
		err = flushed
	}
	var call *migrate.CallError
	var refused *RefusedError
	var broken *holdError
	if errors.As(err, &call) {
		s.lost = call.Error()
	}
	switch {
	case err == nil:
		if came, said := s.read.Counts(); came != said {
			s.short = fmt.Sprintf("exported, but FriendNum is %d and %d came", said, came)
		}
		return []migrate.Outcome{{Kind: migrate.Imported}}, nil
	case call != nil, errors.As(err, &refused), errors.As(err, &broken), ctx.Err() != nil:
		return nil, err // the second and third end the export
	}
	return []migrate.Outcome{{Kind: migrate.Failed, Info: err.Error()}}, nil
}

// holdError is a disk that cannot hold what waits for its turn.
type holdError struct{ error }

func (e *holdError) Unwrap() error { return e.error }

// flush hands the rows of a state over, which are many at once.
func (f *fetcher) flush(s *state) error {
	if s.rows.Len() == 0 {
		return nil
	}
	err := f.seq.add(&s.entry, s.rows.Bytes())
	s.rows.Reset()
	if err != nil {
		return &holdError{fmt.Errorf("hold a list: %w", err)}
	}
	return nil
}

func (f *fetcher) state(number int64, from string) *state {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.states[number]
	if s == nil {
		s = &state{read: friendlist.New(func() friendlist.Pages { return f.pages(from) }), entry: entry{number: number}}
		f.states[number] = s
	}
	return s
}

// lastWord says why an account was never read.
func (f *fetcher) lastWord(number int64) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if s := f.states[number]; s != nil && s.lost != "" {
		return "given up after all attempts: " + s.lost
	}
	return "no answer after all attempts"
}

func (f *fetcher) forget(s *state) {
	s.rows.Reset()
	f.seq.drop(&s.entry)
	s.edges, s.bare, s.tags, s.other, s.short = 0, 0, nil, nil, ""
}

// row writes one friend as a row of JSONL.
func (f *fetcher) row(s *state, from string, friend *sink.Friend) error {
	e, other, err := friend.Edge(from)
	if err != nil {
		return err
	}
	for _, tag := range other {
		if s.other == nil {
			s.other = map[string]int64{}
		}
		s.other[tag]++
	}
	if f.csv {
		for _, group := range e.Groups {
			if strings.Contains(group, ";") {
				return &RefusedError{"a group has ';' in its name, which stands between groups there"}
			}
		}
	}
	for _, item := range e.Custom {
		if s.tags == nil {
			s.tags = map[string]bool{}
		}
		if integer, known := s.tags[item.Tag]; f.csv && known && integer != item.Integer {
			return mixed(item.Tag)
		}
		s.tags[item.Tag] = item.Integer
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

// Open implements migrate.Journal: what is done was left out of the plan.
func (f *fetcher) Open(_ int64, n int) (migrate.EdgeSet, bool) { return migrate.FullSet(n), false }

// Settle implements migrate.Journal: the account takes its place in the order. That is not durable
// yet: its writer's position is what counts after a crash.
func (f *fetcher) Settle(_ context.Context, s migrate.Settlement) error {
	number, outcome := s.Chunk.Ordinal, s.Edges[0].Outcome
	f.mu.Lock()
	found := f.states[number]
	delete(f.states, number)
	f.mu.Unlock()
	if found == nil { // refused without a call
		found = &state{entry: entry{number: number}}
	}
	account := accountlist.Account{ID: s.Chunk.From, Line: s.Chunk.Edges[0].Line}
	switch {
	case outcome.Kind == migrate.Failed:
		f.forget(found)
		found.failed = &Failure{Account: account, Code: outcome.Code, Info: outcome.Info}
	case found.short != "":
		found.failed = &Failure{Account: account, Info: found.short}
	}
	f.seq.settle(&found.entry)
	return nil
}
