package reading

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

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

// Each of these loses or repeats a friend without an error. The last one even keeps the number of friends.
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
