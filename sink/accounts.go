package sink

import (
	"context"

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
// Again and has no Code, because the service gives none. A call without an answer may be sent
// again. Its errors are those of migrate.Caller.
func (c *Client) ImportAccounts(ctx context.Context, ids []string) ([]Presence, error) {
	if len(ids) == 0 {
		return nil, ctx.Err()
	}
	body := accountsBody(`{"Accounts":`, "", "", ids)
	if err := body.unsendable(len(ids), MaxAccounts); err != nil {
		return nil, err
	}
	refused := map[string]bool{}
	read := func(body *limited) (envelope, error) {
		clear(refused)
		return readAnswer(body, content{list: "FailAccounts", item: func(s *jsonscan.Scanner) error {
			id, _, err := s.StringValue()
			refused[string(id)] = true
			return err
		}})
	}
	if err := c.call(ctx, accountsImport, c.identifier, body.b, answerLimit, read); err != nil {
		return nil, err
	}
	list := make([]Presence, len(ids))
	for i, id := range ids {
		if refused[id] {
			list[i] = Presence{Info: "named in FailAccounts"}
		} else {
			list[i] = Presence{Known: true, Exists: true}
		}
	}
	return list, nil
}

// accountsBody returns the body of a call about accounts: head, and the ids with before and behind
// around each.
func accountsBody(head, before, behind string, ids []string) *writer {
	w := &writer{}
	w.raw(head)
	for i, id := range ids {
		w.between(i)
		w.raw(before)
		w.text(id)
		w.raw(behind)
	}
	w.raw("]}")
	return w
}
