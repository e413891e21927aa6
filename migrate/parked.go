package migrate

import (
	"container/heap"
	"time"
)

// parked is a heap of the rosters that wait until they are due, the earliest first.
type parked []*work

func (l parked) Len() int           { return len(l) }
func (l parked) Less(i, j int) bool { return l[i].due.Before(l[j].due) }
func (l parked) Swap(i, j int)      { l[i], l[j] = l[j], l[i] }
func (l *parked) Push(x any)        { *l = append(*l, x.(*work)) }
func (l *parked) Pop() any {
	last := (*l)[len(*l)-1]
	(*l)[len(*l)-1] = nil
	*l = (*l)[:len(*l)-1]
	return last
}

// park lets w wait until due and drops its chunk from memory. A parked roster holds a position and
// what is known about the edges there.
func (l *parked) park(w *work, due time.Time) {
	w.due, w.chunk = due, nil
	heap.Push(l, w)
}

// take removes and returns the earliest roster if it is due, else nil.
func (l *parked) take(now time.Time) *work {
	if len(*l) == 0 || (*l)[0].due.After(now) {
		return nil
	}
	return heap.Pop(l).(*work)
}

// next returns when the earliest roster is due; ok is false if there is none.
func (l parked) next() (due time.Time, ok bool) {
	if len(l) == 0 {
		return time.Time{}, false
	}
	return l[0].due, true
}
