package sink

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"sync"

	"friendmigrate/migrate"
	"friendmigrate/migrate/jsonscan"
)

// Codes of which more than the table has to know.
const (
	WrongApp  = 30002 // every item has it if the app is the wrong one
	NoAccount = 30003 // an account does not exist in the app

	// wrongAppCalls calls in which every item has WrongApp, and no success before, mean that the app is
	// the wrong one.
	wrongAppCalls = 20
)

// ErrWrongApp is the error of a call in which every item says WrongApp.
func ErrWrongApp(info string) *migrate.CallError {
	code, _ := LookupCode(WrongApp)
	return &migrate.CallError{
		Verdict: code.Call, Code: WrongApp, Info: info, Answered: true, Limit: wrongAppCalls, Hint: code.Advice,
	}
}

// Import is a migrate.CallerFunc: one friend_import call.
//
// Outcomes go by To_Account. An edge without a ResultItem, or with two that say different things,
// is Again and uncertain; an answer in which no edge has one is no answer. Where every item says
// 30002, the app may be the wrong one: VerdictSuspect for the whole call.
func (c *Client) Import(ctx context.Context, from string, edges []migrate.Edge) ([]migrate.Outcome, error) {
	body, err := importBody(from, edges)
	return c.change(ctx, friendImport, from, edges, body, err)
}

// change makes one call that changes from's list. err is that of writing body.
func (c *Client) change(ctx context.Context, api, from string, edges []migrate.Edge, body []byte, err error) (
	[]migrate.Outcome, error) {
	if len(edges) == 0 {
		return nil, ctx.Err()
	}
	to := func(i int) string { return edges[i].To }
	answer, err := c.callAccounts(ctx, api, from, body, err, friendItems, len(edges), to)
	if err != nil {
		return nil, err
	}
	return c.outcomes(answer)
}

// callAccounts makes one call about n accounts and reads what it says of each. err is that of writing body.
func (c *Client) callAccounts(ctx context.Context, api, from string, body []byte, err error, names itemNames, n int,
	account func(i int) string) (*answerItems, error) {
	most := migrate.MaxChunkEdges
	if names == accountItems {
		most = MaxAccounts
	}
	if err := unsendable(err, n, most); err != nil {
		return nil, err
	}
	answer := newAnswerItems(names, n, account)
	if err := c.call(ctx, api, from, body, answerLimit, answer.read); err != nil {
		return nil, err
	}
	return answer, c.checkAnswer(api, answer)
}

// unsendable is the error of a call that cannot be written or is too large, as if the service had
// refused it: halving finds the account that can't be sent.
func unsendable(err error, n, most int) error {
	if err == nil && n > most {
		err = fmt.Errorf("%d accounts are more than one call may carry", n)
	}
	if err != nil {
		return &migrate.CallError{Verdict: migrate.VerdictHalve, Info: err.Error()}
	}
	return nil
}

func (v *answerItems) read(body *limited) (envelope, error) {
	v.reset()
	e, err := readAnswer(body, content{list: v.names.list, item: v.item})
	if err == nil && e.ok() {
		v.finish(&e)
	}
	return e, err
}

// answers holds memory for the bodies of answers; what is larger than mostKept is left to the
// garbage collector.
var answers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

const mostKept = 512 << 10

func readAnswer(body io.Reader, c content) (envelope, error) {
	buf := answers.Get().(*bytes.Buffer)
	defer func() {
		if buf.Cap() <= mostKept {
			buf.Reset()
			answers.Put(buf)
		}
	}()
	if _, err := buf.ReadFrom(body); err != nil {
		return envelope{}, err
	}
	return scanAnswer(buf.Bytes(), c)
}

// checkAnswer counts what was odd about a well-formed answer. An answer that says nothing about any
// account of the call is no answer.
func (c *Client) checkAnswer(api string, v *answerItems) error {
	if v.tally.odd() {
		if times, t := c.counters.odd(), v.tally; times > 0 {
			c.log.Warn("an answer was odd", "api", api, "missing", t.missing, "unreadable", t.unreadable, "foreign",
				t.foreign, "repeated", t.repeated, "disputed", t.disputed, "unlisted", t.unlisted, "times", times)
		}
	}
	if v.usable == 0 || v.missing+v.disputed > 0 {
		c.counters.change(func(s *Stats) { s.Uncertain++ }) // attempt took it for a sound answer
	}
	if v.usable > 0 {
		return nil
	}
	return &migrate.CallError{Verdict: migrate.VerdictRetry, Info: v.wrong, Uncertain: !reads(api)}
}

func (c *Client) outcomes(v *answerItems) ([]migrate.Outcome, error) {
	list := make([]migrate.Outcome, len(v.items))
	allWrong := true
	info, scrubbed := "", "" // of the item before: mostly they all say the same
	for i, item := range v.items {
		o := &list[i]
		switch {
		case !item.seen:
			*o = migrate.Outcome{Kind: migrate.Again, Uncertain: true, Info: v.unseen(i)}
		case item.disputed:
			*o = migrate.Outcome{Kind: migrate.Again, Uncertain: true, Info: "contradictory ResultItems"}
		default:
			if item.info != info {
				info, scrubbed = item.info, c.scrub(item.info)
			}
			*o = outcomeOf(item.code, scrubbed)
		}
		allWrong = allWrong && o.Code == WrongApp
	}
	if allWrong {
		return nil, ErrWrongApp(list[0].Info)
	}
	return list, nil
}

// Item is one element of ResultItem, as it came.
type Item struct {
	To   string
	Code int
	Info string
}

// Outcome is what the item says about its edge.
func (i Item) Outcome() migrate.Outcome { return outcomeOf(i.Code, i.Info) }

// ImportItems makes one friend_import call and returns the elements of its ResultItem in the order
// of the answer, also those that Import would not trust: two for one account, say. It is for
// finding out how an app answers; nothing may be concluded from it about an edge of a job. Its
// errors are those of migrate.Caller.
func (c *Client) ImportItems(ctx context.Context, from string, edges []migrate.Edge) ([]Item, error) {
	body, err := importBody(from, edges)
	if err := unsendable(err, len(edges), migrate.MaxChunkEdges); err != nil {
		return nil, err
	}
	var items []Item
	read := func(body *limited) (envelope, error) {
		items = nil
		return readAnswer(body, content{list: friendItems.list, item: func(s *jsonscan.Scanner) error {
			r, err := scanResult(s, friendItems)
			if err == nil && r.usable() {
				items = append(items,
					Item{To: string(r.to.value), Code: int(r.code.value), Info: c.scrub(clean(string(r.info)))})
			}
			return err
		}})
	}
	if err := c.call(ctx, friendImport, from, body, answerLimit, read); err != nil {
		return nil, err
	}
	return items, nil
}

const (
	friendUpdate = "friend_update"
	friendDelete = "friend_delete"

	notAFriend = 31704 // nothing to delete, which is as good
)

// Update is a migrate.CallerFunc: one friend_update call, which sets Remark, GroupName and custom
// fields of friends. The service lets nothing else change. Only what an edge has is set; an edge
// that has none of them is Already, and is not sent. Outcomes are those of Import.
func (c *Client) Update(ctx context.Context, from string, edges []migrate.Edge) ([]migrate.Outcome, error) {
	outcomes := make([]migrate.Outcome, len(edges))
	var sent []migrate.Edge
	var places []int
	for i := range edges {
		if !Updatable(&edges[i]) {
			outcomes[i] = migrate.Outcome{Kind: migrate.Already}
			continue
		}
		sent, places = append(sent, edges[i]), append(places, i)
	}
	if len(sent) == 0 {
		return outcomes, ctx.Err()
	}
	w := writer{}
	w.raw(importHead)
	w.text(from)
	w.member("UpdateItem")
	for i := range sent {
		w.between(i)
		w.update(&sent[i])
	}
	w.raw("]}")
	changed, err := c.change(ctx, friendUpdate, from, sent, w.b, w.err)
	if err != nil {
		return nil, err
	}
	for i, o := range changed {
		outcomes[places[i]] = o
	}
	return outcomes, nil
}

// Updatable reports whether e has a field that Update can set.
func Updatable(e *migrate.Edge) bool { return e.Remark != "" || len(e.Groups) > 0 || len(e.Custom) > 0 }

// UpdateBytes is what e takes in the JSON of a friend_update call, with the comma after it.
func UpdateBytes(e *migrate.Edge) int {
	w := writer{count: true}
	w.update(e)
	return w.n + len(",")
}

func (w *writer) update(e *migrate.Edge) {
	w.raw(`{"To_Account":`)
	w.text(e.To)
	w.member("SnsItem")
	fields := 0
	if e.Remark != "" {
		w.raw(`[{"Tag":"Tag_SNS_IM_Remark","Value":`)
		w.text(e.Remark)
		w.raw("}")
		fields++
	}
	if len(e.Groups) > 0 {
		w.between(fields)
		w.raw(`{"Tag":"Tag_SNS_IM_Group","Value":`)
		w.texts(e.Groups)
		w.raw("}")
		fields++
	}
	for i := range e.Custom {
		w.between(fields)
		w.tagged(&e.Custom[i])
		fields++
	}
	w.raw("]}")
}

// Delete is a migrate.CallerFunc: one friend_delete call (Delete_Type_Single: the lists of the
// others stay as they are). Imported is done, also where there was nothing to delete.
func (c *Client) Delete(ctx context.Context, from string, edges []migrate.Edge) ([]migrate.Outcome, error) {
	w := writer{}
	w.raw(importHead)
	w.text(from)
	w.member("To_Account")
	w.texts(friendsOf(edges))
	w.raw(`,"DeleteType":"Delete_Type_Single"}`)
	outcomes, err := c.change(ctx, friendDelete, from, edges, w.b, w.err)
	for i := range outcomes {
		if outcomes[i].Code == notAFriend {
			outcomes[i] = migrate.Outcome{Kind: migrate.Imported}
		}
	}
	return outcomes, err
}

// DeleteBytes is what e takes in the JSON of a friend_delete call, with the comma after it.
func DeleteBytes(e *migrate.Edge) int { return textBytes(e.To) + len(",") }
