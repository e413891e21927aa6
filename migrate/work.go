package migrate

import (
	"context"
	"errors"
	"slices"
	"time"
)

// work is the state of one roster in the run. It has one owner at a time: the dispatcher or, while
// a task for it is out, a worker.
type work struct {
	roster Roster
	index  int       // of the current chunk
	due    time.Time // when it may be sent again; only while it is parked
	epoch  int       // how many holds there had been when its attempts were counted; a later hold voids them
	refuse *Outcome  // set if the account does not exist: all open edges fail with this outcome
	slot   bool      // the current chunk is being halved and occupies one of the brake's slots

	// The brake counts a roster once for each of these: a chunk was halved to the end, a call
	// landed nothing, edges were settled.
	halvingCounted, refusalCounted, edgesCounted bool

	// The current chunk.
	chunk           *Chunk              // nil while it is not loaded
	parts           []EdgeSet           // while it is halved: the sets to send, last first
	halving         bool                // the service refused a call as a whole
	severalRefused  bool                // such calls had, together, more than one edge of the chunk
	sharedFields    fields              // the optional fields that all edges refused on their own have
	anyRefusedAlone bool                // an edge was refused on its own
	toFail          EdgeSet             // edges to settle as failed, without another call,
	failAs          func(i int) Outcome // and the outcomes to settle them with
	landed          bool                // the service accepted at least one edge
	unsure          EdgeSet             // edges of calls without an answer
	tries           []uint8             // attempts of each edge; nil before the first failed one
	first           time.Time           // start of the time after which giveUp may give up the edges
	unknown         int                 // answers with a code that no table has
	last            Outcome             // the service's latest code for a whole call
	lastOf          EdgeSet             // the edges of the call that last is about
	codes           []codeOf            // the service's latest answers about edges to send again
}

// codeOf is an outcome of edges that are to be sent again. A set is smaller than a map of the
// edges, and thousands of rosters may be parked.
type codeOf struct {
	outcome Outcome
	edges   EdgeSet
}

// ordinal returns the number of the current chunk in the plan.
func (w *work) ordinal() int64 { return w.roster.First + int64(w.index) }

// size returns the number of edges in the current chunk.
func (w *work) size() int { return w.roster.Size(w.index) }

// weight returns the memory in bytes that a task for w may take: its chunk and the call made of it.
func (w *work) weight() int64 { return 2 * w.roster.ChunkMemory }

// advance goes to the next chunk and reports whether there is one.
func (w *work) advance() bool {
	*w = work{roster: w.roster, index: w.index + 1, epoch: w.epoch, refuse: w.refuse,
		halvingCounted: w.halvingCounted, refusalCounted: w.refusalCounted, edgesCounted: w.edgesCounted}
	return w.index < w.roster.Chunks
}

// attempted counts an attempt for each of the edges. It returns the highest number of attempts that
// one of them has now. If this is the first attempt of them all, the time until they are given up
// begins: a call before may have been about other edges of the chunk.
func (w *work) attempted(edges EdgeSet, now time.Time) int {
	if w.tries == nil {
		w.tries = make([]uint8, w.size())
	}
	most := 0
	for _, i := range edges.Indexes() {
		if w.tries[i] < MostAttempts {
			w.tries[i]++
		}
		most = max(most, int(w.tries[i]))
	}
	if most == 1 {
		w.first = now
	}
	return most
}

func (w *work) attempts(i int) int {
	if w.tries == nil {
		return 0
	}
	return int(w.tries[i])
}

// code returns the service's latest answer about edge i. Its Code is 0 if the service never gave
// one.
func (w *work) code(i int) Outcome {
	for _, c := range w.codes {
		if c.edges.Has(i) {
			return c.outcome
		}
	}
	if w.lastOf.Has(i) {
		return w.last
	}
	return Outcome{}
}

// mostTexts is how many answers about the edges of a chunk are kept with texts of their own. Beyond
// it a text stands for all edges with its code, which bounds memory.
const mostTexts = 8

// said records the service's latest answer about edge i.
func (w *work) said(i int, o Outcome) {
	for k := range w.codes {
		w.codes[k].edges.Remove(i)
	}
	at := slices.IndexFunc(w.codes, func(c codeOf) bool {
		return c.outcome == o || c.outcome.Code == o.Code && len(w.codes) >= mostTexts
	})
	if at < 0 {
		at, w.codes = len(w.codes), append(w.codes, codeOf{})
	}
	w.codes[at].outcome = o
	w.codes[at].edges.Add(i)
}

// refusedAlone records the optional fields of an edge that was refused when it was sent alone.
func (w *work) refusedAlone(f fields) {
	if w.anyRefusedAlone {
		f = w.sharedFields.common(f)
	}
	w.sharedFields, w.anyRefusedAlone = f, true
}

// task is what a worker does next: at most one call.
type task struct {
	ctx        context.Context // ends when the call must not be sent any more
	work       *work           // nil: ask Options.AskService
	kind       taskKind
	edges      EdgeSet             // sendPart: the edges to send; failEdges: the edges to fail
	failAs     func(i int) Outcome // failEdges: the outcome of each edge
	duringHold bool                // the one call that goes out during a hold
}

type taskKind uint8

const (
	sendOpen  taskKind = iota // send what is open in the chunk, as much as fits into one call
	sendPart                  // the same, but only task.edges
	failEdges                 // no call: settle task.edges as failed
	askService
)

// result is what came of a task. Final outcomes in it are settled already.
type result struct {
	task          task
	unsent        bool     // the call did not leave
	sent          EdgeSet  // the edges of the call
	open          EdgeSet  // what is open in the chunk after the task
	err           error    // of the Caller (*CallError) or of AskService
	broken        error    // why the run cannot go on: Load or Settle failed, or a bug
	again         []notYet // edges that the service answered with "later", or not at all
	landedFields  fields   // optional fields of the edges that the service accepted
	refusedFields fields   // optional fields of a call that was refused for one of its edges
	refusedBytes  int      // JSON of such a call, if it had several edges
	failedByCode  byCode   // failed edges

	imported, already, alreadyUnsure, failed int64
	alreadyUnsent                            int64 // not in already: Outcome.Unsent
}

type notYet struct {
	index   int
	outcome Outcome
}

func (r *result) landed() int64 { return r.imported + r.already }

// worker carries out tasks. Nothing in it changes, so the goroutines that do a worker's work share
// one.
type worker struct {
	call    Caller
	journal Journal
	opt     Options
}

// perform carries out t. A panic ends the run, but neither the process nor the other workers, which
// have answers to settle.
func (x *worker) perform(t task) result {
	res := result{task: t}
	bug := Guard(func() error {
		switch t.kind {
		case askService:
			res.err = x.opt.AskService(t.ctx)
			res.unsent = res.err != nil && t.ctx.Err() != nil && !isCall(res.err)
		case failEdges:
			x.fail(&res)
		case sendOpen, sendPart:
			x.send(&res)
		}
		return nil
	})
	if bug != nil {
		res.broken = bug
	}
	return res
}

func isCall(err error) bool { return verdictOf(err) != 0 }

// verdictOf returns the verdict in an error of the Caller, or 0 if it holds none.
func verdictOf(err error) Verdict {
	var call *CallError
	if errors.As(err, &call) {
		return call.Verdict
	}
	return 0
}

// load reads the current chunk of w into memory unless it is there.
func (x *worker) load(w *work) error {
	if w.chunk != nil {
		return nil
	}
	c, err := w.roster.Load(w.index)
	if err != nil {
		return err
	}
	w.chunk = &c
	return nil
}

// open returns the edges that are open in the current chunk of w and that the run is about.
func (x *worker) open(w *work) (open EdgeSet, maybeSent bool) {
	open, maybeSent = x.journal.Unsettled(w.ordinal(), w.size())
	if w.roster.Only != nil {
		open = open.And(w.roster.Only(w.index))
	}
	return open, maybeSent
}

func (x *worker) send(res *result) {
	w := res.task.work
	open, maybeSent := x.open(w)
	res.open = open
	chosen := open
	if res.task.kind == sendPart {
		chosen = open.And(res.task.edges)
	}
	if chosen.Len() == 0 {
		res.unsent = true
		return
	}
	if res.broken = x.load(w); res.broken != nil {
		return
	}
	if res.broken = x.journal.Announce(w.ordinal()); res.broken != nil {
		return
	}
	indexes, edges := x.edgesOfCall(w.chunk, chosen)
	outcomes, err := x.call(res.task.ctx, w.roster.From, edges)
	if err != nil && !isCall(err) {
		res.unsent = true
		if res.task.ctx.Err() == nil {
			res.broken = err // neither an answer nor our own cancelling: a fault of the Caller
		}
		return
	}
	res.err = err
	for _, i := range indexes {
		res.sent.Add(i)
	}
	if err == nil || outcomes != nil && (verdictOf(err) == VerdictRetry || verdictOf(err) == VerdictSuspect) {
		x.settleAnswer(res, indexes, outcomes, maybeSent)
		res.unsent = res.alreadyUnsent == int64(len(edges))
	}
	if verdictOf(err) == VerdictHalve {
		for i := range edges {
			res.refusedFields.addOf(&edges[i])
			if len(edges) > 1 {
				res.refusedBytes += x.opt.EdgeBytes(&edges[i])
			}
		}
	}
}

// settleAnswer settles the edges that have a final outcome. Outcomes that are missing at the end
// count as Again.
func (x *worker) settleAnswer(res *result, indexes []int, outcomes []Outcome, maybeSent bool) {
	w := res.task.work
	s := Settlement{Chunk: *w.chunk, Settled: make([]Settled, 0, len(indexes))}
	for k, i := range indexes {
		var o Outcome
		if k < len(outcomes) {
			o = outcomes[k]
		}
		if o.Kind == Again {
			res.again = append(res.again, notYet{i, o})
			continue
		}
		if o.Kind == Already && !o.Unsent && (maybeSent || w.unsure.Has(i)) {
			o.Uncertain = true
		}
		s.Settled = append(s.Settled, Settled{Index: i, Outcome: o, Attempts: w.attempts(i) + 1})
	}
	x.settle(res, s)
}

// fail settles edges as failed, without a call, as the dispatcher decided.
func (x *worker) fail(res *result) {
	w := res.task.work
	res.open, _ = x.open(w)
	edges := res.open.And(res.task.edges)
	if edges.Len() == 0 {
		return
	}
	if res.broken = x.load(w); res.broken != nil {
		return
	}
	s := Settlement{Chunk: *w.chunk}
	for _, i := range edges.Indexes() {
		o := res.task.failAs(i)
		o.Kind, o.Uncertain = Failed, w.unsure.Has(i)
		s.Settled = append(s.Settled, Settled{Index: i, Outcome: o, Attempts: max(1, w.attempts(i))})
	}
	x.settle(res, s)
}

// settle records s in the journal and counts it once that is durable. It does so even if the task's
// context has ended.
func (x *worker) settle(res *result, s Settlement) {
	if len(s.Settled) == 0 {
		return
	}
	if res.broken = x.journal.Settle(context.WithoutCancel(res.task.ctx), s); res.broken != nil {
		return
	}
	for _, e := range s.Settled {
		res.open.Remove(e.Index)
		if e.Outcome.Kind == Failed {
			res.failed++
			res.failedByCode.add(e.Outcome, 1)
			continue
		}
		if e.Outcome.Unsent {
			res.alreadyUnsent++
			continue
		}
		res.landedFields.addOf(&s.Chunk.Edges[e.Index])
		if e.Outcome.Kind == Imported {
			res.imported++
		} else {
			res.already++
			if e.Outcome.Uncertain {
				res.alreadyUnsure++
			}
		}
	}
}
