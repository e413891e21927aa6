package sink

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"friendmigrate/migrate"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/sync/semaphore"
)

// Friend is one entry of a friend list, as friend_get returns it.
type Friend struct {
	To     string  `json:"To_Account"`
	Values []Value `json:"ValueItem"`
}

// Value is one field of a friend. JSON is a string, an integer or an array, as it was received.
type Value struct {
	Tag  string
	JSON jsontext.Value `json:"Value"`
}

// Page is one page of a friend list.
type Page struct {
	Friends   []Friend
	FriendNum int64 // size of the whole list, according to this page
	Start     int64 // index of the first friend of the page

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
	page := Page{Friends: answer.friends, FriendNum: *answer.FriendNum, Start: r.start, answer: answer,
		Standard: answer.StandardSequence, Custom: answer.CustomSequence}
	if r.done = *answer.CompleteFlag != 0; !r.done {
		r.start = *answer.NextStartIndex
	}
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

// pageAnswer is an answer of friend_get. Of its numbers, nil is absent or null.
type pageAnswer struct {
	envelope
	UserDataItem                            each[Friend]
	FriendNum, CompleteFlag, NextStartIndex *int64
	StandardSequence, CustomSequence        int64

	start   int64 // of the request
	friends []Friend
	wrong   error // of the last element that cannot be used
	stuck   bool  // its next page is itself or an earlier one

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
	*p = pageAnswer{start: p.start, pages: p.pages, UserDataItem: each[Friend]{item: p.friend}}
	err := readAnswer(largeBody{body, p}, p)
	if err == nil && p.ok() {
		err = p.check()
	}
	return p.envelope, err
}

// check returns an error for a page that cannot be followed. One that leads nowhere would be read
// for ever, and one without its members would count as an empty list.
func (p *pageAnswer) check() error {
	kind := p.UserDataItem.kind
	switch last := p.CompleteFlag != nil && *p.CompleteFlag != 0; {
	case p.wrong != nil:
		return p.wrong
	case p.CompleteFlag == nil:
		return errors.New("the page has no CompleteFlag")
	case p.FriendNum == nil:
		return errors.New("the page has no FriendNum")
	case p.NextStartIndex == nil && !last:
		return errors.New("the page has no NextStartIndex")
	case kind != '[' && (*p.FriendNum != 0 || kind != 0 && kind != 'n'):
		return errors.New("the page has no array UserDataItem")
	case !last && *p.NextStartIndex <= p.start:
		p.stuck = true
		return fmt.Errorf("the page at index %d leads to index %d", p.start, *p.NextStartIndex)
	}
	return nil
}

func (p *pageAnswer) friend(f *Friend, err error) {
	switch {
	case err != nil:
		p.wrong = fmt.Errorf("UserDataItem: %w", err)
	case f.To == "":
		p.wrong = errors.New("an element of UserDataItem has no To_Account")
	case p.changed: // what is exported must not be
		p.wrong = errNotUTF8
	default:
		f.Values = slices.DeleteFunc(f.Values, func(v Value) bool { return v.Tag == "" || v.JSON == nil })
		p.friends = append(p.friends, *f)
	}
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
			return fmt.Errorf("%q is neither a string nor an integer", shorten(item.Value, 40))
		}
	}
	e.Custom = append(e.Custom, item)
	return nil
}
