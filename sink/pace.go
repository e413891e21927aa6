package sink

import (
	"math"
	"slices"
	"time"
)

// pace decides how many calls may leave in a second. It is policy only: it is told when calls left and how they were answered, and says what is allowed; it never
// sleeps and has no clock. Its owner holds a lock around it.
//
// The service counts calls in a sliding second, and so does pace: what it learns is not a speed but how many calls were in the second up to one that was taken or
// refused. It holds one number, base: so many calls a second are fine, as far as is known. No second, counted backwards over what has left already, may have
// more; so after base was lowered a pause follows by itself in which the service's own count sinks, also if it counts what it refuses.
//
// Down. One refused call lowers base by a little (a nick): it may only have overtaken others on the way. If among the calls that left since then a quarter is refused
// as well, the limit has dropped, and base is cut to three quarters. Calls that left before a cut say nothing new about what came after.
//
// Up. Below the maximum, base is tried out from time to time: calls leave closer together for a moment, until target calls are in the last second, and then none
// until the second is back to base. If all were taken, base rises to just under target, and the next target is further off. If not, the refused
// calls tell the ceiling exactly, and base goes to just under that (keep). The next target is the call after that ceiling, and then others close to it: on a jittery way
// a ceiling is often a little too low. A try costs few refused calls, whatever the latency and the service's way of counting; a raised
// pace that runs into the limit would cost a round trip's worth of them.
//
// Refused calls are a debt. It is paid off by half a percent of the calls that leave, and no try is made before that, unless it would take too long.
type pace struct {
	rate  float64 // the limit as it was promised; no second ever has more
	max   float64 // what base can be at most: a little under rate
	floor float64 // what base can be at least

	base   float64   // calls in a second that are fine, as far as is known
	keep   float64   // share of a ceiling that is safe on this way: less where calls overtake each other
	cutAt  time.Time // refused calls that left until then are accounted for
	nicked time.Time
	round  round
	debt   float64 // refused calls that are not paid off
	nickAt float64 // debt at which base is nicked

	try     try
	tries   int       // number of the last try
	failed  int       // number of the last try that was refused
	nextTry time.Time // not before
	lastTry time.Time // not later, debt or not
	growth  float64   // how much further the next target is off
	ceiling int       // calls in a second that were possible when the next one was refused; 0: not known
}

// round is what became of the calls that left since one was refused that we thought was fine: it tells a limit that dropped from a neighbour that
// overtook on the way.
type round struct {
	open           bool
	from           time.Time // the refused call left
	before         float64   // base then
	taken, refused int
}

// try is one attempt to find out whether more is possible.
type try struct {
	number  int // 0: none under way
	target  int // calls in a second
	filling bool
	until   time.Time // filling ends then, reached or not
	last    time.Time // its last call left

	calls   int
	open    int // those without an answer
	reached int // most calls in a second
	refused int
	answers []tried
}

// tried is how a call of a try was answered, and how many calls were in its second.
type tried struct {
	inWindow int
	refused  bool
}

// ceiling is the number of calls in a second above which calls were refused; ok is false if there is none: a refused call above which others were taken had
// another reason than their number. A service that does not count refused calls takes some above its limit as well, so a refused call weighs more.
func (t *try) ceiling() (most int, ok bool) {
	const weight = 2
	slices.SortFunc(t.answers, func(a, b tried) int { return a.inWindow - b.inWindow })
	odds := 0 // against a ceiling behind the answers so far: at first below all of them, where every refused call is as it should be, and no taken one
	for _, a := range t.answers {
		if !a.refused {
			odds++
		}
	}
	best := odds
	if len(t.answers) > 0 {
		most, ok = t.answers[0].inWindow-1, true
	}
	for i, a := range t.answers {
		if a.refused {
			odds += weight
		} else {
			odds--
		}
		if odds <= best {
			best, most, ok = odds, a.inWindow, i < len(t.answers)-1
		}
	}
	return most, ok
}

// permit is a call that left.
type permit struct {
	at       time.Time
	inWindow int // calls that left in the second up to it, with it
	try      int // number of the try it belongs to, or 0
}

// response is what an answer tells about the pace.
type response uint8

const (
	silent  response = iota // nothing: no answer, or not the API's
	taken                   // the service dealt with the call, well or badly
	refused                 // too fast
)

// The policy in numbers. They were chosen by running it in virtual time against services that do and do not count refused calls, at latencies from 2 to 300 ms, with
// and without jitter: see the tests, which print what it reaches.
const (
	underRate  = 0.99  // of the limit: at the limit itself jitter on the way costs 0.5 % refused calls
	lowestBase = 0.5   // calls a second
	windowOver = 1.005 // of base: what a second may hold, since the grain of the timer would cost speed otherwise

	cutTo      = 0.75 // of base
	cutShare   = 0.25 // of the calls of a round, refused
	cutCalls   = 3    // refused at least
	roundCalls = 50   // answers in which to find that
	nickTo     = 0.98
	nickMost   = 0.9   // of base: what one call says when hardly any were in its second
	nickEvery  = 5     // refused calls
	closer     = 1.03  // times base: how close together calls leave
	coarse     = 20    // calls a second, below which a whole number of calls is too coarse to be all that holds them apart
	strays     = 2     // refused calls within some hundred that lower base from its maximum
	tolerated  = 0.005 // refused calls, as a share of all

	mostKeep    = 0.96
	leastKeep   = 0.92
	loseKeep    = 0.01  // by a nick
	regainKeep  = 0.005 // by a try that was refused where it was expected, a while after the last nick
	firstGrowth = 1.06
	nextGrowth  = 1.01 // the same where a ceiling is known: as a rule it is still there, and what is over it is refused
	mostGrowth  = 2.0
	fillAt      = 2 // times max: how much closer together calls leave to fill a second

	afterCut    = 500 * time.Millisecond // until the first try
	afterTaken  = 100 * time.Millisecond // until the next try
	afterShort  = time.Second            // too few calls wanted to leave for a try
	leastWait   = 3 * time.Second        // after a refused try or a nick
	mostWait    = 16 * time.Second       // debt or not
	leastWaitUp = 10 * time.Second       // the same, when there is less than a tenth to gain
	mostWaitUp  = time.Minute
	afterNick   = 10 * time.Second // until keep may recover
	shyFor      = 30 * time.Second // after a cut, until base may be the maximum again
	tryFor      = time.Second
	tryAnswers  = 5 * time.Second // a try's calls that are not answered by then are ignored
	tryStalls   = time.Second     // the same for the last tenth of them
)

func newPace(rate float64) pace {
	p := pace{rate: rate, max: rate * underRate, growth: firstGrowth, keep: mostKeep, nickAt: 1}
	p.floor = math.Min(lowestBase, p.max)
	p.base = p.max
	return p
}

// allow says how many calls a second may leave at now, and how many may be in the second up to a call, with it.
func (p *pace) allow(now time.Time) (perSecond float64, window int) {
	p.step(now)
	if p.try.filling {
		return fillAt * p.max, p.try.target
	}
	return p.base, p.window()
}

// window is how many calls one second may hold.
func (p *pace) window() int { return max(1, min(int(math.Ceil(p.base*windowOver)), int(p.rate))) }

// full reports whether nothing holds the pace back.
func (p *pace) full() bool { return p.base >= p.max }

// depart notes that a call leaves, as the inWindow-th of the last second.
func (p *pace) depart(now time.Time, inWindow int) permit {
	c := permit{at: now, inWindow: inWindow}
	if p.debt > 0 {
		p.owe(-tolerated)
	}
	if t := &p.try; t.filling {
		c.try = t.number
		t.calls++
		t.open++
		t.last = now
		t.reached = max(t.reached, inWindow)
		t.filling = inWindow < t.target
	}
	return c
}

// owe adds refused calls to the debt, or takes off what was made up for.
func (p *pace) owe(calls float64) {
	p.debt += calls
	if p.debt <= 0 {
		p.debt, p.nickAt = 0, 1
	}
}

// answer notes how a call was answered.
func (p *pace) answer(now time.Time, c permit, r response) {
	ofTry := c.try != 0 && c.try == p.try.number
	if ofTry {
		p.try.open--
		if r != silent {
			p.try.answers = append(p.try.answers, tried{c.inWindow, r == refused})
		}
	}
	switch {
	case r == refused && (ofTry || p.fallout(c)):
		p.owe(1)
		p.nickAt++
		if ofTry {
			p.try.refused++
			p.try.filling = false
		}
	case r == refused && c.at.After(p.cutAt):
		p.refuse(now, c)
	case r == taken && p.round.has(c):
		p.round.taken++
	}
	if p.round.taken+p.round.refused >= roundCalls {
		p.round = round{}
	}
	p.step(now)
}

// has reports whether c left in this round.
func (r *round) has(c permit) bool { return r.open && !c.at.Before(r.from) }

// fallout reports whether a refused call may owe that to a try that was just refused: on a jittery way its neighbours are hit as well.
func (p *pace) fallout(c permit) bool {
	t := &p.try
	return t.refused > 0 && c.at.Before(t.last.Add(time.Second)) || c.try != 0 && c.try == p.failed
}

// refuse is the answer to a refused call that we thought was fine.
func (p *pace) refuse(now time.Time, c permit) {
	if !p.round.open {
		p.round = round{open: true, from: c.at, before: math.Min(p.base, float64(c.inWindow))}
	}
	p.round.refused++
	p.owe(1)
	p.try, p.growth = try{}, firstGrowth
	n := p.round.refused
	switch {
	case n >= cutCalls && float64(n) >= cutShare*float64(n+p.round.taken):
		p.cut(now)
	case p.full() && p.debt < strays: // jitter on the way, at a pace that the service has promised
	case p.debt >= p.nickAt:
		p.nick(now, c)
	}
}

// cut lowers base by a lot. What was over the limit already is no debt: the first try may come soon, since base may now be far too low.
func (p *pace) cut(now time.Time) {
	p.lower(cutTo * p.round.before)
	p.cutAt, p.round = now, round{}
	p.debt, p.nickAt = 0, 1
	p.ceiling = 0
	p.waitTry(now, afterCut)
}

// nick lowers base by a little.
func (p *pace) nick(now time.Time, c permit) {
	p.lower(math.Max(nickTo*math.Min(p.base, float64(c.inWindow)), nickMost*p.base))
	p.nickAt = p.debt + nickEvery
	p.keep, p.nicked = math.Max(leastKeep, p.keep-loseKeep), now
	p.ceiling, p.growth = c.inWindow-1, nextGrowth
	least := leastWait
	if p.nearMax() {
		least = leastWaitUp
	}
	p.nextTry = now.Add(least)
	if p.lastTry.Before(now) { // else many nicks would put off the next try for ever
		p.waitTry(now, least)
	}
}

// nearMax reports whether there is less than a tenth to gain.
func (p *pace) nearMax() bool { return p.base > 0.9*p.max }

// lower never raises.
func (p *pace) lower(base float64) { p.base = math.Max(p.floor, math.Min(p.base, base)) }

// waitTry puts off the next try.
func (p *pace) waitTry(now time.Time, least time.Duration) {
	most := mostWait
	if p.nearMax() {
		most = mostWaitUp
	}
	p.nextTry, p.lastTry = now.Add(least), now.Add(most)
}

// step ends a try that is over and begins one that is due.
func (p *pace) step(now time.Time) {
	t := &p.try
	if t.filling && now.After(t.until) {
		t.filling = false
	}
	switch {
	case t.number != 0 && !t.filling && t.answered(now):
		p.judge(now)
	case t.number != 0 || p.full() || now.Before(p.nextTry):
	case p.debt <= 0 || now.After(p.lastTry):
		p.begin(now)
	}
}

// answered reports whether enough is known of a try: a call that stalls must not hold it up.
func (t *try) answered(now time.Time) bool {
	return t.open <= 0 || t.open <= t.calls/10 && now.After(t.last.Add(tryStalls)) || now.After(t.until.Add(tryAnswers))
}

// begin starts a try.
func (p *pace) begin(now time.Time) {
	target := int(math.Ceil(p.base / p.keep * p.growth))
	if p.ceiling > 0 {
		target = p.ceiling + 1 + p.ceiling/200
	}
	target = min(max(target, p.window()+1), int(p.max))
	if target <= p.window() { // so near the maximum that there is no room to try
		p.base = p.max
		return
	}
	p.debt, p.nickAt = 0, 1
	p.tries++
	p.try = try{number: p.tries, target: target, filling: true, until: now.Add(tryFor), last: now}
}

// judge draws the conclusion from a try.
func (p *pace) judge(now time.Time) {
	t := p.try
	p.try = try{}
	ceiling, found := t.ceiling()
	switch {
	case t.refused > 0 && found:
		if now.Sub(p.nicked) > afterNick {
			p.keep = math.Min(mostKeep, p.keep+regainKeep)
		}
		p.ceiling, p.failed = max(1, ceiling), t.number
		p.base = math.Max(p.base*0.99, math.Min(p.max, p.keep*float64(p.ceiling)))
		p.growth = nextGrowth
		p.waitTry(now, leastWait)
	case t.reached >= int(p.max):
		p.base, p.ceiling = math.Max(p.base, p.keep*p.max), 0
		if now.Sub(p.cutAt) > shyFor {
			p.base = p.max
		}
		p.waitTry(now, leastWaitUp)
	case t.reached >= t.target:
		p.ceiling = 0
		p.base = math.Max(p.base, p.keep*float64(t.target))
		p.growth = math.Min(mostGrowth, 1+2*(p.growth-1))
		p.keep = math.Min(mostKeep, p.keep+regainKeep)
		p.waitTry(now, afterTaken)
	default:
		p.waitTry(now, afterShort)
	}
}
