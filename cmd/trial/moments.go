package main

import (
	"fmt"
	"math/rand/v2"
	"time"

	"friendmigrate/cmd/trial/lab"
)

// moment is when a run is to be hit.
type moment struct {
	kind  string
	after time.Duration // since the start, or since the event
	call  int           // of the event: which friend_import of this run; 0: no event
	end   bool          // the event is the call's end, not its arrival
}

func (m moment) String() string {
	switch {
	case m.call == 0:
		return fmt.Sprintf("%s, %v after the start", m.kind, m.after)
	case m.end:
		return fmt.Sprintf("%s, %v after the end of call %d", m.kind, m.after, m.call)
	}
	return fmt.Sprintf("%s, %v after the arrival of call %d", m.kind, m.after, m.call)
}

// draw draws a moment for a run of an act of which calls are left, by how long the parts of an
// unbroken run took.
func draw(r *rand.Rand, like *lab.ReferenceAct, left int, resumed bool) moment {
	within := func(d time.Duration) time.Duration { return time.Duration(r.Float64() * float64(d)) }
	left = max(left, 1)
	early := func() int { // the first calls of a run more often than the last
		share := r.Float64()
		return 1 + int(share*share*float64(left))
	}
	stage := min(like.Stage, time.Second)
	switch n := r.IntN(100); {
	case resumed && n < 25: // opening journal and stage, and the second that the rate asks for
		return moment{kind: "resuming", after: within(max(stage, 30*time.Millisecond))}
	case !resumed && n < 25:
		return moment{kind: "staging", after: within(stage * 11 / 10)}
	case n < 55:
		return moment{kind: "sending", after: within(6 * time.Millisecond), call: early()}
	case n < 80:
		return moment{kind: "committing", after: within(2 * time.Millisecond), call: early(), end: true}
	}
	return moment{kind: "finishing", after: within(max(like.Finish, 10*time.Millisecond) * 12 / 10), call: left,
		end: true}
}

// await waits for the moment, or for the end of the process; it reports whether the moment came
// first. It is called right after the start.
func (m moment) await(p *lab.Process, s *lab.Service) bool {
	if m.call == 0 {
		return sleep(time.Until(p.Began.Add(m.after)), p.Done())
	}
	select {
	case <-s.Reached(m.call, m.end):
		return sleep(m.after, p.Done())
	case <-p.Done():
		return false
	}
}

// sleep sleeps for d unless something happens before; it reports whether nothing did.
func sleep(d time.Duration, happens <-chan struct{}) bool {
	t := time.NewTimer(max(d, 0))
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-happens:
		return false
	}
}
