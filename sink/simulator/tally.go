package simulator

import (
	"maps"
	"net/http"
	"sync"
	"time"
)

// tally is the part of the account that is counted call by call.
type tally struct {
	sync.Mutex
	sum Stats
}

func count[K comparable](m *map[K]int64, key K, n int64) {
	if n == 0 {
		return
	}
	if *m == nil {
		*m = map[K]int64{}
	}
	(*m)[key] += n
}

// arrived counts a call as it comes.
func (t *tally) arrived(api string, r *http.Request) {
	t.Lock()
	defer t.Unlock()
	count(&t.sum.ByAPI, api, 1)
	if r.ProtoMajor == 2 {
		t.sum.HTTP2++
	}
	if r.Header.Get("Idempotency-Key") != "" || r.Header.Get("X-Idempotency-Key") != "" {
		t.sum.Idempotent++
	}
	t.sum.OpenNow++
	t.sum.OpenMax = max(t.sum.OpenMax, t.sum.OpenNow)
}

// left counts a call as it ends on the client's side.
func (t *tally) left(gone bool) {
	t.Lock()
	defer t.Unlock()
	t.sum.OpenNow--
	if gone {
		t.sum.GaveUp++
	}
}

// unknown counts names of fields that the API does not have, the first 100 of them.
func (t *tally) unknown(names []string) {
	if len(names) == 0 {
		return
	}
	t.Lock()
	defer t.Unlock()
	for _, n := range names {
		if _, ok := t.sum.UnknownFields[n]; ok || len(t.sum.UnknownFields) < 100 {
			count(&t.sum.UnknownFields, n, 1)
		}
	}
}

// spared counts what a call does not have though the vendor's pages ask for it.
func (t *tally) spared(q query) {
	if !q.noRandom && !q.noMediaType {
		return
	}
	t.Lock()
	defer t.Unlock()
	if q.noRandom {
		t.sum.NoRandom++
	}
	if q.noMediaType {
		t.sum.NoContentType++
	}
}

// ended counts what a call was answered.
func (t *tally) ended(k *call) {
	t.Lock()
	defer t.Unlock()
	s := &t.sum
	if k.code >= 0 {
		count(&s.ByCode, k.code, 1)
	}
	if k.status > 0 {
		count(&s.ByStatus, k.status, 1)
	} else {
		s.Unanswered++
	}
	if k.fault != nil {
		count(&s.ByFault, k.fault.String(), 1)
	}
	if k.spike {
		count(&s.ByFault, "spike", 1)
	}
	if k.code > 0 || k.status >= 300 {
		s.Refused++
	}
	if k.limited {
		s.RefusedRate++
	}
	for i := range k.answer.items {
		count(&s.ItemsByCode, k.answer.items[i].code, 1)
	}
	s.BytesIn += k.body
	s.LargestBody = max(s.LargestBody, k.body)
}

// did counts what a call was about and what it did.
func (t *tally) did(k *call) {
	t.Lock()
	defer t.Unlock()
	s, e := &t.sum, &k.effect
	if e.done && k.api == apiImport {
		s.Applied++
	}
	s.EdgesSent += int64(e.sent)
	s.NullArrays += int64(k.req.nulls)
	if e.again > 0 {
		s.EdgesAgain += int64(e.again)
		s.CallsAgain++
	}
	s.EdgesApplied += int64(e.applied)
	s.EdgesReapplied += int64(e.reapplied)
	s.PairsChecked += int64(e.checked)
	s.FriendsGiven += int64(e.given)
	s.EdgesUpdated += int64(e.updated)
	s.EdgesDeleted += int64(e.deleted)
	s.AccountsChecked += int64(e.accounts)
	s.AccountsImported += int64(e.newAccounts)
}

// wrote counts bytes of answers.
func (t *tally) wrote(n int) {
	t.Lock()
	defer t.Unlock()
	t.sum.BytesOut += int64(n)
}

// Stats is a snapshot of the account. A call is in it completely before the last byte of its answer
// is written; a call without an answer once its connection has ended.
func (s *Server) Stats() Stats {
	s.tally.Lock()
	v := s.tally.sum
	v.ByAPI, v.ByCode, v.ByStatus, v.ByFault = filled(v.ByAPI), filled(v.ByCode), filled(v.ByStatus), filled(v.ByFault)
	v.ItemsByCode, v.UnknownFields = filled(v.ItemsByCode), filled(v.UnknownFields)
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

	s.connections.Lock()
	v.Connections, v.ConnectionsOpen, v.ConnectionsMax = s.connections.opened, s.connections.now, s.connections.most
	v.ConnectionsRefused = s.connections.refused
	s.connections.Unlock()

	s.signatures.Lock()
	v.Signatures = s.signatures.total
	s.signatures.Unlock()
	return v
}

// filled copies a map; JSON shows {} and not null.
func filled[K comparable](m map[K]int64) map[K]int64 {
	if m == nil {
		return map[K]int64{}
	}
	return maps.Clone(m)
}
