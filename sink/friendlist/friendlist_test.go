package friendlist

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"friendmigrate/migrate"
	"friendmigrate/sink"
)

// book is a list in pages that changes while it is read.
type book struct {
	list    []string
	size    int
	number  int64 // of the sequence
	calls   int
	before  func(b *book) // each call
	num     func(n int) int64
	refuses int // the next calls fail
}

type place struct {
	*book
	start int
	last  bool
}

func (p *place) Last() bool { return p.last }

func (p *place) Next(context.Context) (sink.Page, error) {
	p.calls++
	if p.refuses > 0 {
		p.refuses--
		return sink.Page{}, errors.New("passing")
	}
	if p.before != nil {
		p.before(p.book)
	}
	page := sink.Page{FriendNum: int64(len(p.list)), Start: int64(p.start), Standard: p.number}
	if p.num != nil {
		page.FriendNum = p.num(len(p.list))
	}
	end := min(p.start+p.size, len(p.list))
	for _, to := range p.list[min(p.start, end):end] {
		page.Friends = append(page.Friends, sink.Friend{To: to})
	}
	p.start, p.last = end, end >= len(p.list)
	return page, nil
}

// read reads to the end.
func read(t *testing.T, b *book) ([]string, error) {
	t.Helper()
	r := New(func() Pages { return &place{book: b} })
	var got []string
	for range 1000 {
		done, err := r.Step(t.Context(), func(f *sink.Friend) error { got = append(got, f.To); return nil }, func() { got = nil })
		if errors.Is(err, ErrChanging) || done {
			return got, err
		}
	}
	t.Fatal("it never ends")
	return nil, nil
}

func names(n int) (list []string) {
	for i := range n {
		list = append(list, fmt.Sprintf("f%04d", i))
	}
	return list
}

func TestEveryFriendAtEveryPageSize(t *testing.T) {
	for _, n := range []int{0, 1, 2, 99, 100, 101, 250, 1000, 3000} {
		for _, size := range []int{1, 2, 7, 99, 100} {
			if n/size > 900 {
				continue
			}
			b := &book{list: names(n), size: size, refuses: 2}
			got, err := read(t, b)
			if err != nil || !slices.Equal(got, b.list) || b.calls != max(1, (n+size-1)/size)+2 {
				t.Fatalf("%d friends in pages of %d: %d, %v, %d calls", n, size, len(got), err, b.calls)
			}
		}
	}
}

// Each of these loses or repeats a friend without an error. The last one even keeps the number of
// friends.
func TestAListThatChangesIsReadAgain(t *testing.T) {
	for name, change := range map[string]func(b *book){
		"one goes":              func(b *book) { b.list = b.list[1:] },
		"one comes":             func(b *book) { b.list = append(b.list, "new") },
		"one comes in front":    func(b *book) { b.list = append([]string{"new"}, b.list...) },
		"one goes, one comes":   func(b *book) { b.list = append(slices.Clone(b.list[1:]), "new"); b.number++ },
		"two change places":     func(b *book) { b.list[0], b.list[9] = b.list[9], b.list[0] },
		"only a field changes":  func(b *book) { b.number++ },
		"all of them are gone":  func(b *book) { b.list = nil },
		"from the last page on": func(b *book) { b.list = append(b.list[:3], b.list[4:]...) },
	} {
		t.Run(name, func(t *testing.T) {
			b := &book{list: names(10), size: 4}
			b.before = func(b *book) {
				if b.calls == 2 {
					change(b)
				}
			}
			got, err := read(t, b)
			if err != nil || strings.Join(got, " ") != strings.Join(b.list, " ") {
				t.Errorf("%v, want %v; %v", got, b.list, err)
			}
		})
	}
}

func TestAListThatNeverRestsIsGivenUp(t *testing.T) {
	b := &book{list: names(10), size: 4}
	b.before = func(b *book) { b.list = append(b.list[:len(b.list):len(b.list)], fmt.Sprint("new", b.calls)) }
	if _, err := read(t, b); !errors.Is(err, ErrChanging) {
		t.Error(err)
	}
	if b.calls > 60 { // six readings of a list that grows
		t.Errorf("%d calls", b.calls)
	}
}

// A service whose numbers are off although nothing changes must not make every list unreadable.
func TestTwoReadingsThatAgreeAreBelieved(t *testing.T) {
	for name, b := range map[string]*book{
		"FriendNum counts more": {list: names(10), size: 4, num: func(n int) int64 { return int64(n + 1) }},
		"sequences run on":      {list: names(10), size: 4, before: func(b *book) { b.number++ }},
		"a friend twice":        {list: append(names(10), "f0001"), size: 4},
	} {
		if got, err := read(t, b); err != nil || !slices.Equal(got, b.list) || b.calls != 6 {
			t.Errorf("%s: %v %v, %d calls", name, got, err, b.calls)
		}
	}
}

// TestCounts: FriendNum 20 with 2 friends is the vendor's own sample.
func TestCounts(t *testing.T) {
	for _, test := range []struct {
		book       book
		came, said int64
	}{
		{book{list: names(10), size: 4}, 10, 10},
		{book{size: 4}, 0, 0},
		{book{list: names(2), size: 4, num: func(int) int64 { return 20 }}, 2, 20},
		{book{list: names(2), size: 1, num: func(int) int64 { return 0 }}, 2, 0},
		{book{size: 4, num: func(int) int64 { return 1 }}, 0, 1},
		{book{list: append(names(10), "f0001"), size: 4}, 10, 11},
		{book{list: names(10), size: 4, number: 1, before: func(b *book) { b.number++ }}, 10, 10},
	} {
		r := New(func() Pages { return &place{book: &test.book} })
		if err := r.Read(t.Context(), func(*sink.Friend) error { return nil }, func() {}); err != nil {
			t.Error(err)
		}
		if came, said := r.Counts(); came != test.came || said != test.said {
			t.Errorf("%d of %d, want %d of %d", came, said, test.came, test.said)
		}
		if agree := test.came == test.said; !agree && test.book.calls != 2*max(1, (len(test.book.list)+test.book.size-1)/test.book.size) {
			t.Errorf("%d of %d: %d calls, want two readings", test.came, test.said, test.book.calls)
		}
	}
}

// TestEndlessListsAreGivenUp: new friends for ever, and the same ones for ever.
func TestEndlessListsAreGivenUp(t *testing.T) {
	for name, test := range map[string]struct {
		size   int
		said   int64
		friend func(n int) string
		calls  int
	}{
		"new friends":          {100, 20, func(n int) string { return fmt.Sprint("f", n) }, 22},
		"the same friends":     {100, 20, func(n int) string { return fmt.Sprint("f", n%20) }, 22},
		"the same few friends": {3, 3, func(n int) string { return fmt.Sprint("f", n%3) }, 22},
		"one, of many":         {1, 1e15, func(int) string { return "f" }, 22},
	} {
		calls := 0
		r := New(func() Pages {
			return endless(func() sink.Page { return pageOf(test.said, test.size, &calls, test.friend) })
		})
		err := r.Read(t.Context(), func(*sink.Friend) error { return nil }, func() {})
		if !errors.Is(err, ErrEndless) || !strings.Contains(err.Error(), fmt.Sprintf("FriendNum is %d,", test.said)) || calls != test.calls {
			t.Errorf("%s: %v after %d calls", name, err, calls)
		}
	}
}

// TestPageThatLeadsNowhere is asked for again like any answer that cannot be read, and given up
// when it leads nowhere eight times in a row.
func TestPageThatLeadsNowhere(t *testing.T) {
	stuck := &sink.StuckError{CallError: &migrate.CallError{Verdict: migrate.VerdictRetry, Info: "the page at index 4 leads to index 4"}}
	b := &book{list: names(10), size: 4}
	r := New(func() Pages {
		return &sometimes{&place{book: b}, []error{nil, stuck, stuck, stuck, stuck, stuck, stuck, stuck, nil, stuck, stuck, nil}}
	})
	for done := false; !done; {
		var err error
		if done, err = r.Step(t.Context(), func(*sink.Friend) error { return nil }, func() {}); errors.Is(err, ErrEndless) {
			t.Fatal(err)
		}
	}
	r = New(func() Pages {
		return &sometimes{&place{book: b}, append([]error{nil}, slices.Repeat([]error{stuck}, 8)...)}
	})
	for n := 0; ; n++ {
		_, err := r.Step(t.Context(), func(*sink.Friend) error { return nil }, func() {})
		var call *migrate.CallError
		if n == 8 && errors.Is(err, ErrEndless) && !errors.As(err, &call) && strings.Contains(err.Error(), stuck.Info) {
			return
		}
		if n > 8 || n > 0 && !errors.As(err, &call) {
			t.Fatalf("answer %d: %v", n+1, err)
		}
	}
}

// sometimes gives errors in place of pages.
type sometimes struct {
	Pages
	errs []error
}

func (s *sometimes) Next(ctx context.Context) (sink.Page, error) {
	err := s.errs[0]
	if s.errs = s.errs[1:]; err != nil {
		return sink.Page{}, err
	}
	return s.Pages.Next(ctx)
}

// TestPagesWithoutFriends are followed; the hundredth in a row is a call that got nothing through,
// as is each that follows.
func TestPagesWithoutFriends(t *testing.T) {
	calls := 0
	r := New(func() Pages { return endless(func() sink.Page { return pageOf(9, 0, &calls, nil) }) })
	for n := range 110 {
		_, err := r.Step(t.Context(), func(*sink.Friend) error { return nil }, func() {})
		e, lost := errors.AsType[*migrate.CallError](err)
		if lost != (n >= 99) || lost && (e.Verdict != migrate.VerdictRetry || e.Uncertain) {
			t.Fatalf("page %d: %v", n+1, err)
		}
	}
}

// endless gives pages without a last one.
type endless func() sink.Page

func (e endless) Next(context.Context) (sink.Page, error) { return e(), nil }
func (endless) Last() bool                                { return false }

func pageOf(friendNum int64, size int, calls *int, friend func(n int) string) sink.Page {
	page := sink.Page{FriendNum: friendNum}
	for i := range size {
		page.Friends = append(page.Friends, sink.Friend{To: friend(*calls*size + i)})
	}
	*calls++
	return page
}
