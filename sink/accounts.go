package sink

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"friendmigrate/migrate"
	"friendmigrate/migrate/jsonscan"
)

// MaxAccountsChecked is the most ids that one account_check call may carry (vendor's page of
// account_check).
const MaxAccountsChecked = 100

// AccountChecksPerSecond is what the vendor allows of account_check, half of what the friend APIs
// may have.
const AccountChecksPerSecond = 100

// accountCheck is the one API here that is no friend API: it has another path.
const accountCheck = "account_check"

// address is the URL of an API, without its query.
func (c *Client) address(api string) string {
	if api == accountCheck {
		return strings.TrimSuffix(c.base, "sns/") + "im_open_login_svc/" + api
	}
	return c.base + api
}

// Account is what account_check said of one id.
type Account struct {
	Known  bool   // it answered: Exists holds
	Exists bool   // the account was imported into the app
	Again  bool   // not Known, but may be at another time: no answer for this id, or a passing code
	Code   int    // not Known: the ResultCode, 0 without an answer
	Info   string // not Known: the service's text for Code, or what was wrong with the answer
}

// Accounts asks whether each of ids, at most MaxAccountsChecked and without repetition, is an
// account of the app: one account_check call. Results match ids by index. Its errors are those of
// migrate.Caller; it changes nothing.
func (c *Client) Accounts(ctx context.Context, ids []string) ([]Account, error) {
	if len(ids) == 0 {
		return nil, ctx.Err()
	}
	body, err := accountsBody(ids)
	if err == nil && len(ids) > MaxAccountsChecked {
		err = fmt.Errorf("%d accounts are more than one call may carry", len(ids))
	}
	if err != nil {
		return nil, &migrate.CallError{Verdict: migrate.VerdictSplit, Info: err.Error()}
	}
	answer := &accountAnswer{matcher: matcher{n: len(ids), name: func(i int) string { return ids[i] }},
		found: make([]Account, len(ids))}
	if err := c.call(ctx, accountCheck, c.identifier, body, answerLimit, answer.readAll); err != nil {
		return nil, err
	}
	if answer.usable == 0 {
		c.counters.unusable()
		info := "the answer has no ResultItem for any account of the call"
		return nil, &migrate.CallError{Verdict: migrate.VerdictRetry, Info: info}
	}
	for i := range answer.found {
		answer.found[i].Info = c.scrub(answer.found[i].Info)
	}
	return answer.found, nil
}

// accountsBody is the request of an account_check call.
func accountsBody(ids []string) ([]byte, error) {
	w := writer{}
	w.raw(`{"CheckItem":`)
	for i, id := range ids {
		w.between(i)
		w.raw(`{"UserID":`)
		w.text(id)
		w.raw("}")
	}
	w.raw("]}")
	return w.b, w.err
}

// accountAnswer collects the items of an answer by id.
type accountAnswer struct {
	matcher
	found  []Account
	usable int
}

func (a *accountAnswer) readAll(body io.Reader) (envelope, error) {
	buf := answers.Get().(*buffer)
	defer buf.release()
	data, err := buf.readAll(body)
	if err != nil {
		return envelope{}, err
	}
	for i := range a.found {
		a.found[i] = Account{Again: true, Info: "no ResultItem"}
	}
	a.next, a.usable = 0, 0
	return scanAnswer(data, "ResultItem", a.item)
}

// item reads one element. One that says nothing about an id of the call is passed over.
func (a *accountAnswer) item(s *jsonscan.Scanner) error {
	if s.Peek() != '{' {
		return s.Skip()
	}
	var id, status, info []byte
	var code int64
	hasID, hasCode := false, false
	err := s.Object(func(name []byte) (err error) {
		switch string(name) {
		case "UserID":
			if hasID {
				return errRepeated
			}
			id, hasID, err = s.StringValue()
		case "ResultCode":
			if hasCode {
				return errRepeated
			}
			code, hasCode, err = s.IntegerValue()
		case "ResultInfo":
			info, _, err = s.StringValue()
		case "AccountStatus":
			status, _, err = s.StringValue()
		default:
			err = s.Skip()
		}
		return err
	})
	if err != nil || !hasID || !hasCode {
		return err
	}
	i, ok := a.find(id)
	if !ok {
		return nil
	}
	a.usable++
	a.found[i] = accountOf(int(code), string(status), clean(string(info)))
	return nil
}

func accountOf(code int, status, info string) Account {
	switch {
	case code != 0:
		known, _ := LookupCode(code)
		return Account{Again: known.Passing(), Code: code, Info: info}
	case status == "Imported":
		return Account{Known: true, Exists: true}
	case status == "NotImported":
		return Account{Known: true}
	}
	return Account{Again: true, Info: "no AccountStatus that is known"}
}

// Delete takes each of to, at most migrate.MaxChunkEdges, out of from's list: one friend_delete
// call (Delete_Type_Single: the lists of the others stay as they are). Outcomes match to by index:
// Imported is done, also where there was nothing to delete. Its errors are those of migrate.Caller.
// An import never calls it: it is for putting back what a probe has changed.
func (c *Client) Delete(ctx context.Context, from string, to []string) ([]migrate.Outcome, error) {
	w := writer{}
	w.raw(importHead)
	w.text(from)
	w.member("To_Account")
	w.texts(to)
	w.raw(`,"DeleteType":"Delete_Type_Single"}`)
	if w.err != nil || len(to) == 0 || len(to) > migrate.MaxChunkEdges {
		return nil, &migrate.CallError{Verdict: migrate.VerdictSplit,
			Info: errors.Join(fmt.Errorf("delete %d friends", len(to)), w.err).Error()}
	}
	answer := newVerdicts(len(to), func(i int) string { return to[i] })
	if err := c.call(ctx, friendDelete, from, w.b, answerLimit, readAnswer("ResultItem", answer)); err != nil {
		return nil, err
	}
	if err := c.settle(friendDelete, answer); err != nil {
		return nil, err
	}
	outcomes := make([]migrate.Outcome, len(to))
	for i, item := range answer.items {
		switch {
		case !item.seen || item.disputed:
			outcomes[i] = migrate.Outcome{Kind: migrate.Again, Uncertain: true, Info: item.unseen("ResultItem")}
		case item.code == notAFriend:
			outcomes[i] = migrate.Outcome{Kind: migrate.Imported}
		default:
			outcomes[i] = outcomeOf(item.code, c.scrub(item.info))
		}
	}
	return outcomes, nil
}

const (
	friendDelete = "friend_delete"
	notAFriend   = 31704 // nothing to delete, which is as good
)
