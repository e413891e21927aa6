package sink

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"friendmigrate/migrate"
)

// relation is what friend_check says of an account.
type relation uint8

const (
	unknownRelation relation = iota
	friends
	strangers
)

// relationOf reads Relation. In Single mode there are two values; the others are those of Both,
// where A is From.
func relationOf(text []byte) relation {
	switch string(text) {
	case "CheckResult_Type_AWithB", "CheckResult_Type_BothWay":
		return friends
	case "CheckResult_Type_NoRelation", "CheckResult_Type_BWithA":
		return strangers
	}
	return unknownRelation
}

// Relation is what friend_check said of one account. Where it is neither Known nor Again, the
// service refuses with Code, and will again.
type Relation struct {
	Known  bool   // it answered: Friend holds
	Friend bool   // From has it in their list
	Again  bool   // not Known, but may be at another time: no answer for this account, or a passing code
	Code   int    // not Known: the ResultCode, 0 without an answer
	Info   string // not Known: the service's text for Code, or what was wrong with the answer
}

// Check asks whether from has each of to, at most migrate.MaxChunkEdges and without repetition, in
// their list: one friend_check call in Single mode. Relations match to by index. Its errors are
// those of migrate.Caller; it changes nothing.
func (c *Client) Check(ctx context.Context, from string, to []string) ([]Relation, error) {
	if len(to) == 0 {
		return nil, ctx.Err()
	}
	body, err := checkBody(from, to)
	if err == nil && len(to) > migrate.MaxChunkEdges {
		err = fmt.Errorf("%d accounts are more than one call may carry", len(to))
	}
	if err != nil {
		return nil, &migrate.CallError{Verdict: migrate.VerdictSplit, Info: err.Error()}
	}
	answer := newVerdicts(len(to), func(i int) string { return to[i] })
	if err := c.call(ctx, friendCheck, from, body, answerLimit, readAnswer("InfoItem", answer)); err != nil {
		return nil, err
	}
	if err := c.settle(friendCheck, answer); err != nil {
		return nil, err
	}
	list := make([]Relation, len(to))
	for i := range list {
		list[i] = c.relation(&answer.items[i])
	}
	return list, nil
}

// relation reads one item. Its ResultCode comes first: a failed item still says NoRelation.
func (c *Client) relation(v *verdict) Relation {
	switch {
	case !v.seen:
		return Relation{Again: true, Info: v.unseen("InfoItem")}
	case v.disputed:
		return Relation{Again: true, Info: "contradictory InfoItems"}
	case v.code != 0:
		code, _ := LookupCode(v.code)
		return Relation{Again: code.Passing(), Code: v.code, Info: c.scrub(v.info)}
	case v.relation == unknownRelation:
		return Relation{Again: true, Info: "no Relation that is known"}
	}
	return Relation{Known: true, Friend: v.relation == friends}
}

// Probe asks friend_get for the admin account itself: the cheapest call that goes all the way. Nil:
// the API answered (that the admin has no friend list, 30003, is an answer too). Its errors are
// those of migrate.Caller.
func (c *Client) Probe(ctx context.Context) error {
	body, err := getBody(c.identifier, 0)
	if err != nil {
		return &migrate.CallError{Verdict: migrate.VerdictFatal, Info: err.Error()}
	}
	err = c.call(ctx, friendGet, c.identifier, body, friendGetLimit, readPage(new(pageAnswer)))
	var e *migrate.CallError
	if errors.As(err, &e) && e.Answered && e.Verdict == migrate.VerdictRefuseAccount {
		return nil
	}
	return err
}

// OnlyMissing is an importer that asks friend_check first and imports only what is not there: edges
// that are found are Already. It makes one friend_check call and at most one friend_import call.
func OnlyMissing(c *Client) migrate.Caller { return onlyMissing{c} }

type onlyMissing struct{ client *Client }

// Call implements migrate.Caller. What friend_check can't say about an edge, for another reason
// than a passing one, friend_import has to say.
func (m onlyMissing) Call(ctx context.Context, from string, edges []migrate.Edge) ([]migrate.Outcome, error) {
	to := make([]string, len(edges))
	for i := range edges {
		to[i] = edges[i].To
	}
	relations, err := m.client.Check(ctx, from, to)
	var e *migrate.CallError
	switch {
	case errors.As(err, &e) && e.Verdict == migrate.VerdictSuspect && e.Answered:
		relations = make([]Relation, len(edges))
	case err != nil:
		return nil, err
	}
	outcomes := make([]migrate.Outcome, len(edges))
	var missing []migrate.Edge
	var places []int
	for i, r := range relations {
		switch {
		case r.Known && r.Friend:
			outcomes[i] = migrate.Outcome{Kind: migrate.Already}
		case r.Again:
			outcomes[i] = migrate.Outcome{Kind: migrate.Again, Code: r.Code, Info: r.Info}
		default:
			missing, places = append(missing, edges[i]), append(places, i)
		}
	}
	if len(missing) == 0 {
		return outcomes, nil
	}
	imported, err := m.client.Import(ctx, from, missing)
	if err != nil && imported == nil && len(missing) < len(edges) {
		imported, err = keepFound(err, len(missing))
	}
	if imported == nil {
		return nil, err
	}
	for i, o := range imported {
		outcomes[places[i]] = o
	}
	return outcomes, err
}

// keepFound turns a failed import into outcomes. Edges that friend_check found keep their outcome,
// and those that it did not decide stay as they are: they were not sent. The missing ones are sent
// again on their own where the error speaks of the call as a whole, and get their own answer then.
func keepFound(err error, missing int) ([]migrate.Outcome, error) {
	var e *migrate.CallError
	if !errors.As(err, &e) {
		return nil, err
	}
	o := migrate.Outcome{Uncertain: e.Uncertain}
	err = nil
	switch {
	case e.Verdict == migrate.VerdictRefuseChunk, e.Verdict == migrate.VerdictRefuseAccount:
		o = migrate.Outcome{Kind: migrate.Failed, Code: e.Code, Info: e.Info}
	case e.Verdict == migrate.VerdictSplit, e.Verdict == migrate.VerdictUnknown,
		e.Verdict == migrate.VerdictSuspect && e.Answered:
		o.Code, o.Info = e.Code, e.Info
	case e.Verdict == migrate.VerdictRetry, e.Verdict == migrate.VerdictSuspect:
		e.Uncertain, err = false, e
	default:
		return nil, e
	}
	return slices.Repeat([]migrate.Outcome{o}, missing), err
}
