package sink

import (
	"cmp"
	"context"
	"fmt"
	"io"

	"friendmigrate/migrate"
	"friendmigrate/migrate/jsonscan"
)

// MaxAccounts is the most ids that one account_check or multiaccount_import call may carry (vendor's
// pages of both).
const MaxAccounts = 100

// AccountCallsPerSecond is what the vendor allows of either, half of what the friend APIs may have.
const AccountCallsPerSecond = 100

// The APIs here that are no friend APIs: they have another path.
const (
	accountCheck   = "account_check"
	accountsImport = "multiaccount_import"
)

// Account is what account_check or multiaccount_import said of one id.
type Account struct {
	Known  bool   // it answered: Exists holds
	Exists bool   // the account was imported into the app
	Again  bool   // not Known, but may be at another time: no answer for this id, or a passing code
	Code   int    // not Known: the ResultCode, 0 without an answer
	Info   string // not Known: the service's text for Code, or what was wrong with the answer
}

// Accounts asks whether each of ids, at most MaxAccounts and without repetition, is an
// account of the app: one account_check call. Results match ids by index. Its errors are those of
// migrate.Caller; it changes nothing.
func (c *Client) Accounts(ctx context.Context, ids []string) ([]Account, error) {
	body, err := accountsBody(`{"CheckItem":`, `{"UserID":`, "}", ids)
	if err != nil || len(ids) == 0 {
		return nil, cmp.Or(err, ctx.Err())
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

// ImportAccounts creates each of ids, at most MaxAccounts, as an account of the app: one
// multiaccount_import call. It sends bare ids, so that an account that exists keeps its Nick and
// FaceUrl. Results match ids by index: one that the service refused is neither Known nor Again, and
// has no Code, since the service gives none. A call without an answer may be sent again. Its errors
// are those of migrate.Caller.
func (c *Client) ImportAccounts(ctx context.Context, ids []string) ([]Account, error) {
	body, err := accountsBody(`{"Accounts":`, "", "", ids)
	if err != nil || len(ids) == 0 {
		return nil, cmp.Or(err, ctx.Err())
	}
	refused := map[string]bool{}
	read := func(body io.Reader) (envelope, error) {
		clear(refused)
		return readList(body, "FailAccounts", func(s *jsonscan.Scanner) error {
			id, _, err := s.StringValue()
			refused[string(id)] = true
			return err
		})
	}
	if err := c.call(ctx, accountsImport, c.identifier, body, answerLimit, read); err != nil {
		return nil, err
	}
	list := make([]Account, len(ids))
	for i, id := range ids {
		if refused[id] {
			list[i] = Account{Info: "named in FailAccounts"}
		} else {
			list[i] = Account{Known: true, Exists: true}
		}
	}
	return list, nil
}

// accountsBody is the request of a call about accounts: head, and ids with something before and
// behind each.
func accountsBody(head, before, behind string, ids []string) ([]byte, error) {
	w := writer{}
	w.raw(head)
	for i, id := range ids {
		w.between(i)
		w.raw(before)
		w.text(id)
		w.raw(behind)
	}
	w.raw("]}")
	if len(ids) > MaxAccounts {
		w.err = fmt.Errorf("%d accounts are more than one call may carry", len(ids))
	}
	if w.err != nil {
		return nil, &migrate.CallError{Verdict: migrate.VerdictSplit, Info: w.err.Error()}
	}
	return w.b, nil
}

// accountAnswer collects the items of an answer by id.
type accountAnswer struct {
	matcher
	found  []Account
	usable int
}

func (a *accountAnswer) readAll(body io.Reader) (envelope, error) {
	for i := range a.found {
		a.found[i] = Account{Again: true, Info: "no ResultItem"}
	}
	a.next, a.usable = 0, 0
	return readList(body, "ResultItem", a.item)
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
