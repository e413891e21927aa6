package sink

import (
	"context"
	"errors"
	"slices"

	"friendmigrate/migrate"
)

// presence is the state of a friendship or an account in an item.
type presence uint8

const (
	unknownPresence presence = iota
	there
	absent
)

// presenceOf reads Relation or AccountStatus. Relation has two values in Single mode; the others
// are those of Both mode, where A is From.
func presenceOf(text []byte) presence {
	switch string(text) {
	case "CheckResult_Type_AWithB", "CheckResult_Type_BothWay", "Imported":
		return there
	case "CheckResult_Type_NoRelation", "CheckResult_Type_BWithA", "NotImported":
		return absent
	}
	return unknownPresence
}

// Presence is the service's answer about one friendship or account. If it is neither Known nor
// Again, the service refuses with Code, and will refuse again.
type Presence struct {
	Known  bool   // it answered, and Exists is valid
	Exists bool   // From has the friend in their list, or the account was imported into the app
	Again  bool   // not Known, but may be later: no answer for this one, or a temporary code
	Code   int    // not Known: the ResultCode, 0 without an answer
	Info   string // not Known: the service's text for Code, or the error of the answer
}

// Check asks with one friend_check call in Single mode which of to are in from's list. to has at
// most migrate.MaxChunkEdges elements, none twice. Results match to by index. It changes nothing.
// Its errors are those of migrate.Caller.
func (c *Client) Check(ctx context.Context, from string, to []string) ([]Presence, error) {
	if len(to) == 0 {
		return nil, ctx.Err()
	}
	return c.askPresence(ctx, friendCheck, from, friendsBody(from, to, checkSingle), checkItems, to)
}

func (c *Client) askPresence(ctx context.Context, api, from string, body *writer, names itemNames,
	ids []string) ([]Presence, error) {
	answer, err := c.callAccounts(ctx, api, from, body, names, len(ids), func(i int) string { return ids[i] })
	if err != nil {
		return nil, err
	}
	list := make([]Presence, len(ids))
	for i := range list {
		list[i] = c.presence(answer, i)
	}
	return list, nil
}

// presence returns the result of the i-th account. The ResultCode comes first, because a failed
// item still says NoRelation.
func (c *Client) presence(answer *answerItems, i int) Presence {
	switch v := &answer.items[i]; {
	case !v.seen:
		return Presence{Again: true, Info: answer.unseen(i)}
	case v.disputed:
		return Presence{Again: true, Info: "contradictory " + answer.names.list + "s"}
	case v.code != 0:
		code, _ := LookupCode(v.code)
		return Presence{Again: code.Passing(), Code: v.code, Info: c.scrub(v.info)}
	case v.presence == unknownPresence:
		return Presence{Again: true, Info: "no " + answer.names.state + " that is known"}
	default:
		return Presence{Known: true, Exists: v.presence == there}
	}
}

// Outcomes asks about the To_Account of each edge and returns Imported for those that exist, and
// absent for those that do not.
func Outcomes(
	edges []migrate.Edge, absent migrate.Outcome, ask func(ids []string) ([]Presence, error),
) ([]migrate.Outcome, error) {
	answers, err := ask(friendsOf(edges))
	if err != nil {
		return nil, err
	}
	outcomes := make([]migrate.Outcome, len(edges))
	for i, a := range answers {
		switch {
		case a.Known && a.Exists:
			outcomes[i] = migrate.Outcome{Kind: migrate.Imported}
		case a.Known:
			outcomes[i] = absent
		case a.Again:
			outcomes[i] = migrate.Outcome{Kind: migrate.Again, Code: a.Code, Info: a.Info}
		default:
			outcomes[i] = migrate.Outcome{Kind: migrate.Failed, Code: a.Code, Info: a.Info}
		}
	}
	return outcomes, nil
}

// Probe calls friend_get for the admin account itself, the cheapest call that passes all checks. It
// returns nil if the API answered, also if the admin has no friend list (30003). Its errors are
// those of migrate.Caller.
func (c *Client) Probe(ctx context.Context) error {
	answer, err := c.page(ctx, c.identifier, 0)
	answer.release()
	var e *migrate.CallError
	if errors.As(err, &e) && e.Answered && e.Verdict == migrate.VerdictRefuseAccount {
		return nil
	}
	return err
}

// ImportMissing makes one friend_check call, and at most one friend_import call for the edges that
// are missing. Edges that are found are Already. If friend_check refuses an edge permanently,
// friend_import decides about it. If it succeeds the edge is an uncertain Already, because undo
// takes Imported for new. It is a migrate.Caller.
func (c *Client) ImportMissing(ctx context.Context, from string, edges []migrate.Edge) ([]migrate.Outcome, error) {
	found, err := c.Check(ctx, from, friendsOf(edges))
	var e *migrate.CallError
	switch {
	case errors.As(err, &e) && e.Verdict == migrate.VerdictSuspect && e.Answered:
		found = make([]Presence, len(edges))
	case err != nil:
		return nil, err
	}
	if slices.ContainsFunc(found, func(p Presence) bool { return p.Known }) {
		c.answeredChecks.Add(1)
	}
	outcomes := make([]migrate.Outcome, len(edges))
	var missing []migrate.Edge
	var places []int
	for i, r := range found {
		switch {
		case r.Known && r.Exists:
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
	imported, err := c.Import(ctx, from, missing)
	if err != nil && imported == nil && len(missing) < len(edges) {
		imported, err = keepFound(err, len(missing))
	}
	if imported == nil {
		return nil, err
	}
	for i, o := range imported {
		if o.Kind == migrate.Imported && !found[places[i]].Known { // it may have been there before
			o = migrate.Outcome{Kind: migrate.Already, Uncertain: true}
		}
		outcomes[places[i]] = o
	}
	return outcomes, err
}

func friendsOf(edges []migrate.Edge) []string {
	to := make([]string, len(edges))
	for i := range edges {
		to[i] = edges[i].To
	}
	return to
}

// keepFound turns a failed import into outcomes. Edges that friend_check found keep their outcome.
// Edges that it did not decide stay as they are, because they were not sent. If the error is about
// the call as a whole, the missing edges are sent again on their own and get their own answer.
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
	case e.Verdict == migrate.VerdictHalve, e.Verdict == migrate.VerdictUnknown,
		e.Verdict == migrate.VerdictSuspect && e.Answered:
		o.Code, o.Info = e.Code, e.Info
	case e.Verdict == migrate.VerdictRetry, e.Verdict == migrate.VerdictSuspect:
		e.Uncertain, err = false, e
	default:
		return nil, e
	}
	return slices.Repeat([]migrate.Outcome{o}, missing), err
}
