package verify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"friendmigrate/checkpoint"
	"friendmigrate/migrate"
	"friendmigrate/sink"
	"friendmigrate/sink/friendlist"
	"friendmigrate/source/stage"
)

func TestOnlyWhatTheInputHasIsCompared(t *testing.T) {
	got := migrate.Edge{Remark: "r", Groups: []string{"b", "a"}, AddSource: "AddSource_Type_X", AddWording: "w",
		AddTime: 5, RemarkTime: 0,
		Custom: []migrate.CustomItem{{Tag: "Tag_SNS_Custom_N", Value: "7", Integer: true},
			{Tag: "Tag_SNS_Custom_S", Value: "7"}}}
	for want, c := range map[string]migrate.Edge{
		"": {RemarkTime: 99},
		" ": {Remark: "r", Groups: []string{"a", "b", "a"}, AddSource: "AddSource_Type_X",
			AddWording: "w", AddTime: 5, Custom: slices.Clone(got.Custom)},
		"Remark":           {Remark: "R"},
		"GroupName":        {Groups: []string{"a"}},
		"AddSource":        {AddSource: "AddSource_Type_Y"},
		"AddWording":       {AddWording: "w "},
		"AddTime":          {AddTime: 6},
		"Tag_SNS_Custom_N": {Custom: []migrate.CustomItem{{Tag: "Tag_SNS_Custom_N", Value: "7"}}},
		"Tag_SNS_Custom_S": {Custom: []migrate.CustomItem{{Tag: "Tag_SNS_Custom_S", Value: "7",
			Integer: true}}},
		"Remark AddTime Tag_SNS_Custom_X": {Remark: "x", AddTime: 1,
			Custom: []migrate.CustomItem{{Tag: "Tag_SNS_Custom_X", Value: "1"}}},
	} {
		if fields := strings.Join(Differences(&c, &got), " "); fields != strings.TrimSpace(want) {
			t.Errorf("%+v differs in %q, want %q", c, fields, want)
		}
	}
}

// staged stages rosters of some sizes.
func staged(t *testing.T, sizes ...int) *stage.Stage {
	t.Helper()
	dir := t.TempDir()
	w, err := stage.Create(stage.Options{Dir: dir, Memory: 32 << 20, Lanes: 1})
	if err != nil {
		t.Fatal(err)
	}
	line := int64(1)
	for a, n := range sizes {
		for i := range n {
			line++
			e := migrate.Edge{From: fmt.Sprintf("a%d", a), To: fmt.Sprintf("f%d", i), AddSource: "AddSource_Type_X",
				Position: migrate.Position{Line: line}}
			if _, err := w.Lane(0).Add(&e); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := w.WriteRosters(t.Context(), func(_, _ *migrate.Edge, _ bool) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if err := w.Seal(nil); err != nil {
		t.Fatal(err)
	}
	s, err := stage.Open(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// TestASampleIsThoseEdges: what is asked about is what was drawn, once each.
func TestASampleIsThoseEdges(t *testing.T) {
	s := staged(t, 2500, 1, 3, 1000, 1, 1999, 40)
	total := s.Totals().Edges
	for _, n := range []int64{1, 10, 1500, 5000, total - 1} {
		v := partOf(t, t.TempDir(), s)
		v.Set.Sample, v.window = n, 100
		if err := errors.Join(v.measure(t.Context()), v.draw(t.Context(), uint64(n))); err != nil {
			t.Fatal(err)
		}
		number, asked, drawn := int64(0), []int64(nil), Draw(total, n, uint64(n))
		for r, err := range s.Rosters(t.Context(), nil) {
			if err != nil {
				t.Fatal(err)
			}
			for i := range r.Chunks {
				set, _ := v.asks(r.First+int64(i), r.Size(i))
				for _, k := range set.Indexes() {
					asked = append(asked, number+int64(k))
				}
				number += int64(r.Size(i))
			}
		}
		if !slices.Equal(asked, drawn) {
			t.Errorf("of %d: asked about %d edges, want %d", n, len(asked), len(drawn))
		}
	}
}

// book gives the list of one account and fails on request.
type book struct {
	friends []sink.Friend
	page    int
	off     int64 // FriendNum says so many more
	calls   int
	fail    func(call int) error
}

type place struct {
	*book
	at int
}

func (p *place) Last() bool { return p.at >= len(p.friends) }

func (p *place) Next(context.Context) (sink.Page, error) {
	p.calls++
	if err := p.fail(p.calls); err != nil {
		return sink.Page{}, err
	}
	end := min(p.at+p.page, len(p.friends))
	page := sink.Page{Friends: p.friends[p.at:end], FriendNum: int64(len(p.friends)) + p.off}
	p.at = end
	return page, nil
}

// TestALongListIsReadOnce, though its roster is checked in chunks and calls fail in the middle; a
// list that is too large to be kept is read for each chunk.
func TestALongListIsReadOnce(t *testing.T) {
	const n, page = 2500, 100
	b := &book{page: page}
	var edges []migrate.Edge
	for i := range n {
		to := fmt.Sprintf("f%d", i)
		edges = append(edges, migrate.Edge{From: "a", To: to})
		if i != 1234 {
			b.friends = append(b.friends, sink.Friend{To: to})
		}
	}
	passing := &migrate.CallError{Verdict: migrate.VerdictRetry, Code: 30006, Answered: true}
	for _, c := range []struct {
		memory int64
		others bool // another long list is read after each chunk
		want   int  // calls
	}{{64 << 20, false, n / page}, {64 << 20, true, 2 * n / page}, {1000, false, n / page}, {1000, true, 5 * n / page}} {
		failed := 0
		b.calls, b.fail = 0, func(call int) error {
			if call == 1 || call == 3 {
				failed++
				return passing
			}
			return nil
		}
		r := newReader(Service{Pages: func(string) friendlist.Pages { return &place{book: b} }}, c.memory)
		missing := 0
		for at := 0; at < n; {
			chunk := edges[at:min(at+migrate.MaxChunkEdges, n)]
			outcomes, err := r.Call(t.Context(), "a", chunk)
			if errors.Is(err, io.EOF) || err != nil && !errors.Is(err, passing) {
				t.Fatal(err)
			}
			if err != nil {
				continue // as the engine does, later
			}
			for i, o := range outcomes {
				if o.Kind != migrate.Imported {
					missing++
					if at+i != 1234 || o.Code != codeMissing {
						t.Errorf("edge %d: %+v", at+i, o)
					}
				}
			}
			if at += len(chunk); c.others {
				if _, err := r.Call(t.Context(), "b", edges[:migrate.MaxChunkEdges]); err != nil {
					t.Fatal(err)
				}
			}
		}
		if b.calls != c.want+failed || missing != 1 {
			t.Errorf("%+v: %d calls and %d that failed; %d missing", c, b.calls, failed, missing)
		}
	}
}

// TestWhatADoubtfulListDoesNotShowIsChecked: FriendNum 20 and two friends, or a value that no field
// has, say nothing of the others.
func TestWhatADoubtfulListDoesNotShowIsChecked(t *testing.T) {
	edges := []migrate.Edge{{From: "a", To: "seen"}, {From: "a", To: "hidden"}, {From: "a", To: "gone"},
		{From: "a", To: "odd"}}
	odd := []sink.Value{{Tag: "Tag_SNS_IM_Remark", JSON: []byte(`[1]`)}}
	for name, c := range map[string]struct {
		book  book
		seen  migrate.Kind
		check string // who is asked about
	}{
		"believed": {book{friends: []sink.Friend{{To: "seen"}, {To: "odd"}}}, migrate.Imported, ""},
		"longer by name": {book{friends: []sink.Friend{{To: "seen"}, {To: "odd"}}, off: 18}, migrate.Imported,
			"hidden gone"},
		"shorter by name": {book{friends: []sink.Friend{{To: "seen"}, {To: "odd"}}, off: -1}, migrate.Imported,
			"hidden gone"},
		"not to be read": {book{friends: []sink.Friend{{To: "seen"}, {To: "odd", Values: odd}}}, migrate.Already,
			"seen hidden gone odd"},
	} {
		asked, fails := "", 1
		c.book.page, c.book.fail = 100, func(int) error { return nil }
		check := func(_ context.Context, _ string, to []string) (list []sink.Presence, err error) {
			if fails--; fails >= 0 {
				return nil, &migrate.CallError{Verdict: migrate.VerdictRetry}
			}
			for _, one := range to {
				list = append(list, sink.Presence{Known: true, Exists: one != "gone"})
			}
			asked = strings.Join(to, " ")
			return list, nil
		}
		r := newReader(Service{Check: check, Pages: func(string) friendlist.Pages { return &place{book: &c.book} }}, 1<<20)
		outcomes, err := r.Call(t.Context(), "a", edges)
		calls := c.book.calls
		if err != nil { // lost, and asked again without reading the list again
			outcomes, err = r.Call(t.Context(), "a", edges)
		}
		if err != nil || asked != c.check || c.book.calls != calls {
			t.Fatalf("%s: %v, asked about %q, %d and %d pages", name, err, asked, calls, c.book.calls)
		}
		hidden := withoutFields()
		if c.check == "" {
			hidden = missing()
		}
		if outcomes[0].Kind != c.seen || outcomes[1] != hidden || outcomes[2] != missing() || outcomes[3].Kind != c.seen {
			t.Errorf("%s: %+v", name, outcomes)
		}
	}
}

// TestWrongAppIsNotSuspectedBehindAList: what the list shows is in place, whatever friend_check
// says of the others.
func TestWrongAppIsNotSuspectedBehindAList(t *testing.T) {
	b := &book{friends: []sink.Friend{{To: "seen"}}, off: 18, page: 100, fail: func(int) error { return nil }}
	check := func(_ context.Context, _ string, to []string) ([]sink.Presence, error) {
		return []sink.Presence{{Code: 30002, Info: "x"}}, nil
	}
	r := newReader(Service{Check: check, Pages: func(string) friendlist.Pages { return &place{book: b} }}, 1<<20)
	outcomes, err := r.Call(t.Context(), "a", []migrate.Edge{{From: "a", To: "seen"}, {From: "a", To: "hidden"}})
	if err != nil || outcomes[0].Kind != migrate.Imported || outcomes[1].Code != 30002 {
		t.Errorf("%+v %v", outcomes, err)
	}
}

// TestAnInterruptedVerifyGoesOnAndAFinishedOneBeginsAnew, and one with other settings or another
// plan is another one.
func TestAnInterruptedVerifyGoesOnAndAFinishedOneBeginsAnew(t *testing.T) {
	s := staged(t, 3, 1500, 2)
	dir := t.TempDir()
	o := partOf(t, dir, s)
	o.Set.SDKAppID = 1
	open := func(o *Part, resumed bool, asked int64) *Part {
		t.Helper()
		v := *o
		if err := v.Begin(t.Context()); err != nil {
			t.Fatal(err)
		}
		if v.Resumed != resumed || v.Progress().Asked != asked {
			t.Fatalf("resumed %t, %d asked; want %t and %d", v.Resumed, v.Progress().Asked, resumed, asked)
		}
		return &v
	}
	ask := func(v *Part, calls int) error {
		t.Helper()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		check := func(ctx context.Context, _ string, to []string) ([]sink.Presence, error) {
			if calls--; calls < 0 {
				cancel()
				return nil, ctx.Err()
			}
			return slices.Repeat([]sink.Presence{{Known: true, Exists: true}}, len(to)), nil
		}
		_, err := v.Ask(ctx, Service{Check: check}, migrate.Options{Workers: 1, Retry: migrate.DefaultRetry},
			func() int64 { return 0 })
		return err
	}
	v := open(o, false, 0)
	if err := ask(v, 2); err == nil {
		t.Fatal("it was not interrupted")
	}
	asked := v.Progress().Asked
	if err := v.CloseVerdicts(); err != nil {
		t.Fatal(err)
	}
	v = open(o, true, asked)
	err := ask(v, 100)
	if found, lost := v.Look(); err != nil || lost != nil || found.Pending != 0 || found.InPlace != 1505 ||
		found.Edges != 1505 {
		t.Fatalf("%v %v %+v", err, lost, found)
	}
	if err := v.CloseVerdicts(); err != nil { // killed before the lists were written
		t.Fatal(err)
	}
	v = open(o, true, 1505)
	if err := v.Finish(); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Part){
		"fields": func(p *Part) { p.Set.Fields = true }, "sample": func(p *Part) { p.Set.Sample = 7 },
		"app": func(p *Part) { p.Set.SDKAppID = 2 }, "rows": func(p *Part) { p.Set.Rows.Mutual = true },
	} {
		v := open(o, false, 0)
		if err := ask(v, 1); err == nil {
			t.Fatal("it was not interrupted")
		}
		if err := v.CloseVerdicts(); err != nil {
			t.Fatal(err)
		}
		other := *o
		change(&other)
		if err := open(&other, false, 0).Finish(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	o.Set.Sample = 100
	v = open(o, false, 0)
	if found, err := v.Look(); err != nil || found.Sample.Drawn != 100 || found.Sample.Of != 1505 ||
		found.Sample.BadAtMost != 1 {
		t.Errorf("%+v %v", found.Sample, err)
	}
	_ = ask(v, 1)
	asked, drawn := v.Progress().Asked, v.sample.drawn
	if err := v.CloseVerdicts(); err != nil {
		t.Fatal(err)
	}
	if v = open(o, true, asked); !slices.Equal(v.sample.drawn, drawn) {
		t.Error("what was drawn is another sample")
	}
	if err := v.CloseVerdicts(); err != nil {
		t.Fatal(err)
	}
}

// TestARefusalIsAskedAboutAgain: the run was killed, or stopped, when every edge had one answer.
func TestARefusalIsAskedAboutAgain(t *testing.T) {
	for _, stopped := range []bool{false, true} {
		testRefusalAskedAgain(t, stopped)
	}
}

func testRefusalAskedAgain(t *testing.T, stopped bool) {
	s, dir := staged(t, 2), t.TempDir()
	killed, next := partOf(t, dir, s), partOf(t, dir, s)
	refused := migrate.Settled{Outcome: migrate.Outcome{Kind: migrate.Failed, Code: 30009}, Attempts: 1}
	err := errors.Join(killed.Begin(t.Context()), killed.verdicts.BeginRun(checkpoint.RunStart{}))
	for r := range s.Rosters(t.Context(), nil) {
		chunk, lost := r.Load(0)
		there := migrate.Settled{Index: 1, Outcome: inPlace(), Attempts: 1}
		err = errors.Join(err, lost, killed.verdicts.Settle(t.Context(),
			migrate.Settlement{Chunk: chunk, Settled: []migrate.Settled{refused, there}}))
	}
	if stopped {
		err = errors.Join(err, killed.verdicts.EndRun(checkpoint.RunEnd{Code: 4, AllAnswered: true}))
	}
	if err = errors.Join(err, killed.CloseVerdicts(), next.Begin(t.Context())); err != nil {
		t.Fatal(err)
	}
	if now := next.Progress(); !next.Resumed || now.Asked != 1 || now.Edges != 2 {
		t.Errorf("resumed %t: %+v", next.Resumed, now)
	}
	if err := next.Finish(); err != nil {
		t.Fatal(err)
	}
}
