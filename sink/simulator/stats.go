package simulator

import (
	"maps"
	"net/http"
	"reflect"
	"slices"
	"sync"
	"time"
)

// Call is the description of a call for Observe and Script.
type Call struct {
	API     string        // friend_import, ...; empty: no such API
	Request *http.Request // its body has been read
	Number  int64         // of all calls, from 1, in order of arrival
	Nth     int           // of the calls of From that passed signature and limit, from 1; 0: not passed, or not yet
	From    string        // empty if the body has none
	To      []string
	Arrived time.Time
	Since   time.Duration // Arrived since the start

	Ended   time.Time // when it ended for the client
	Code    int       // ErrorCode of the answer; -1: it had none
	Status  int       // HTTP status; 0: it had none
	Fault   string    // the fault that hit it, as ParseFault reads it; empty: none
	Applied int       // edges that this call added to the graph
	GaveUp  bool      // the client disconnected before the answer
}

// Counts is the part of Stats about the contents and effects of calls.
type Counts struct {
	Applied        int64 `json:"calls_applied"`    // friend_import calls that took effect
	EdgesSent      int64 `json:"edges_sent"`       // items of friend_import calls that could be read
	EdgesAgain     int64 `json:"edges_sent_again"` // of those, already in the graph when they arrived
	CallsAgain     int64 `json:"calls_with_edges_sent_again"`
	EdgesApplied   int64 `json:"edges_applied"`   // added to the graph by friend_import
	EdgesReapplied int64 `json:"edges_reapplied"` // were in the graph already and were accepted again

	PairsChecked     int64 `json:"pairs_checked"` // items of friend_check
	AccountsChecked  int64 `json:"accounts_checked"`
	AccountsImported int64 `json:"accounts_imported"`
	EdgesUpdated     int64 `json:"edges_updated"`
	EdgesDeleted     int64 `json:"edges_deleted"`

	NoRandom      int64 `json:"calls_without_random"`
	NoContentType int64 `json:"calls_without_contenttype"`
}

func (c *Counts) add(one *Counts) {
	sum, v := reflect.ValueOf(c).Elem(), reflect.ValueOf(one).Elem()
	for i := range sum.NumField() {
		sum.Field(i).SetInt(sum.Field(i).Int() + v.Field(i).Int())
	}
}

// Arrivals is the part of Stats about the calls as they came.
type Arrivals struct {
	Calls         int64     `json:"calls"` // every HTTP request but those to /_sim/
	First         time.Time `json:"first_arrival"`
	Last          time.Time `json:"last_arrival"`
	LargestSecond int       `json:"largest_sliding_second"` // most arrivals in any sliding second, all APIs together
}

// Overlapping is the part of Stats about calls for one account that were open at once.
type Overlapping struct {
	// Overlaps counts pairs of calls that were open for the client at the same time: from the
	// arrival of a call to its answer, its close or the client's disconnection.
	Overlaps int64 `json:"overlaps"`
	// OverlapsGivenUp counts pairs whose earlier call the client had given up. They are no breach.
	OverlapsGivenUp int64    `json:"overlaps_given_up"`
	OverlapAccounts []string `json:"overlap_accounts"` // the first ten
	// Conflicts counts calls refused with 30008 because the service was still at work for the
	// account.
	Conflicts int64 `json:"calls_refused_for_busy"`
}

// Stats is the service's own record of what reached it.
type Stats struct {
	Arrivals
	Rate float64 `json:"rate"` // (calls - 1) / (last - first arrival), per second
	Overlapping
	OverlapsOpen int64 `json:"overlaps_undecided"` // the earlier call is still open
	Counts

	ByAPI       map[string]int64 `json:"calls_by_api"`  // "": no such API
	ByCode      map[int]int64    `json:"calls_by_code"` // ErrorCode of the answer, if it had one
	ByStatus    map[int]int64    `json:"calls_by_http_status"`
	ByFault     map[string]int64 `json:"calls_by_fault"`
	ItemsByCode map[int]int64    `json:"items_by_code"` // ResultCode of items, all APIs
	Unanswered  int64            `json:"calls_unanswered"`
	GaveUp      int64            `json:"calls_given_up"` // the client disconnected before its answer was written

	// Refused counts calls answered with an ErrorCode or an HTTP status from 300 on.
	Refused      int64   `json:"calls_refused"`
	RefusedRate  int64   `json:"calls_refused_for_rate"` // of those, for a limit
	RefusedShare float64 `json:"calls_refused_for_rate_share"`
	OpenNow      int     `json:"open_now"`
	OpenMax      int     `json:"open_max"`

	GraphEdges    int64  `json:"graph_edges"`
	GraphAccounts int64  `json:"graph_accounts"` // with at least one friend
	Digest        string `json:"graph_digest"`   // of all pairs in the graph, see Digest

	Connections        int64 `json:"connections_opened"`
	ConnectionsRefused int64 `json:"connections_refused"` // by Listener in an outage

	Signatures int `json:"signatures_seen"`
}

// tally is the part of Stats that each call adds to.
type tally struct {
	sync.Mutex
	sum Stats
}

func (t *tally) change(f func(s *Stats)) {
	t.Lock()
	defer t.Unlock()
	f(&t.sum)
}

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
}

// Stats returns a snapshot of the record. It has all of a call before the last byte of the call's
// answer is written, or once the connection has ended if there is no answer.
func (s *Server) Stats() Stats {
	s.tally.Lock()
	v := s.tally.sum
	v.ByAPI, v.ByFault, v.ByCode = maps.Clone(v.ByAPI), maps.Clone(v.ByFault), maps.Clone(v.ByCode)
	v.ByStatus, v.ItemsByCode = maps.Clone(v.ByStatus), maps.Clone(v.ItemsByCode)
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

	names, edges, d := s.graph.names()
	v.GraphEdges, v.GraphAccounts, v.Digest = edges, int64(len(names)), d.String()

	s.signatures.Lock()
	v.Signatures = s.signatures.total
	s.signatures.Unlock()
	return v
}
