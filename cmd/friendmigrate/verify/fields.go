package verify

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"friendmigrate/migrate"
	"friendmigrate/sink"
	"friendmigrate/sink/friendlist"
)

// reader compares edges with friend lists. It is the engine's Caller: for a chunk it reads all
// pages of the account's list with friend_get. If a list is doubtful, it asks friend_check about
// the edges that the list does not show.
//
// A call that fails in the middle of a list loses no page: reader keeps the pages until the engine
// calls again.
type reader struct {
	pages func(from string) friendlist.Pages
	check migrate.Caller
	most  int64                   // limit of kept, in bytes
	sets  func(field string) bool // nil: every field is compared

	doubtful atomic.Int64 // number of doubtful lists

	mu     sync.Mutex        // guards what follows, but not the states: the engine makes one call per account at a time
	states map[string]*state // accounts that the engine may ask for again
	kept   int64             // bytes of the whole lists in states
}

func newReader(s Service, memory int64) *reader {
	check := &asker{check: s.Check}
	check.heard.Store(true) // friend_check is only asked after a list was read, so the app is the right one
	return &reader{pages: s.Pages, check: check.Call, states: map[string]*state{}, most: memory}
}

// state is the part of an account's list that was read.
type state struct {
	read   *friendlist.Reading
	done   bool
	doubt  bool                // friends may be missing from found
	wanted map[string]struct{} // friends of the chunk; nil: keep all, for later chunks of the account
	found  map[string]migrate.Edge
	size   int64
}

// Call is a migrate.Caller.
func (r *reader) Call(ctx context.Context, from string, edges []migrate.Edge) ([]migrate.Outcome, error) {
	s := r.take(from, edges)
	known := s.done
	if err := s.fill(ctx, from); err != nil {
		return nil, r.failed(from, s, err)
	}
	if s.doubt && !known {
		r.doubtful.Add(1)
	}
	outcomes, err := r.judge(ctx, from, s, edges)
	// the engine calls again, or the account may have more chunks
	if err != nil || s.wanted == nil && len(edges) == migrate.MaxChunkEdges {
		r.put(from, s)
	}
	return outcomes, err
}

// fill reads the rest of the list.
func (s *state) fill(ctx context.Context, from string) error {
	if s.done {
		return nil
	}
	err := s.read.Read(ctx, func(f *sink.Friend) error { return s.add(from, f) }, s.forget)
	var call *migrate.CallError
	switch {
	case err == nil:
		s.doubt = s.read.Doubt() != ""
	case errors.As(err, &call) || ctx.Err() != nil:
		return err
	default: // a value fits no field of an edge
		s.forget()
		s.doubt = true
	}
	s.done = true
	return nil
}

// judge compares the edges with the list. It asks friend_check about the edges that a doubtful list
// does not show: they may be in place, but their fields are not known.
func (r *reader) judge(ctx context.Context, from string, s *state, edges []migrate.Edge) ([]migrate.Outcome, error) {
	outcomes := make([]migrate.Outcome, len(edges))
	var unseen []migrate.Edge
	var places []int
	for i := range edges {
		if got, ok := s.found[edges[i].To]; ok {
			fields := Differences(&edges[i], &got)
			if r.sets != nil {
				fields = slices.DeleteFunc(fields, func(name string) bool { return !r.sets(name) })
			}
			if len(fields) > 0 {
				outcomes[i] = migrate.Outcome{Kind: migrate.Failed, Code: codeDifferent,
					Info: strings.Join(fields, " ")}
			} else {
				outcomes[i] = inPlace()
			}
			continue
		}
		outcomes[i] = missing()
		unseen, places = append(unseen, edges[i]), append(places, i)
	}
	if !s.doubt || len(unseen) == 0 {
		return outcomes, nil
	}
	checked, err := r.check(ctx, from, unseen)
	if err != nil {
		return nil, err
	}
	for i, o := range checked {
		if o.Kind == migrate.Imported {
			o = withoutFields()
		}
		outcomes[places[i]] = o
	}
	return outcomes, nil
}

// failed returns the error that the engine gets for a list that could not be read to its end.
func (r *reader) failed(from string, s *state, err error) error {
	var call *migrate.CallError
	switch errors.As(err, &call); {
	case call != nil && call.Verdict == migrate.VerdictHalve:
		// the account is refused, so a smaller chunk would not help
		call.Verdict = migrate.VerdictRefuseChunk
	case call == nil || call.Verdict != migrate.VerdictRefuseAccount && call.Verdict != migrate.VerdictFatal:
		r.put(from, s)
	}
	return err
}

// take returns the state of an account, or a new one. Only the caller has it then.
func (r *reader) take(from string, edges []migrate.Edge) *state {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s := r.states[from]; s != nil {
		r.drop(from)
		other := func(e migrate.Edge) bool { _, wanted := s.wanted[e.To]; return !wanted }
		if s.wanted == nil || !slices.ContainsFunc(edges, other) {
			return s
		}
	}
	s := &state{read: friendlist.New(func() friendlist.Pages { return r.pages(from) }),
		found: map[string]migrate.Edge{}}
	if len(edges) < migrate.MaxChunkEdges {
		s.wanted = make(map[string]struct{}, len(edges))
		for i := range edges {
			s.wanted[edges[i].To] = struct{}{}
		}
	}
	return s
}

// drop forgets the state of an account. The caller holds mu.
func (r *reader) drop(from string) {
	if s := r.states[from]; s.wanted == nil {
		r.kept -= s.size
	}
	delete(r.states, from)
}

// put keeps a state until the engine calls again. If whole lists together exceed the limit, some
// others are dropped and later read again.
func (r *reader) put(from string, s *state) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.states[from] = s
	if s.wanted == nil {
		r.kept += s.size
	}
	for other, s := range r.states {
		if r.kept <= r.most {
			break
		}
		if s.wanted == nil && other != from {
			r.drop(other)
		}
	}
}

func (s *state) forget() {
	clear(s.found)
	s.size = 0
}

// add records a friend of the list if it is wanted.
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
	s.size += int64(2*sink.EdgeBytes(&e) + 200) // 200: the map entry and the string headers
	return nil
}

// Differences returns the API's names of the fields that have a value in the input and another or
// none in the service. Fields without a value in the input are ignored, and so is RemarkTime, which
// cannot be read back.
func Differences(want, got *migrate.Edge) []string {
	var fields []string
	note := func(differs bool, name string) {
		if differs {
			fields = append(fields, name)
		}
	}
	note(want.Remark != "" && want.Remark != got.Remark, "Remark")
	note(len(want.Groups) > 0 && !slices.Equal(set(want.Groups), set(got.Groups)), "GroupName")
	note(want.AddSource != "" && want.AddSource != got.AddSource, "AddSource")
	note(want.AddWording != "" && want.AddWording != got.AddWording, "AddWording")
	note(want.AddTime != 0 && want.AddTime != got.AddTime, "AddTime")
	for _, item := range want.Custom {
		note(!slices.Contains(got.Custom, item), item.Tag) // a string and an integer are not the same
	}
	return fields
}

// set returns groups sorted and without repetition, because the service promises no order.
func set(groups []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(groups)))
}
