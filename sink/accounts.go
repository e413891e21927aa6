package sink

import (
	"context"

	"friendmigrate/migrate/jsonscan"
)

// MaxAccounts is the most ids that one account_check or multiaccount_import call may carry
// (vendor's pages of both).
const MaxAccounts = 100

// AccountCallsPerSecond is what the vendor allows of either, half of what the friend APIs may have.
const AccountCallsPerSecond = 100

// The APIs here that are no friend APIs: they have another path.
const (
	accountCheck   = "account_check"
	accountsImport = "multiaccount_import"
)

// Accounts asks whether each of ids, at most MaxAccounts and without repetition, is an
// account of the app: one account_check call. Results match ids by index. Its errors are those of
// migrate.Caller; it changes nothing.
func (c *Client) Accounts(ctx context.Context, ids []string) ([]Presence, error) {
	if len(ids) == 0 {
		return nil, ctx.Err()
	}
	body, err := accountsBody(`{"CheckItem":`, `{"UserID":`, "}", ids)
	return c.askPresence(ctx, accountCheck, c.identifier, body, err, accountItems, ids)
}

// ImportAccounts creates each of ids, at most MaxAccounts, as an account of the app: one
// multiaccount_import call. It sends bare ids, so that an account that exists keeps its Nick and
// FaceUrl. Results match ids by index: one that the service refused is neither Known nor Again, and
// has no Code, since the service gives none. A call without an answer may be sent again. Its errors
// are those of migrate.Caller.
func (c *Client) ImportAccounts(ctx context.Context, ids []string) ([]Presence, error) {
	if len(ids) == 0 {
		return nil, ctx.Err()
	}
	body, err := accountsBody(`{"Accounts":`, "", "", ids)
	if err := unsendable(err, len(ids), MaxAccounts); err != nil {
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
	if err := c.call(ctx, accountsImport, c.identifier, body, answerLimit, read); err != nil {
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
	return w.b, w.err
}
