package migrate

import (
	"errors"
	"slices"
	"time"
)

// handleResult decides what becomes of the roster of a worker's result.
func (d *dispatcher) handleResult(res result, now time.Time) {
	d.out--
	w := res.task.work
	if w != nil {
		d.inUse -= w.weight()
	}
	d.count(&res)
	if res.task.duringHold && (res.unsent || res.task.kind == failEdges) {
		d.outage.probing = false // no call was made
	}
	switch {
	case res.broken != nil:
		d.stop(res.broken)
	case w == nil:
		d.serviceAnswered(res, now)
	case res.unsent && res.task.ctx.Err() != nil: // cancelled
		w.chunk = nil
		d.ready = append(d.ready, w)
	case res.task.kind == failEdges:
		w.toFail = EdgeSet{}
		d.goOn(w, res.open)
	case res.unsent: // none of it is open any more
		d.goOn(w, res.open)
	default:
		d.decide(w, &res, now)
	}
	if stop := d.brake.verdict(); stop != nil {
		d.stop(stop)
	}
	d.admit()
	d.show()
}

// count adds a result to the sums of the run.
func (d *dispatcher) count(res *result) {
	call, _ := errors.AsType[*CallError](res.err)
	if w := res.task.work; w != nil && res.landed()+res.failed > 0 {
		d.brake.countSettled(res.landed(), res.failed, !w.edgesCounted)
		w.edgesCounted = true
	}
	for code, r := range res.failedByCode {
		d.brake.failures.add(Outcome{Code: code, Info: r.info}, r.n)
	}
	d.brake.evidence.land(res.landedFields)
	d.opt.Meter.update(func(s *Snapshot) {
		s.Imported += res.imported
		s.Already += res.already + res.alreadyUnsent
		s.AlreadyUncertain += res.alreadyUnsure
		s.Failed += res.failed
		if res.unsent || res.task.work == nil || res.task.kind == failEdges {
			return
		}
		s.Calls++
		if res.task.work.tries != nil {
			s.Retried++
		}
		unsure := func(a notYet) bool { return a.outcome.Uncertain }
		if call != nil && call.Uncertain || slices.ContainsFunc(res.again, unsure) || isBug(res.broken) {
			s.Uncertain++
		}
		if call != nil && call.Verdict == VerdictThrottle {
			s.Throttled++
		}
	})
}

// isBug reports whether a bug of ours ended the call: it may have been sent.
func isBug(err error) bool {
	_, bug := errors.AsType[*Bug](err)
	return bug
}

func (d *dispatcher) serviceAnswered(res result, now time.Time) {
	d.asking = false
	call, _ := errors.AsType[*CallError](res.err)
	d.answered = d.answered || !res.unsent && (res.err == nil || call != nil && reached(call))
	switch {
	case res.unsent:
	case res.err == nil:
		d.gotThrough(now)
	case call != nil && call.Verdict == VerdictFatal:
		d.stopRefused(call)
	case d.outage.holding:
		d.outage.probed(now, answeredByAPI(call))
	default:
		d.beginHold(now)
	}
}

// decide makes the decisions that follow from the answer to a call.
func (d *dispatcher) decide(w *work, res *result, now time.Time) {
	call, _ := errors.AsType[*CallError](res.err)
	d.answered = d.answered || reached(call)
	verdict := VerdictRetry
	if call != nil {
		verdict = call.Verdict
		if verdict == VerdictSuspect && (d.success || res.landed() > 0) {
			if verdict = VerdictRetry; call.Answered {
				verdict = VerdictRefuseChunk
			}
		}
	}
	if res.landed() > 0 {
		w.landed = true
		if d.brake.endedChunks >= halvedChunks { // the first of them keep their slots, see halve.go
			d.release(w)
		}
	}
	through := getsThrough(res, verdict)
	d.retryShare.observe(w.tries != nil, through)
	switch {
	case through:
		d.success = true
		d.gotThrough(now)
		d.tellBrake(w, res, call)
	case verdict == VerdictThrottle:
		d.outage.startTimer(now)
		d.lastMiss, d.lastMissCode = call.Error(), call.Code
		if res.task.duringHold {
			d.outage.probed(now, answeredByAPI(call))
		}
	case verdict != VerdictFatal:
		d.missed(w, res, call, now)
	}
	left := res.sent.And(res.open)
	switch verdict {
	case VerdictFatal:
		d.stopRefused(call)
	case VerdictThrottle:
		d.parked.park(w, now.Add(max(call.Pause, time.Duration(d.rand.Float64()*float64(time.Second)))))
	case VerdictSuspect:
		if d.suspects++; d.suspects >= call.Limit {
			d.stopRefused(call)
			return
		}
		d.parked.park(w, now.Add(d.opt.Retry.Backoff(1, d.rand.Float64())))
	case VerdictHalve:
		d.halve(w, left, call, res, now)
	case VerdictRefuseChunk, VerdictRefuseAccount:
		d.refuse(w, left, call, now)
	default:
		d.afterCall(w, res, call, left, now)
	}
}

// tellBrake tells the brake about a call on whose edges the service decided.
func (d *dispatcher) tellBrake(w *work, res *result, call *CallError) {
	if res.task.kind == sendPart {
		d.brake.extra++
	}
	if res.landed() > 0 {
		return
	}
	why, _, _ := res.failedByCode.most()
	if call != nil && res.failed == 0 {
		why = refusal(call)
	}
	d.brake.countRefused(why, !w.refusalCounted)
	w.refusalCounted = true
}

// reached reports whether a call reached the service: the API answered it, or something in front of
// it with an HTTP status.
func reached(call *CallError) bool { return call == nil || call.Code != 0 }

// stopRefused stops the run because the service refused its credentials, admin right, app, quota or
// region.
func (d *dispatcher) stopRefused(call *CallError) {
	d.stop(&StopError{Reason: ReasonRefused, Code: call.Code, Info: call.Error(), Hint: call.Hint})
}

// gotThrough records that a call got through, and ends a hold if there is one.
func (d *dispatcher) gotThrough(now time.Time) {
	if !d.outage.through(now) {
		return
	}
	d.event("hold-end", 0, "", 0)
	d.opt.Meter.update(func(s *Snapshot) { s.Holding, s.HoldReason = false, "" })
}

// missed records a call that did not get through.
func (d *dispatcher) missed(w *work, res *result, call *CallError, now time.Time) {
	took := time.Duration(0)
	if call != nil {
		d.lastMiss, d.lastMissCode, took = call.Error(), call.Code, call.Took
	} else if len(res.again) > 0 {
		d.lastMiss, d.lastMissCode = res.again[0].outcome.Info, res.again[0].outcome.Code
	}
	before := d.checks
	if d.opt.AnsweredChecks != nil {
		d.checks = d.opt.AnsweredChecks()
	}
	d.outage.miss(now, took, w.roster.From, answeredByAPI(call), d.checks > before)
	if res.task.duringHold {
		d.outage.probed(now, answeredByAPI(call))
	}
}

// answeredByAPI reports whether the API itself answered a call that did not get through. A call
// without an error was answered: its items said "later".
func answeredByAPI(call *CallError) bool { return call == nil || call.Answered }

// afterCall handles the edges that a call left open. It parks them, or gives them up if their
// attempts are used up while other accounts get through. If no edge is left open, the roster goes
// on.
func (d *dispatcher) afterCall(w *work, res *result, call *CallError, left EdgeSet, now time.Time) {
	d.remember(w, res, call, left)
	if left.Len() == 0 {
		d.goOn(w, res.open)
		return
	}
	if d.outage.holding {
		d.parked.park(w, now.Add(d.outage.pause)) // during a hold this counts as no attempt
		return
	}
	attempts := w.attempted(left, now)
	others := d.outage.lastThrough.After(w.first)
	if call != nil && call.Verdict == VerdictUnknown {
		if w.unknown++; min(w.unknown, attempts) >= unknownAttempts && others {
			d.fail(w, left, func(int) Outcome { return refusal(call) })
			return
		}
	}
	if others && d.giveUp(w, left, now) {
		return
	}
	code := 0
	if call != nil {
		code = call.Code
	}
	d.event("retry", code, d.lastMiss, left.Len())
	if d.planDone {
		attempts = max(1, attempts-shortRetries)
	}
	d.parked.park(w, now.Add(d.opt.Retry.Backoff(attempts, d.rand.Float64())))
}

// remember records what the answer says about edges that stay open.
func (d *dispatcher) remember(w *work, res *result, call *CallError, left EdgeSet) {
	if w.epoch != d.outage.epoch {
		w.tries, w.epoch = nil, d.outage.epoch // attempts counted during an outage are void
	}
	for _, a := range res.again {
		if a.outcome.Uncertain {
			w.unsure.Add(a.index)
		}
		if a.outcome.Code != 0 {
			w.said(a.index, a.outcome)
		}
	}
	if call == nil {
		return
	}
	if call.Uncertain {
		w.unsure = w.unsure.Or(left)
	}
	if call.Answered {
		w.last, w.lastOf, w.codes = refusal(call), left, nil
	}
}

// refuse fails the edges of a call that was refused as a whole, or all of the account if it does
// not exist.
func (d *dispatcher) refuse(w *work, left EdgeSet, call *CallError, now time.Time) {
	if w.tries != nil { // else the call is the first attempt, which counts anyway
		w.attempted(left, now)
	}
	o := refusal(call)
	if call.Verdict != VerdictRefuseAccount {
		d.fail(w, left, func(int) Outcome { return o })
		return
	}
	w.refuse = &o
	d.event("account-refused", call.Code, call.Info, 0)
	d.ready = append(d.ready, w)
}

// giveUp gives up edges whose attempts are used up. Edges with a code of the service fail with the
// latest one. If no edge has one, they stay pending and w is dropped.
func (d *dispatcher) giveUp(w *work, left EdgeSet, now time.Time) bool {
	var spent, silent EdgeSet
	for _, i := range left.Indexes() {
		if !d.opt.Retry.Exhausted(w.attempts(i), now.Sub(w.first)) {
			continue
		}
		if w.code(i).Code == 0 {
			silent.Add(i)
		} else {
			spent.Add(i)
		}
	}
	switch {
	case spent.Len() > 0:
		d.event("give-up", w.code(spent.Indexes()[0]).Code, d.lastMiss, spent.Len())
		d.fail(w, spent, w.code)
		return true
	case silent.Len() > 0:
		d.event("give-up", 0, d.lastMiss, silent.Len())
		d.dropped += int64(silent.Len())
		d.done(w)
		return true
	}
	return false
}

// fail makes a worker settle edges of w as failed.
func (d *dispatcher) fail(w *work, edges EdgeSet, as func(int) Outcome) {
	w.toFail, w.failAs = edges, as
	d.ready = append(d.ready, w)
}

// goOn continues w with the rest of its part, with the open edges of its chunk or with its next
// chunk. If nothing is left, w is done.
func (d *dispatcher) goOn(w *work, open EdgeSet) {
	for n := len(w.parts); n > 0; n = len(w.parts) {
		if left := w.parts[n-1].And(open); left.Len() > 0 {
			break
		}
		w.parts = w.parts[:n-1]
	}
	if len(w.parts) == 0 {
		d.endHalving(w, open)
	}
	if open.Len() > 0 || w.advance() {
		d.ready = append(d.ready, w)
		return
	}
	d.opt.Meter.update(func(s *Snapshot) { s.Rosters++ })
	d.done(w)
}

func (d *dispatcher) done(w *work) {
	d.release(w)
	d.rosters--
}

// refusal returns the outcome of edges that were refused together with the whole call.
func refusal(call *CallError) Outcome { return Outcome{Kind: Failed, Code: call.Code, Info: call.Info} }
