package migrate

import (
	"container/heap"
	"time"
)

// lot is where rosters wait until they are due, the earliest first.
type lot []*work

func (l lot) Len() int           { return len(l) }
func (l lot) Less(i, j int) bool { return l[i].due.Before(l[j].due) }
func (l lot) Swap(i, j int)      { l[i], l[j] = l[j], l[i] }
func (l *lot) Push(x any)        { *l = append(*l, x.(*work)) }
func (l *lot) Pop() any {
	last := (*l)[len(*l)-1]
	(*l)[len(*l)-1] = nil
	*l = (*l)[:len(*l)-1]
	return last
}

// park lets w wait until due. Its chunk is let go: a parked roster is a position and what is known of the edges there.
func (l *lot) park(w *work, due time.Time) {
	w.due, w.chunk = due, nil
	heap.Push(l, w)
}

// take returns the earliest roster if it is due.
func (l *lot) take(now time.Time) *work {
	if len(*l) == 0 || (*l)[0].due.After(now) {
		return nil
	}
	return heap.Pop(l).(*work)
}

// next is when the earliest roster is due; ok is false for an empty lot.
func (l lot) next() (due time.Time, ok bool) {
	if len(l) == 0 {
		return time.Time{}, false
	}
	return l[0].due, true
}
