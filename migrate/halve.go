package migrate

import "time"

// halve halves a call that was refused as a whole, until each edge that is refused is sent alone.
// The halves are parts of the chunk on a stack; the half with the smaller indexes is sent first.
//
// While nothing of a chunk has landed, every edge of the job may be refused, and finding that out
// costs two calls an edge. So only as many such chunks are halved at a time as the brake still
// needs to stop the run; the others wait. The first chunks of a run keep their slots to the end,
// since what their refused edges have in common may stop the run too.
func (d *dispatcher) halve(w *work, left EdgeSet, call *CallError, res *result, now time.Time) {
	w.severalRefused = w.halving || left.Len() > 1
	w.halving = true
	d.brake.oneEdge.add(refusal(call), 1)
	d.brake.evidence.call(res.refusedFields, res.refusedBytes)
	if left.Len() == 1 {
		w.refusedAlone(res.refusedFields)
		d.refuse(w, left, call, now)
		return
	}
	d.event("halve", call.Code, call.Info, left.Len())
	d.opt.Meter.update(func(s *Snapshot) { s.Halved++ })
	if !w.landed && !w.slot {
		if d.slots >= d.brake.slots() {
			w.parts = append(w.parts, left)
			w.chunk = nil
			d.waiting = append(d.waiting, w)
			return
		}
		w.slot = true
		d.slots++
	}
	d.push(w, left)
}

// push puts both halves of a set of edges on w's stack.
func (d *dispatcher) push(w *work, set EdgeSet) {
	var first, second EdgeSet
	for k, i := range set.Indexes() {
		if k < set.Len()/2 {
			first.Add(i)
		} else {
			second.Add(i)
		}
	}
	w.parts = append(w.parts, second, first)
	d.ready = append(d.ready, w)
}

// endHalving ends the halving of w's chunk, if there was one.
func (d *dispatcher) endHalving(w *work, open EdgeSet) {
	if w.halving && open.Len() == 0 && !w.halvingCounted {
		w.halvingCounted = true
		d.brake.halved(w.severalRefused, w.landed, w.sharedFields)
	}
	d.release(w)
}

// release frees w's slot of the brake, if it has one.
func (d *dispatcher) release(w *work) {
	if w.slot {
		w.slot = false
		d.slots--
	}
}

// admit starts chunks that wait to be halved, as far as the brake has free slots.
func (d *dispatcher) admit() {
	for len(d.waiting) > 0 && d.slots < d.brake.slots() {
		next := d.waiting[0]
		d.waiting = d.waiting[1:]
		next.slot = true
		d.slots++
		set := next.parts[len(next.parts)-1]
		next.parts = next.parts[:len(next.parts)-1]
		d.push(next, set)
	}
}
