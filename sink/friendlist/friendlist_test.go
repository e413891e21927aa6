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
	page := sink.Page{FriendNum: int64(len(p.list)), Standard: p.number}
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

// read reads to the end, and returns why that is in doubt.
func read(t *testing.T, b *book) ([]string, string) {
	t.Helper()
	r := New(func() Pages { return &place{book: b} })
	var got []string
	for range 1000 {
		done, err := r.Step(t.Context(), func(f *sink.Friend) error { got = append(got, f.To); return nil }, func() { got = nil })
		if done && err == nil {
			return got, r.Doubt()
		}
	}
	t.Fatal("it never ends")
	return nil, ""
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
			got, doubt := read(t, b)
			if doubt != "" || !slices.Equal(got, b.list) || b.calls != max(1, (n+size-1)/size)+2 {
				t.Fatalf("%d friends in pages of %d: %d, %q, %d calls", n, size, len(got), doubt, b.calls)
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
			got, doubt := read(t, b)
			if doubt != "" || strings.Join(got, " ") != strings.Join(b.list, " ") {
				t.Errorf("%v, want %v; %q", got, b.list, doubt)
			}
		})
	}
}

// TestAListThatIsOddTwiceIsInDoubt: it is read twice, and what came the second time counts, each
// friend once. FriendNum 20 with 2 friends is the vendor's own sample.
func TestAListThatIsOddTwiceIsInDoubt(t *testing.T) {
	const changed = "the list changed while it was read"
	n := int64(0)
	grows := func(b *book) { b.list = append(b.list[:len(b.list):len(b.list)], fmt.Sprint("new", b.calls)) }
	for name, test := range map[string]struct {
		book  book
		came  int
		calls int
		doubt string
	}{
		"right":                    {book{list: names(10), size: 4}, 10, 3, ""},
		"right and empty":          {book{size: 4}, 0, 1, ""},
		"FriendNum counts more":    {book{list: names(2), size: 4, num: func(int) int64 { return 20 }}, 2, 2, "FriendNum is 20 and 2 came"},
		"FriendNum counts none":    {book{list: names(2), size: 1, num: func(int) int64 { return 0 }}, 2, 4, "FriendNum is 0 and 2 came"},
		"none is there":            {book{size: 4, num: func(int) int64 { return 1 }}, 0, 2, "FriendNum is 1 and 0 came"},
		"FriendNum runs on":        {book{list: names(9), size: 4, num: func(int) int64 { n++; return n }}, 9, 6, "FriendNum is 6 and 9 came"},
		"a friend twice":           {book{list: append(names(10), "f0001"), size: 4}, 10, 6, "FriendNum is 11 and 10 came"},
		"a friend twice, counted":  {book{list: append(names(10), "f0001"), size: 4, num: func(n int) int64 { return int64(n - 1) }}, 10, 6, changed},
		"sequences run on":         {book{list: names(10), size: 4, before: func(b *book) { b.number++ }}, 10, 6, changed},
		"one page, sequences too":  {book{list: names(4), size: 4, before: func(b *book) { b.number++ }}, 4, 1, ""},
		"one comes with each page": {book{list: names(10), size: 4, before: grows}, 19, 9, changed},
	} {
		got, doubt := read(t, &test.book)
		if len(got) != test.came || doubt != test.doubt || test.book.calls != test.calls {
			t.Errorf("%s: %d came, %q, %d calls; want %d, %q, %d", name, len(got), doubt, test.book.calls, test.came, test.doubt, test.calls)
		}
	}
}

// TestListsWithoutEnd bring new friends for ever, or the same ones. What came is kept.
func TestListsWithoutEnd(t *testing.T) {
	for name, test := range map[string]struct {
		size   int
		said   int64
		friend func(n int) string
		came   int
	}{
		"new friends":          {100, 20, func(n int) string { return fmt.Sprint("f", n) }, 1100},
		"the same friends":     {100, 20, func(n int) string { return fmt.Sprint("f", n%20) }, 20},
		"the same few friends": {3, 3, func(n int) string { return fmt.Sprint("f", n%3) }, 3},
		"one, of many":         {1, 1e15, func(int) string { return "f" }, 1},
	} {
		calls, came := 0, 0
		r := New(func() Pages {
			return endless(func() sink.Page { return pageOf(test.said, test.size, &calls, test.friend) })
		})
		err := r.Read(t.Context(), func(*sink.Friend) error { came++; return nil }, func() { came = 0 })
		want := fmt.Sprintf("the list does not end: FriendNum is %d and %d came", test.said, test.came)
		if err != nil || r.Doubt() != want || came != test.came || calls != 22 { // eleven, twice
			t.Errorf("%s: %v, %q, %d came in %d calls", name, err, r.Doubt(), came, calls)
		}
	}
}

// TestPageThatLeadsNowhere is asked for again like any answer that cannot be read, and ends the
// list when it leads nowhere eight times in a row.
func TestPageThatLeadsNowhere(t *testing.T) {
	stuck := &sink.StuckError{CallError: &migrate.CallError{Verdict: migrate.VerdictRetry, Info: "the page at index 4 leads to index 4"}}
	for _, test := range []struct {
		errs  []error
		came  int
		doubt string
	}{
		{[]error{nil, stuck, stuck, stuck, stuck, stuck, stuck, stuck, nil, stuck, stuck, nil}, 10, ""},
		{append([]error{nil}, slices.Repeat([]error{stuck}, 8)...), 4, stuck.Info + ", 8 times in a row"},
	} {
		came, want := 0, slices.Clone(test.errs)
		pages := &sometimes{&place{book: &book{list: names(10), size: 4}}, test.errs}
		r := New(func() Pages { return pages })
		for n := range want {
			done, err := r.Step(t.Context(), func(*sink.Friend) error { came++; return nil }, func() { t.Error("it is read again") })
			if last := n == len(want)-1; done != last || !last && !errors.Is(err, want[n]) {
				t.Fatalf("answer %d: %t, %v", n+1, done, err)
			}
		}
		if came != test.came || r.Doubt() != test.doubt {
			t.Errorf("%d came, %q", came, r.Doubt())
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
