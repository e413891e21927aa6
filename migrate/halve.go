package migrate

// split halves a call that was refused as a whole, until the offenders stand alone: each half is a part of the chunk on a stack, the upper one first.
//
// While nothing of a chunk has landed it may be that every edge of the job is refused, and finding that out costs two calls an edge. So only as many
// such chunks are halved as the brake still needs to stop the run, the others wait: when all of those end with nothing landed, it stops.
func (d *dispatcher) split(w *work, sent EdgeSet, call *CallError) {
	w.last, w.halving = refusal(call), true
	if sent.Len() == 1 {
		d.fail(w, sent, func(int) Outcome { return refusal(call) })
		return
	}
	d.event("halve", call.Code, call.Info, sent.Len())
	d.opt.Meter.update(func(s *Snapshot) { s.Halved++ })
	if !w.landed && !w.barren {
		if d.barren >= d.brake.room() {
			w.doomed = EdgeSet{}
			w.parts = append(w.parts, sent)
			w.chunk = nil
			d.waiting = append(d.waiting, w)
			return
		}
		w.barren = true
		d.barren++
	}
	d.push(w, sent)
}

// push puts both halves of a set on w's stack.
func (d *dispatcher) push(w *work, set EdgeSet) {
	var lower, upper EdgeSet
	for k, i := range set.Indexes() {
		if k < set.Len()/2 {
			lower.Add(i)
		} else {
			upper.Add(i)
		}
	}
	w.parts = append(w.parts, upper, lower)
	d.ready = append(d.ready, w)
}

// halved ends the halving of w's chunk, if there was one.
func (d *dispatcher) halved(w *work, open EdgeSet) {
	if w.halving && !w.landed && !w.counted && open.Len() == 0 {
		w.counted = true
		d.brake.exhausted(w.size(), w.last.Code, w.last.Info)
	}
	w.halving = false
	d.release(w)
}

// release gives back w's slot of the brake, if it has one.
func (d *dispatcher) release(w *work) {
	if w.barren {
		w.barren = false
		d.barren--
	}
}

// admit lets chunks that wait to be halved begin, as far as the brake has slots.
func (d *dispatcher) admit() {
	for len(d.waiting) > 0 && d.barren < d.brake.room() {
		next := d.waiting[0]
		d.waiting = d.waiting[1:]
		next.barren = true
		d.barren++
		set := next.parts[len(next.parts)-1]
		next.parts = next.parts[:len(next.parts)-1]
		d.push(next, set)
	}
}
