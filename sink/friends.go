package sink

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"friendmigrate/migrate"
	"friendmigrate/migrate/jsonscan"

	"golang.org/x/sync/semaphore"
)

// Friend is one entry of a friend list, as friend_get returns it.
type Friend struct {
	To     string
	Values []Value
}

// Value is one field of a friend. JSON is a string, an integer or an array, as it was received.
type Value struct {
	Tag  string
	JSON json.RawMessage
}

// Page is one page of a friend list.
type Page struct {
	Friends   []Friend
	FriendNum int64 // size of the whole list, according to this page

	// StandardSequence and CustomSequence of the answer; 0 if it has none. They are the service's
	// version numbers of the list. Another number on a later page means that the list has changed
	// in between.
	Standard, Custom int64

	answer *pageAnswer
}

// Release frees the page. Call it after the page's friends have been used and before the next page,
// because a large page keeps others waiting.
func (p *Page) Release() {
	if p.answer != nil {
		p.answer.release()
	}
}

// FriendReader reads the friend list of one account, page by page. It must not be used
// concurrently.
type FriendReader struct {
	client *Client
	from   string
	start  int64
	done   bool
}

// Friends returns a reader of the friend list of from. It sends nothing.
func (c *Client) Friends(from string) *FriendReader { return &FriendReader{client: c, from: from} }

// Next reads the next page with one friend_get call. After the last page it returns io.EOF. After
// any other error it may be called again and reads the same page. Its errors are those of
// migrate.Caller; for an account that does not exist that is VerdictRefuseAccount.
//
// Both sequences are 0 on every page, because the service leaves out half of the data for a
// sequence that it knows.
func (r *FriendReader) Next(ctx context.Context) (Page, error) {
	if r.done {
		return Page{}, io.EOF
	}
	answer, err := r.client.page(ctx, r.from, r.start)
	if e := (*migrate.CallError)(nil); answer.stuck && errors.As(err, &e) {
		return Page{}, &StuckError{e}
	}
	if err != nil {
		return Page{}, err
	}
	value := func(name string) int64 { return answer.numbers[name].value }
	page := Page{Friends: answer.friends, FriendNum: value("FriendNum"), answer: answer,
		Standard: value("StandardSequence"), Custom: value("CustomSequence")}
	r.start, r.done = value("NextStartIndex"), value("CompleteFlag") != 0
	return page, nil
}

func (c *Client) page(ctx context.Context, from string, start int64) (*pageAnswer, error) {
	answer := &pageAnswer{start: start, pages: c.pages}
	body := getBody(from, start)
	if body.err != nil {
		return answer, &migrate.CallError{Verdict: migrate.VerdictRefuseAccount, Info: body.err.Error()}
	}
	err := c.call(ctx, friendGet, from, body.b, friendGetLimit, answer.read)
	if err != nil {
		answer.release()
	}
	return answer, err
}

// StuckError is the error of a page whose next page is itself or an earlier one.
type StuckError struct{ *migrate.CallError }

// Unwrap returns the error of an answer that cannot be read, which is asked for again.
func (e *StuckError) Unwrap() error { return e.CallError }

// Last reports whether the page that Next returned last is the last one.
func (r *FriendReader) Last() bool { return r.done }

// pageAnswer holds the members of an answer of friend_get besides its envelope.
type pageAnswer struct {
	start   int64 // of the request
	friends []Friend
	numbers map[string]*field[int64] // by name
	stuck   bool                     // its next page is itself or an earlier one

	pages *semaphore.Weighted // bytes of large pages
	held  int64               // of those, held by this page
}

// smallPage is the number of bytes up to which a page need not wait. A hundred friends with the
// usual fields take some 30 kB.
const smallPage = 128 << 10

func (p *pageAnswer) release() {
	if p.held > 0 {
		p.pages.Release(p.held)
		p.held = 0
	}
}

// largeBody makes a large page wait until there is room for it.
type largeBody struct {
	*limited
	page *pageAnswer
}

func (b largeBody) Read(into []byte) (int, error) {
	if b.n > smallPage && b.page.held == 0 {
		size := b.size
		if size < 0 || size > friendGetLimit { // not known, or too large anyway
			size = friendGetLimit
		}
		if err := b.page.pages.Acquire(b.ctx, size); err != nil {
			return 0, err
		}
		b.page.held = size
	}
	return b.limited.Read(into)
}

func (p *pageAnswer) read(body *limited) (envelope, error) {
	p.release()
	*p = pageAnswer{start: p.start, pages: p.pages, numbers: map[string]*field[int64]{"FriendNum": {},
		"CompleteFlag": {}, "NextStartIndex": {}, "StandardSequence": {}, "CustomSequence": {}}}
	e, err := readAnswer(largeBody{body, p}, content{list: "UserDataItem", item: p.friend, member: p.number})
	if err == nil && e.ok() {
		err = p.check(&e)
	}
	return e, err
}

// check returns an error for a page that cannot be followed. One that leads nowhere would be read
// for ever, and one without its members would count as an empty list.
func (p *pageAnswer) check(e *envelope) error {
	complete, next := p.numbers["CompleteFlag"], p.numbers["NextStartIndex"]
	for _, name := range []string{"CompleteFlag", "FriendNum", "NextStartIndex"} {
		err := p.numbers[name].missing("the page", name, "an integer")
		if err != nil && (p.numbers[name] != next || complete.value == 0) {
			return err
		}
	}
	switch {
	case e.listKind != "" && e.listKind != "null":
		return wrongKind("the page's UserDataItem", e.listKind, "an array")
	case !e.hasList && p.numbers["FriendNum"].value != 0:
		return errors.New("the page has no UserDataItem")
	}
	if p.stuck = complete.value == 0 && next.value <= p.start; p.stuck {
		return fmt.Errorf("the page at index %d leads to index %d", p.start, next.value)
	}
	return nil
}

func (p *pageAnswer) number(s *jsonscan.Scanner, name string) error {
	if n := p.numbers[name]; n != nil {
		return n.read(s, s.IntegerValue)
	}
	return s.Skip()
}

func (p *pageAnswer) friend(s *jsonscan.Scanner) error {
	s.AnyBytes = false // what is exported must not be changed
	defer func() { s.AnyBytes = true }()
	var f Friend
	has := false
	err := s.Object(func(name []byte) (err error) {
		switch string(name) {
		case "To_Account":
			f.To, has, err = copied(s)
			return err
		case "ValueItem":
			if s.Peek() == '[' {
				return s.Array(func() error { return f.value(s) })
			}
		}
		return s.Skip()
	})
	if err == nil && !has {
		err = errors.New("an element of UserDataItem has no To_Account")
	}
	p.friends = append(p.friends, f)
	return err
}

func (f *Friend) value(s *jsonscan.Scanner) error {
	var v Value
	err := s.Object(func(name []byte) (err error) {
		switch string(name) {
		case "Tag":
			v.Tag, _, err = copied(s)
			return err
		case "Value":
			s.Peek()
			start := s.Pos
			err := s.Skip()
			v.JSON = slices.Clone(s.Data[start:s.Pos])
			return err
		}
		return s.Skip()
	})
	if err == nil && v.Tag != "" && v.JSON != nil {
		f.Values = append(f.Values, v)
	}
	return err
}

// Edge returns the friendship as an edge that can be imported, and the other tags, which no edge
// has a field for. RemarkTime is never set, because friend_get has no tag for it.
func (f *Friend) Edge(from string) (e migrate.Edge, other []string, err error) {
	e = migrate.Edge{From: from, To: f.To}
	for _, v := range f.Values {
		switch {
		case v.Tag == "Tag_SNS_IM_AddSource":
			err = json.Unmarshal(v.JSON, &e.AddSource)
		case v.Tag == "Tag_SNS_IM_Remark":
			err = json.Unmarshal(v.JSON, &e.Remark)
		case v.Tag == "Tag_SNS_IM_Group":
			err = json.Unmarshal(v.JSON, &e.Groups)
		case v.Tag == "Tag_SNS_IM_AddWording":
			err = json.Unmarshal(v.JSON, &e.AddWording)
		case v.Tag == "Tag_SNS_IM_AddTime":
			err = json.Unmarshal(v.JSON, &e.AddTime)
		case customTag(v.Tag):
			err = addCustom(&e, v)
		default:
			other = append(other, v.Tag)
		}
		if err != nil {
			return e, other, fmt.Errorf("read %s: %w", v.Tag, err)
		}
	}
	return e, other, nil
}

// customTag reports whether the vendor's rules allow a custom field with this name. friend_import
// refuses others.
func customTag(tag string) bool {
	word, ok := strings.CutPrefix(tag, "Tag_SNS_Custom_")
	other := func(c rune) bool { return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') }
	return ok && len(word) >= 1 && len(word) <= 8 && !strings.ContainsFunc(word, other)
}

func addCustom(e *migrate.Edge, v Value) error {
	item := migrate.CustomItem{Tag: v.Tag}
	if v.JSON[0] == '"' {
		if err := json.Unmarshal(v.JSON, &item.Value); err != nil || item.Value == "" { // "" is absent, as in an input
			return err
		}
	} else {
		item.Value, item.Integer = string(v.JSON), true
		if !isInteger(item.Value) {
			return fmt.Errorf("%q is neither a string nor an integer", migrate.Shorten(item.Value, 40))
		}
	}
	e.Custom = append(e.Custom, item)
	return nil
}
