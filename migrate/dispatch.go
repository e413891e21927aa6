package migrate

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"
)

// dispatcher makes every decision of a run. Only one goroutine uses it. A roster is in one of
// fresh, ready, parked and waiting, or with one worker, whose result hands it back. So calls that
// change one account never overlap.
type dispatcher struct {
	opt     Options
	pull    func() (Roster, error, bool) // the plan: stage.Rosters, or a part of it
	tasks   chan task
	results chan result

	ctx    context.Context // of the whole run
	cancel context.CancelFunc
	gate   context.Context // ends when a hold begins: context of the calls that wait to be sent
	shut   context.CancelFunc
	err    error // why the run is stopping, nil while it is not

	ready    []*work // may be sent now, last first
	parked   parked  // to be sent again when they are due
	waiting  []*work // to be halved when the brake has a free slot
	fresh    *work   // the next roster of the plan, if it has been read
	planDone bool    // the plan is at its end

	out      int   // tasks that workers have
	rosters  int   // taken from the plan and not finished
	inUse    int64 // memory that those tasks may take
	asking   bool  // a worker is asking Options.AskService
	begun    time.Time
	suspects int   // calls with VerdictSuspect before the first success
	success  bool  // something got through in this run
	answered bool  // a call was answered in this run, by the API or by something in front of it
	slots    int   // of the brake that are in use
	dropped  int64 // edges given up without any answer; they stay pending

	lastMiss     string // the error of the last call that did not get through
	lastMissCode int

	outage     outage
	checks     int64 // Options.AnsweredChecks at the last attempt that did not get through
	brake      brake
	retryShare retryShare
	rand       *rand.Rand
}

// backlog is how many rosters may be parked before retries go first, even if they seem hopeless. It
// bounds memory: a parked roster takes up to 3 KB, a byte and some bits for each of 1000 edges.
const backlog = 20_000

// loop runs until the plan is done or the run is stopped, and the results of all tasks are in.
func (d *dispatcher) loop() error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		now := d.opt.Clock()
		d.checkTime(now)
		tasks := d.tasks
		t, ok := d.next(now)
		if !ok {
			tasks = nil
		}
		if d.err != nil && tasks == nil && d.out == 0 {
			return d.err
		}
		if d.err == nil && tasks == nil && d.out == 0 && d.rosters == 0 && d.planDone {
			return d.finish()
		}
		if !ok && d.stuck(now) {
			panic("nothing is sent, although accounts are waiting")
		}
		timer.Reset(d.untilNext(now))
		select {
		case tasks <- t:
			d.taskTaken(t)
			continue
		case res := <-d.results:
			d.handleResult(res, d.opt.Clock())
		case <-timer.C:
		case <-d.ctx.Done():
			d.interrupted()
		}
		d.putBack(tasks, t)
	}
}

// stuck reports whether nothing will ever happen again although the run is not done: a bug, which
// would otherwise look like a slow run.
func (d *dispatcher) stuck(now time.Time) bool {
	due, waits := d.parked.next()
	return d.err == nil && d.out == 0 && !d.outage.holding && len(d.ready) == 0 && (!waits || !due.After(now))
}

// drain waits for the tasks that are still out after loop panicked, and counts what came of them:
// their workers settle what was sent. After any other end no task is out.
func (d *dispatcher) drain() {
	d.cancel()
	for ; d.out > 0; d.out-- {
		res := <-d.results
		_ = Guard(func() error { d.count(&res); return nil }) // the bug is perhaps in count
	}
}

// putBack puts the roster of t back into ready if t was offered but no worker has taken it.
func (d *dispatcher) putBack(tasks chan task, t task) {
	if tasks != nil && t.work != nil {
		d.ready = append(d.ready, t.work)
	}
}

// finish returns the error of a run that has gone through its whole plan.
func (d *dispatcher) finish() error {
	if d.dropped > 0 {
		return &StopError{Reason: ReasonUnanswered, Info: "some calls never got an answer, their edges stay pending"}
	}
	return nil
}

// next returns the next task and takes its roster out of ready; putBack undoes that.
func (d *dispatcher) next(now time.Time) (task, bool) {
	if d.err != nil {
		return d.nextFailure()
	}
	if d.outage.holding {
		return d.nextProbe(now)
	}
	if suspected, certain := d.outage.suspected(now); suspected && !certain && d.canAsk() {
		if d.asking {
			return task{}, false
		}
		return task{ctx: d.gate, kind: askService}, true
	}
	w := d.choose(now)
	if w == nil {
		return task{}, false
	}
	if d.out > 0 && d.opt.Memory > 0 && d.inUse+w.weight() > d.opt.Memory {
		d.ready = append(d.ready, w)
		return task{}, false
	}
	return d.taskFor(d.gate, w), d.err == nil
}

// nextFailure returns the next task of a run that is stopping: to settle edges that the service
// refused in one of the last answers.
func (d *dispatcher) nextFailure() (task, bool) {
	if _, resumable := d.err.(*StopError); !resumable {
		return task{}, false
	}
	for n := len(d.ready) - 1; n >= 0; n-- {
		w := d.ready[n]
		if w.toFail.Len() > 0 || w.refuse != nil && w.chunk != nil {
			d.ready = slices.Delete(d.ready, n, n+1)
			return d.taskFor(d.ctx, w), true
		}
	}
	return task{}, false
}

// canAsk reports whether too few accounts are left to tell an outage from a bad account, and
// Options.AskService can be asked instead.
func (d *dispatcher) canAsk() bool {
	return d.opt.AskService != nil && d.planDone && d.rosters < outageAccounts
}

// nextProbe returns the one call that is sent during a hold. It is usually for another account
// than the one before, since the parked rosters yield the one that is due first.
func (d *dispatcher) nextProbe(now time.Time) (task, bool) {
	if d.outage.probing || now.Before(d.outage.probeAt) {
		return task{}, false
	}
	if d.canAsk() {
		return task{ctx: d.gate, kind: askService, duringHold: true}, true
	}
	var w *work
	if len(d.parked) > 0 {
		w = d.parked.take(d.parked[0].due)
	} else {
		w = d.choose(now)
	}
	if w == nil {
		return task{}, false
	}
	t := d.taskFor(d.gate, w)
	t.duringHold = true
	return t, true
}

// choose returns the roster to go on with: one that was begun, then one whose pause is over, then a
// new one. Retries that mostly fail come last. It returns nil if none may be sent now.
func (d *dispatcher) choose(now time.Time) *work {
	if n := len(d.ready); n > 0 {
		w := d.ready[n-1]
		d.ready[n-1] = nil
		d.ready = d.ready[:n-1]
		return w
	}
	fresh := func() bool { return len(d.parked) <= backlog && len(d.waiting) <= d.opt.Workers && d.readFresh() }
	if due, ok := d.parked.next(); ok && !due.After(now) && (d.retryShare.allowed() || !fresh()) {
		return d.parked.take(now)
	}
	if fresh() {
		w := d.fresh
		d.fresh = nil
		return w
	}
	return nil
}

// readFresh reads the next roster of the plan unless one is there, and reports whether there is
// one.
func (d *dispatcher) readFresh() bool {
	if d.fresh != nil || d.planDone || d.err != nil {
		return d.fresh != nil
	}
	r, err, ok := d.pull()
	switch {
	case !ok:
		d.planDone = true
	case err != nil:
		d.stop(err)
	default:
		d.rosters++
		d.fresh = &work{roster: r, epoch: d.outage.epoch}
	}
	return d.fresh != nil
}

func (d *dispatcher) taskFor(ctx context.Context, w *work) task {
	switch {
	case w.toFail.Len() > 0:
		return task{ctx: ctx, work: w, kind: failEdges, edges: w.toFail, failAs: w.failAs}
	case w.refuse != nil:
		refusal := *w.refuse
		return task{ctx: ctx, work: w, kind: failEdges, edges: FullSet(w.size()),
			failAs: func(int) Outcome { return refusal }}
	case len(w.parts) > 0:
		return task{ctx: ctx, work: w, kind: sendPart, edges: w.parts[len(w.parts)-1]}
	}
	return task{ctx: ctx, work: w, kind: sendOpen}
}

// taskTaken records that a worker has taken t.
func (d *dispatcher) taskTaken(t task) {
	d.out++
	if t.duringHold {
		d.outage.probing = true
	}
	if t.work == nil {
		d.asking = true
		return
	}
	d.inUse += t.work.weight()
	d.retryShare.taskTaken(t.work.tries != nil)
	d.show()
}

// untilNext returns how long nothing will change unless a result comes.
func (d *dispatcher) untilNext(now time.Time) time.Duration {
	wake := now.Add(time.Minute)
	earlier := func(t time.Time, ok bool) {
		if ok && t.After(now) && t.Before(wake) {
			wake = t
		}
	}
	if d.err == nil {
		due, ok := d.parked.next()
		earlier(due, ok && !d.outage.holding)
		earlier(d.outage.probeAt, d.outage.holding && !d.outage.probing)
		earlier(d.outage.firstMissed.Add(outageSilence), d.outage.missed > 0 && !d.outage.holding)
		earlier(d.outage.deadline(d.patience()))
		earlier(now.Add(d.opt.MaxDuration-time.Since(d.begun)), d.opt.MaxDuration > 0)
	}
	return max(wake.Sub(now), time.Millisecond)
}

// checkTime makes the decisions that depend on the clock alone.
func (d *dispatcher) checkTime(now time.Time) {
	if d.err != nil {
		return
	}
	if d.opt.MaxDuration > 0 && time.Since(d.begun) >= d.opt.MaxDuration {
		d.stop(&StopError{Reason: ReasonDuration, Info: "--max-duration " + d.opt.MaxDuration.String() + " is over"})
		return
	}
	if _, certain := d.outage.suspected(now); certain {
		d.beginHold(now)
	}
	if at, ok := d.outage.deadline(d.patience()); ok && !now.Before(at) {
		lately := d.patience().String() + ": " + d.lastMiss
		stop := &StopError{Reason: ReasonOutage, Code: d.lastMissCode, Info: "nothing got through for " + lately}
		switch {
		case d.outage.missed == 0:
			stop.Reason, stop.Info = ReasonThrottled, "every call was refused as too frequent for "+lately
			stop.Hint = "somebody else uses the app's rate, or --rate is above its limit"
		case !d.answered:
			stop.Reason, stop.Info = ReasonSilent, "no answer within "+lately
		}
		d.stop(stop)
	}
}

// firstAnswer is how long a run holds if it never had an answer: its endpoint is probably wrong.
const firstAnswer = 30 * time.Second

// patience returns how long to hold while nothing gets through.
func (d *dispatcher) patience() time.Duration {
	if d.answered {
		return d.opt.OutageTimeout
	}
	return min(firstAnswer, d.opt.OutageTimeout)
}

func (d *dispatcher) beginHold(now time.Time) {
	d.outage.hold(now)
	d.shut()
	d.gate, d.shut = context.WithCancel(d.ctx)
	d.event("hold", d.lastMissCode, d.lastMiss, 0)
	d.opt.Meter.update(func(s *Snapshot) {
		s.Holding, s.HoldSince, s.HoldReason = true, time.Now(), d.lastMiss
		s.Holds++
	})
}

// stop begins the end of the run: no more calls are started, and calls that have not left yet do
// not leave. The run waits for the calls that were sent and settles their answers.
func (d *dispatcher) stop(err error) {
	if d.err == nil || severity(err) > severity(d.err) {
		d.err = err
	}
	d.opt.Meter.update(func(s *Snapshot) { s.Stopping = true })
	d.cancel()
}

// interrupted stops the run because the context of Run ended. It is also called when the dispatcher
// itself has cancelled; then the run has its reason already.
func (d *dispatcher) interrupted() {
	if d.err == nil {
		d.stop(&StopError{Reason: ReasonSignal, Info: "interrupted"})
	}
	d.ctx = context.WithoutCancel(d.ctx) // only the tasks that are out are waited for now
}

// severity orders reasons to stop as their exit codes are ordered, from the gravest: 1, 12, 6, 4.
func severity(err error) int {
	stop, ok := err.(*StopError)
	switch {
	case !ok:
		return 4
	case stop.Reason == ReasonRefused:
		return 3
	case stop.Reason == ReasonSystematic || stop.Reason == ReasonThreshold:
		return 2
	}
	return 1
}

func (d *dispatcher) event(name string, code int, text string, n int) {
	if d.opt.Event != nil {
		d.opt.Event(Event{Name: name, Code: code, Text: text, N: n})
	}
}

func (d *dispatcher) show() {
	probe := time.Now().Add(d.outage.probeAt.Sub(d.opt.Clock())) // a pause has set Clock back
	d.opt.Meter.update(func(s *Snapshot) {
		s.Working, s.Parked, s.Halving, s.NextProbe = d.out, len(d.parked)+len(d.waiting), len(d.waiting), probe
	})
}
