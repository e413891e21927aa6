package sink

import (
	"context"

	"friendmigrate/migrate"
)

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
