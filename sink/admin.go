package sink

import (
	"context"
	"errors"
	"sync/atomic"

	"friendmigrate/migrate"
)

// noSuchAccount is the code for an account that the account system does not know: either the
// identifier, which ends the job, or the From_Account, which fails alone. The text does not say
// which; a call for the identifier itself does.
const noSuchAccount = 70107

// blame70107 finds out whether a 70107 is about the admin or about the From_Account, by a call for the
// admin itself. Only a check that began after the answer counts, because the admin may be removed at
// any time. call fails the account only after a second 70107 and a second good check, because the
// admin may have been gone for a moment. If a check gets no answer, nothing is settled and the call
// is made again later.
func (c *Client) blame70107(ctx context.Context, e *migrate.CallError) *migrate.CallError {
	err := c.admin.after(ctx, c.Probe)
	probed, _ := errors.AsType[*migrate.CallError](err)
	e.Hint = ""
	switch {
	case err == nil:
		e.Verdict = migrate.VerdictRefuseAccount
	case probed != nil && probed.Verdict == migrate.VerdictFatal:
		shared := *probed
		return &shared
	case probed != nil && probed.Verdict == migrate.VerdictThrottle:
		e.Verdict, e.Pause, e.Answered = migrate.VerdictThrottle, probed.Pause, false
	default:
		e.Verdict, e.Answered = migrate.VerdictRetry, false
	}
	return e
}

// adminCheck lets calls that wait for a check of the admin share one.
type adminCheck struct {
	turn  chan struct{} // of size 1, full while a check is under way
	begun atomic.Int64  // checks so far
	last  error         // result of the last check, for whoever has the turn
}

// after returns the result of a check that begins after this call of after.
func (a *adminCheck) after(ctx context.Context, check func(context.Context) error) error {
	before := a.begun.Load()
	select {
	case a.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-a.turn }()
	if a.begun.Load() == before {
		a.begun.Add(1)
		a.last = check(ctx)
	}
	return a.last
}
