package sink

import (
	"math"
	"time"
)

// pace decides how many calls may leave in a second: additive increase, multiplicative decrease,
// with a remembered ceiling. It is policy only: it has no clock and never sleeps. Its owner holds a
// lock around it.
//
// The service counts calls in a sliding second, and so does pace. It holds one number, base: no
// second, counted backwards over the calls that have left, may have more, except half a percent,
// because the timer is not exact.
//
// Down: a single refused call may only have overtaken others on the way, so it lowers base a
// little. If many of the calls that left since base was last lowered are refused too, the limit has
// dropped, and base is cut. Calls that left before that give no new information.
//
// Up: while calls are accepted, base climbs slowly to the ceiling at which the last call was
// refused. One call then goes beyond the ceiling, and the others wait for its answer, because a
// service that counts refused calls would refuse them all. If it is accepted, the ceiling is
// removed, and base climbs faster and faster.
type pace struct {
	rate  float64 // the given limit; no second ever has more
	max   float64 // the maximum of base: a little under rate
	floor float64 // the minimum of base

	base    float64
	ceiling float64   // calls in a second that were accepted when the next one was refused; 0: not known
	trial   time.Time // departure of the one call beyond the ceiling; zero: there is none
	gain    float64   // share of base by which base climbs in a second
	climbed time.Time // time up to which base has climbed

	lowered time.Time // when base was last lowered; answers to calls that left before are ignored
	answers int       // answers to calls that left since then, the last answersKept of them
	refused int       // refused calls among them
	debt    float64   // refused calls, less a tolerated share of all calls
	lowerAt float64   // the debt at which base is lowered again
}

// permit is a call that left.
type permit struct {
	at       time.Time
	inWindow int // calls that left in the second up to and including it
}

// response is the information in an answer about the pace.
type response uint8

const (
	silent  response = iota // none: no answer, or not the API's
	taken                   // the service accepted the call, with or without success
	refused                 // too fast
)

// The policy in numbers, chosen by running it in virtual time against services that do and do not
// count refused calls, at latencies from 2 to 300 ms, with and without jitter. The tests print what
// it reaches.
const (
	underRate  = 0.99  // of the limit: at the limit itself, jitter on the way gets 0.5 % of the calls refused
	lowestBase = 0.5   // calls a second
	windowOver = 1.005 // of base: the inexact timer would cost speed otherwise

	cutTo         = 0.75
	cutShare      = 0.3 // of the answers, refused
	cutCalls      = 5   // refused at least
	answersKept   = 50
	lowerTo       = 0.96 // of the ceiling
	ceilingShare  = 0.5  // of base: with fewer calls in the last second, a refusal shows no ceiling
	lowerMost     = 0.9  // of base: base drops to this if the refusal shows no ceiling
	lowerEvery    = 5    // refused calls
	refusedAtFull = 2    // refused calls that lower base from its maximum: one may have been overtaken by others
	tolerated     = 0.005

	leastGain    = 0.004 // some 10 s from where base was lowered to up to the ceiling
	mostGain     = 0.3   // beyond it, the gain doubles in a second
	inUse        = 0.9   // of base
	longestClimb = time.Second
	payOff       = 10 * time.Second // with a debt, base stays this long where it was lowered to
)

func newPace(rate float64) pace {
	p := pace{rate: rate, max: rate * underRate, lowerAt: 1}
	p.floor = math.Min(lowestBase, p.max)
	p.base = p.max
	return p
}

func (p *pace) setRate(rate float64) {
	full := p.full()
	p.rate, p.max = rate, rate*underRate
	p.floor = math.Min(lowestBase, p.max)
	if full || p.full() {
		p.base = p.max
	}
}

// window returns the most calls that one second may have.
func (p *pace) window() int {
	most := math.Min(math.Ceil(p.base*windowOver), p.rate)
	if !p.trial.IsZero() {
		most = math.Min(most, p.ceiling)
	}
	return max(1, int(most))
}

// full reports whether base is at its maximum.
func (p *pace) full() bool { return p.base >= p.max }

// depart records the departure of a call, which is the inWindow-th of the last second.
func (p *pace) depart(now time.Time, inWindow int) permit {
	if p.debt -= tolerated; p.debt <= 0 {
		p.debt, p.lowerAt = 0, 1
	}
	if p.trial.IsZero() && p.ceiling > 0 && float64(inWindow) > p.ceiling {
		p.trial = now
	}
	return permit{now, inWindow}
}

// answer records the response to a call.
func (p *pace) answer(now time.Time, c permit, r response) {
	ofTrial := c.at.Equal(p.trial)
	if ofTrial {
		p.trial = time.Time{}
	}
	if r == silent || !c.at.After(p.lowered) {
		return
	}
	if p.answers++; p.answers > answersKept {
		p.answers, p.refused = 1, 0
	}
	if r == refused {
		p.refuse(now, c, ofTrial)
	} else {
		if ofTrial {
			p.ceiling = 0
		}
		p.take(now, c)
	}
}

// take lets base climb for the time since it last climbed. If fewer calls leave than allowed, an
// accepted call gives no information.
func (p *pace) take(now time.Time, c permit) {
	if p.full() || float64(c.inWindow) < inUse*p.base-1 {
		return
	}
	if p.ceiling > 0 && p.debt >= lowerEvery &&
		now.Sub(p.lowered) < payOff { // with jitter, calls are refused even at the ceiling
		p.climbed = now
		return
	}
	elapsed := min(now.Sub(p.climbed), longestClimb).Seconds()
	p.climbed = now
	if p.ceiling == 0 {
		p.gain = math.Min(p.gain*math.Exp2(elapsed), mostGain)
	}
	p.base = math.Min(p.base*(1+p.gain*elapsed), p.max)
}

func (p *pace) refuse(now time.Time, c permit, ofTrial bool) {
	p.refused++
	p.debt++
	switch {
	case p.full() && p.rate >= Unpaced: // base was never in use
		p.lower(now, float64(c.inWindow))
	case p.refused >= cutCalls && float64(p.refused) >= cutShare*float64(p.answers):
		p.ceiling, p.debt, p.lowerAt = 0, 0, 1
		p.lower(now, cutTo*p.base)
	case p.full() && p.debt < refusedAtFull: // probably jitter: the service allows this rate
	case ofTrial || p.ceiling == 0 || p.debt >= p.lowerAt:
		p.lowerAt = p.debt + lowerEvery
		if float64(c.inWindow) < ceilingShare*p.base {
			p.lower(now, lowerMost*p.base)
			return
		}
		if most := math.Min(p.base, float64(c.inWindow-1)); p.ceiling == 0 || most < p.ceiling {
			p.ceiling = most
		}
		p.lower(now, lowerTo*p.ceiling)
	}
}

func (p *pace) lower(now time.Time, base float64) {
	p.base = math.Max(p.floor, base)
	p.gain, p.climbed, p.lowered = leastGain, now, now
	p.answers, p.refused, p.trial = 0, 0, time.Time{}
}
