package sink

import (
	"context"

	"friendmigrate/migrate"
	"friendmigrate/migrate/jsonscan"
)

// Item is one element of ResultItem, as it came.
type Item struct {
	To   string
	Code int
	Info string
}

// ImportItems makes one friend_import call and returns the elements of its ResultItem in the order
// of the answer, also those that Import would not trust: two for one account, say. It is for
// finding out how an app answers; nothing may be concluded from it about an edge of a job. Its
// errors are those of migrate.Caller.
func (c *Client) ImportItems(ctx context.Context, from string, edges []migrate.Edge) ([]Item, error) {
	body, err := importBody(from, edges)
	if err != nil {
		return nil, &migrate.CallError{Verdict: migrate.VerdictSplit, Info: err.Error()}
	}
	var items []Item
	read := func(body *limited) (envelope, error) {
		items = nil
		return readAnswer(body, content{list: friendItems.list, item: func(s *jsonscan.Scanner) error {
			r, err := scanResult(s, friendItems)
			if err == nil && r.usable() {
				items = append(items, Item{To: string(r.to.value), Code: int(r.code.value), Info: c.scrub(clean(string(r.info)))})
			}
			return err
		}})
	}
	if err := c.call(ctx, friendImport, from, body, answerLimit, read); err != nil {
		return nil, err
	}
	return items, nil
}
