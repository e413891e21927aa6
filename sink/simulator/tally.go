package simulator

import (
	"maps"
	"net/http"
	"sync"
	"time"
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

// arrived counts a call as it comes.
func (s *Stats) arrived(api string, r *http.Request) {
	s.ByAPI[api]++
	if r.ProtoMajor == 2 {
		s.HTTP2++
	}
	if r.Header.Get("Idempotency-Key") != "" || r.Header.Get("X-Idempotency-Key") != "" {
		s.Idempotent++
	}
	s.OpenNow++
	s.OpenMax = max(s.OpenMax, s.OpenNow)
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
	if k.spike {
		s.ByFault["spike"]++
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
	s.BytesIn += k.body
	s.LargestBody = max(s.LargestBody, k.body)
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
	v.Calls, v.First, v.Last = s.traffic.calls, s.traffic.first, s.traffic.last
	v.LargestSecond = s.traffic.largest
	if v.LargestSecond > 0 {
		v.LargestAt = s.traffic.largestAt.Round(time.Millisecond).String()
	}
	s.traffic.Unlock()
	if d := v.Last.Sub(v.First); d > 0 {
		v.Rate = float64(v.Calls-1) / d.Seconds()
	}
	if v.Calls > 0 {
		v.RefusedShare = float64(v.RefusedRate) / float64(v.Calls)
	}

	s.watch.Lock()
	v.Overlaps, v.OverlapsGivenUp, v.OverlapsOpen = s.watch.overlaps, s.watch.givenUp, s.watch.undecided()
	v.OverlapAccounts = append([]string{}, s.watch.accounts...)
	v.Conflicts = s.watch.conflicts
	s.watch.Unlock()

	d, accounts := s.graph.totals()
	v.GraphEdges, v.GraphAccounts, v.Digest = int64(d.n), accounts, d.String()

	s.signatures.Lock()
	v.Signatures = s.signatures.total
	s.signatures.Unlock()
	return v
}
