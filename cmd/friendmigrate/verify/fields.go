package verify

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"friendmigrate/cmd/friendmigrate/reading"
	"friendmigrate/migrate"
	"friendmigrate/sink"
)

// reader compares by friend_get. It is the engine's Importer, though it imports nothing: for a chunk it reads all pages of the account's list.
//
// A call that fails in the middle of a list loses no page: the state of the reading waits here for the engine to come again.
type reader struct {
	pages func(from string) reading.Pages

	mu       sync.Mutex // guards what follows, not the states themselves: the engine works at an account once at a time
	states   map[string]*state
	kept     []string // accounts of which the whole list is kept for their further chunks, the oldest first
	keptSize int64
	most     int64 // bytes of kept lists
}

func newReader(pages func(from string) reading.Pages, memory int64) *reader {
	return &reader{pages: pages, states: map[string]*state{}, most: memory}
}

// state is an account's list as far as it was read.
type state struct {
	read   *reading.Reading
	done   bool
	wanted map[string]struct{} // friends of the chunk; nil: all are taken, for the chunks that follow
	found  map[string]migrate.Edge
	size   int64
}

// Import implements migrate.Importer.
func (r *reader) Import(ctx context.Context, from string, edges []migrate.Edge) ([]migrate.Outcome, error) {
	s := r.take(from, edges)
	if !s.done {
		if err := s.read.Read(ctx, func(f *sink.Friend) error { return s.add(from, f) }, s.forget); err != nil {
			return r.failed(ctx, from, s, edges, err)
		}
		s.done = true
	}
	outcomes := make([]migrate.Outcome, len(edges))
	for i := range edges {
		outcomes[i] = s.judge(&edges[i])
	}
	if s.wanted == nil && len(edges) == migrate.MaxChunkEdges { // more of this account may follow
		r.put(from, s)
	}
	return outcomes, nil
}

// failed says what the engine is told of a list that could not be read to its end.
func (r *reader) failed(ctx context.Context, from string, s *state, edges []migrate.Edge, err error) ([]migrate.Outcome, error) {
	var call *migrate.CallError
	switch {
	case !errors.As(err, &call) && ctx.Err() == nil: // it never stands still, or has a value that is none of an edge's
		return noVerdict(edges, err), nil
	case call != nil && call.Verdict == migrate.VerdictSplit:
		call.Verdict = migrate.VerdictRefuseChunk // it is the account that is refused: to ask about fewer friends would change nothing
	case call == nil || call.Verdict != migrate.VerdictRefuseAccount && call.Verdict != migrate.VerdictFatal:
		r.put(from, s)
	}
	return nil, err
}

// noVerdict is what is said of edges whose list could not be read though the service answered.
func noVerdict(edges []migrate.Edge, err error) []migrate.Outcome {
	return slices.Repeat([]migrate.Outcome{{Kind: migrate.Failed, Code: codeChanging, Info: err.Error()}}, len(edges))
}

// take gives the state of an account, or a new one, to the caller alone.
func (r *reader) take(from string, edges []migrate.Edge) *state {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.states[from]
	if s != nil {
		delete(r.states, from)
		if i := slices.Index(r.kept, from); i >= 0 {
			r.kept = slices.Delete(r.kept, i, i+1)
			r.keptSize -= s.size
		}
		if s.covers(edges) {
			return s
		}
	}
	s = &state{read: reading.New(func() reading.Pages { return r.pages(from) }), found: map[string]migrate.Edge{}}
	if len(edges) < migrate.MaxChunkEdges {
		s.wanted = make(map[string]struct{}, len(edges))
		for i := range edges {
			s.wanted[edges[i].To] = struct{}{}
		}
	}
	return s
}

// put keeps a state until the engine comes again. Whole lists have a bound together: those that are let go are read again.
func (r *reader) put(from string, s *state) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.states[from] = s
	if s.wanted != nil {
		return
	}
	r.kept = append(r.kept, from)
	r.keptSize += s.size
	for r.keptSize > r.most && len(r.kept) > 0 {
		oldest := r.kept[0]
		r.kept = r.kept[1:]
		r.keptSize -= r.states[oldest].size
		delete(r.states, oldest)
	}
}

// covers reports whether the state has taken what is needed for these edges.
func (s *state) covers(edges []migrate.Edge) bool {
	if s.wanted == nil {
		return true
	}
	for i := range edges {
		if _, ok := s.wanted[edges[i].To]; !ok {
			return false
		}
	}
	return true
}

func (s *state) forget() {
	clear(s.found)
	s.size = 0
}

// add takes a friend of the list, if it is one of those that are asked about.
func (s *state) add(from string, f *sink.Friend) error {
	if s.wanted != nil {
		if _, ok := s.wanted[f.To]; !ok {
			return nil
		}
	}
	e, _, err := f.Edge(from)
	if err != nil {
		return err
	}
	s.found[f.To] = e
	s.size += int64(2*sink.EdgeBytes(&e) + 200) // the map and the headers of the texts
	return nil
}

func (s *state) judge(want *migrate.Edge) migrate.Outcome {
	got, ok := s.found[want.To]
	if !ok {
		return missing()
	}
	if fields := differences(want, &got); len(fields) > 0 {
		return migrate.Outcome{Kind: migrate.Failed, Code: codeDifferent, Info: strings.Join(fields, " ")}
	}
	return inPlace()
}
