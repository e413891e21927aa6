package sink

import (
	"context"
	"fmt"

	"friendmigrate/migrate"
	"friendmigrate/migrate/jsonscan"
)

// The codes that need more than the table.
const (
	WrongApp        = 30002 // every item has it if the app is wrong
	accountNotInApp = 30003 // an account does not exist in the app

	// After wrongAppCalls calls in which every item has WrongApp, with no success before, the app
	// is considered wrong.
	wrongAppCalls = 20
)

// WrongAppError returns the error of a call in which every item has WrongApp.
func WrongAppError(info string) *migrate.CallError {
	code, _ := LookupCode(WrongApp)
	return &migrate.CallError{
		Verdict: code.Call, Code: WrongApp, Info: info, Answered: true, Limit: wrongAppCalls, Hint: code.Advice,
	}
}

// Import makes one friend_import call. It is a migrate.Caller.
//
// It matches results to edges by To_Account. An edge without a ResultItem, or with two that differ,
// is Again and uncertain. An answer without a usable ResultItem for any edge counts as no answer.
// If every item has 30002, the app may be wrong: the whole call is VerdictSuspect.
func (c *Client) Import(ctx context.Context, from string, edges []migrate.Edge) ([]migrate.Outcome, error) {
	return c.change(ctx, friendImport, from, edges, importBody(from, edges))
}

// change makes one call that changes from's list.
func (c *Client) change(ctx context.Context, api, from string, edges []migrate.Edge, body *writer) (
	[]migrate.Outcome, error) {
	if len(edges) == 0 {
		return nil, ctx.Err()
	}
	to := func(i int) string { return edges[i].To }
	answer, err := c.callAccounts(ctx, api, from, body, friendItems, len(edges), to)
	if err != nil {
		return nil, err
	}
	return c.outcomes(answer)
}

// callAccounts makes one call about n accounts and reads their results.
func (c *Client) callAccounts(ctx context.Context, api, from string, body *writer, names itemNames, n int,
	account func(i int) string) (*answerItems, error) {
	most := migrate.MaxChunkEdges
	if names == accountItems {
		most = MaxAccounts
	}
	if err := body.unsendable(n, most); err != nil {
		return nil, err
	}
	answer := newAnswerItems(names, n, account)
	if err := c.call(ctx, api, from, body.b, answerLimit, answer.read); err != nil {
		return nil, err
	}
	return answer, c.checkAnswer(api, answer)
}

// unsendable returns the error of a call that could not be written or has more than most accounts.
// It is the same as if the service had refused the call, so that halving finds the account that
// cannot be sent.
func (w *writer) unsendable(n, most int) error {
	err := w.err
	if err == nil && n > most {
		err = fmt.Errorf("%d accounts are more than one call may carry", n)
	}
	if err != nil {
		return &migrate.CallError{Verdict: migrate.VerdictHalve, Info: err.Error()}
	}
	return nil
}

// Item is one element of ResultItem as it was received.
type Item struct {
	To   string
	Code int
	Info string
}

// Outcome returns the outcome of the item's edge.
func (i Item) Outcome() migrate.Outcome { return outcomeOf(i.Code, i.Info) }

// ImportItems makes one friend_import call and returns the elements of its ResultItem in the order
// of the answer, including those that Import would not trust, such as two for one account. Use it
// only to find out how an app answers, not to decide about an edge of a job. Its errors are those
// of migrate.Caller.
func (c *Client) ImportItems(ctx context.Context, from string, edges []migrate.Edge) ([]Item, error) {
	body := importBody(from, edges)
	if err := body.unsendable(len(edges), migrate.MaxChunkEdges); err != nil {
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
	if err := c.call(ctx, friendImport, from, body.b, answerLimit, read); err != nil {
		return nil, err
	}
	return items, nil
}

const (
	friendUpdate = "friend_update"
	friendDelete = "friend_delete"
)

// NotAFriend is the code of friend_delete for an edge that is not there, which counts as deleted.
const NotAFriend = 31704

// Update makes one friend_update call, which sets Remark, GroupName and custom fields of friends.
// The service lets nothing else change. It sets only the fields that an edge has. An edge that has
// none of them is Already, and is not sent. Other outcomes are those of Import. It is a
// migrate.Caller.
func (c *Client) Update(ctx context.Context, from string, edges []migrate.Edge) ([]migrate.Outcome, error) {
	outcomes := make([]migrate.Outcome, len(edges))
	var sent []migrate.Edge
	var places []int
	for i := range edges {
		if !Updatable(&edges[i]) {
			outcomes[i] = migrate.Outcome{Kind: migrate.Already, Unsent: true}
			continue
		}
		sent, places = append(sent, edges[i]), append(places, i)
	}
	if len(sent) == 0 {
		return outcomes, ctx.Err()
	}
	w := &writer{}
	w.from(from)
	w.member("UpdateItem")
	for i := range sent {
		w.between(i)
		w.update(&sent[i])
	}
	w.raw("]}")
	changed, err := c.change(ctx, friendUpdate, from, sent, w)
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

// UpdateBytes returns the bytes of e in the JSON of a friend_update call, with the comma after it.
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

// Delete makes one friend_delete call with Delete_Type_Single, which does not change the lists of
// the friends. Imported means done, also if there was nothing to delete. It is a
// migrate.Caller.
func (c *Client) Delete(ctx context.Context, from string, edges []migrate.Edge) ([]migrate.Outcome, error) {
	outcomes, err := c.change(ctx, friendDelete, from, edges, friendsBody(from, friendsOf(edges), deleteSingle))
	for i := range outcomes {
		if outcomes[i].Code == NotAFriend {
			outcomes[i] = migrate.Outcome{Kind: migrate.Imported}
		}
	}
	return outcomes, err
}

// DeleteBytes returns the bytes of e in the JSON of a friend_delete call, with the comma after it.
func DeleteBytes(e *migrate.Edge) int { return textBytes(e.To) + len(",") }
