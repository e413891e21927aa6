package simulator

import (
	"maps"
	"slices"
	"sync"
)

// tally is the part of Stats that is counted call by call.
type tally struct {
	sync.Mutex
	sum Stats
}

// change changes the sum.
func (t *tally) change(f func(s *Stats)) {
	t.Lock()
	defer t.Unlock()
	f(&t.sum)
}

// ended counts what a call was answered.
func (s *Stats) ended(k *call) {
	if k.code >= 0 {
		s.ByCode[k.code]++
	}
	if k.status > 0 {
		s.ByStatus[k.status]++
	} else {
		s.Unanswered++
	}
	if k.fault != nil {
		s.ByFault[k.fault.String()]++
	}
	if k.code > 0 || k.status >= 300 {
		s.Refused++
	}
	if k.over != 0 && k.refused.code == k.over {
		s.RefusedRate++
	}
	for i := range k.answer.items {
		s.ItemsByCode[k.answer.items[i].code]++
	}
	for _, name := range k.unknown {
		if _, ok := s.UnknownFields[name]; ok || len(s.UnknownFields) < 100 {
			s.UnknownFields[name]++
		}
	}
}

// Stats is a snapshot of the record. A call is in it completely before the last byte of its answer
// is written; a call without an answer once its connection has ended.
func (s *Server) Stats() Stats {
	s.tally.Lock()
	v := s.tally.sum
	v.ByAPI, v.ByFault, v.UnknownFields = maps.Clone(v.ByAPI), maps.Clone(v.ByFault), maps.Clone(v.UnknownFields)
	v.ByCode, v.ByStatus, v.ItemsByCode = maps.Clone(v.ByCode), maps.Clone(v.ByStatus), maps.Clone(v.ItemsByCode)
	s.tally.Unlock()

	s.traffic.Lock()
	v.Arrivals = s.traffic.Arrivals
	s.traffic.Unlock()
	if d := v.Last.Sub(v.First); d > 0 {
		v.Rate = float64(v.Calls-1) / d.Seconds()
	}
	v.RefusedShare = float64(v.RefusedRate) / float64(max(1, v.Calls))

	s.watch.Lock()
	v.Overlapping, v.OverlapsOpen = s.watch.Overlapping, s.watch.undecided()
	v.OverlapAccounts = slices.Clone(v.OverlapAccounts)
	s.watch.Unlock()

	names, d := s.graph.names()
	v.GraphEdges, v.GraphAccounts, v.Digest = int64(d.n), int64(len(names)), d.String()

	s.signatures.Lock()
	v.Signatures = s.signatures.total
	s.signatures.Unlock()
	return v
}
