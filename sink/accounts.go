package sink

import (
	"context"
	"errors"
	"slices"

	"friendmigrate/migrate/jsonscan"
)

// MaxAccounts is the largest number of ids in one account_check or multiaccount_import call
// (vendor's pages of both).
const MaxAccounts = 100

// AccountCallsPerSecond is the vendor's limit for each of the two APIs, half of the limit of the
// friend APIs.
const AccountCallsPerSecond = 100

// The account APIs. Their path differs from that of the friend APIs.
const (
	accountCheck   = "account_check"
	accountsImport = "multiaccount_import"
)

// Accounts returns for each of ids whether it is an account of the app. ids has at most MaxAccounts
// elements, none twice. Results match ids by index. It makes one account_check call and changes
// nothing. Its errors are those of migrate.Caller.
func (c *Client) Accounts(ctx context.Context, ids []string) ([]Presence, error) {
	if len(ids) == 0 {
		return nil, ctx.Err()
	}
	body := accountsBody(`{"CheckItem":`, `{"UserID":`, "}", ids)
	return c.askPresence(ctx, accountCheck, c.identifier, body, accountItems, ids)
}

// ImportAccounts creates each of ids, at most MaxAccounts, as an account of the app with one
// multiaccount_import call. It sends only ids, so that an account that exists keeps its Nick and
// FaceUrl. Results match ids by index. An account that the service refused is neither Known nor
// Again and has no Code, because the service gives none. If FailAccounts does not say which were
// refused, it returns what account_check answers. A call without an answer may be sent again. Its
// errors are those of migrate.Caller.
func (c *Client) ImportAccounts(ctx context.Context, ids []string) ([]Presence, error) {
	if len(ids) == 0 {
		return nil, ctx.Err()
	}
	body := accountsBody(`{"Accounts":`, "", "", ids)
	if err := body.unsendable(len(ids), MaxAccounts); err != nil {
		return nil, err
	}
	var refused refusedAccounts
	read := func(body *limited) (e envelope, err error) {
		e, refused, err = readRefused(body, ids)
		return e, err
	}
	if err := c.call(ctx, accountsImport, c.identifier, body.b, answerLimit, read); err != nil {
		return nil, err
	}
	if refused.wrong != nil {
		if times := c.counters.odd(); times > 0 {
			c.log.Warn("an answer was odd", "api", accountsImport, "info", refused.wrong.Error(), "times", times)
		}
		c.counters.change(func(s *Stats) { s.Uncertain++ }) // attempt counted it as a good answer
		return c.Accounts(ctx, ids)
	}
	list := make([]Presence, len(ids))
	for i, id := range ids {
		if refused.ids[id] {
			list[i] = Presence{Info: "named in FailAccounts"}
		} else {
			list[i] = Presence{Known: true, Exists: true}
		}
	}
	return list, nil
}

// refusedAccounts is what FailAccounts says.
type refusedAccounts struct {
	ids   map[string]bool
	wrong error // why it cannot be told which accounts were refused
}

// readRefused reads the answer to an import of ids. FailAccounts may be absent or null.
func readRefused(body *limited, ids []string) (envelope, refusedAccounts, error) {
	r := refusedAccounts{ids: map[string]bool{}}
	e, err := readAnswer(body, content{list: "FailAccounts", item: func(s *jsonscan.Scanner) error {
		kind := s.Kind()
		id, isString, err := s.StringValue()
		switch r.ids[string(id)] = true; {
		case !isString:
			r.wrong = wrongKind("an element of FailAccounts", kind, "a string")
		case !slices.Contains(ids, string(id)):
			r.wrong = errors.New("FailAccounts names an account that was not sent")
		}
		return err
	}})
	if e.listKind != "" && e.listKind != "null" {
		r.wrong = wrongKind("FailAccounts", e.listKind, "an array")
	}
	return e, r, err
}

// accountsBody returns the body of a call about accounts: head, and the ids with before and after
// around each.
func accountsBody(head, before, after string, ids []string) *writer {
	w := &writer{}
	w.raw(head)
	for i, id := range ids {
		w.between(i)
		w.raw(before)
		w.text(id)
		w.raw(after)
	}
	w.raw("]}")
	return w
}
