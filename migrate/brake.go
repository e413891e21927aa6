package migrate

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// brake stops a run whose failures look systematic. It counts what this run did and nothing else.
// It is arithmetic only.
type brake struct {
	limits *Limits // nil: none

	settled, failed  int64
	settledOf        int   // accounts of those edges
	landed           bool  // the service has taken an edge in this run
	noProgressCalls  int64 // calls before that which were judged, so none of them landed anything
	noProgressOf     int   // accounts of those calls
	extra            int64 // judged calls that carried a part of a halved one
	ended            int   // chunks that were halved to the end
	noProgressChunks int   // weights of chunks halved to the end with nothing imported; 0 again once an edge lands

	refused  byCode // calls that landed nothing
	spoiled  byCode // calls that were refused for one of their edges
	failures byCode // failed edges
	evidence evidence
}

// What looks systematic (PRODUCT, "Settings" and "What each answer leads to").
const (
	ratioFrom       = 1000 // settled edges before the ratio says anything
	noProgressLimit = 300  // calls from the start that land nothing
	brakeAccounts   = 20   // that either has to be about
	halvedChunks    = 3    // of different accounts, halved to the end
	chunkWeight     = 7    // of such a chunk; one of a single edge weighs 1, because three of those may be chance
	halvedLimit     = halvedChunks * chunkWeight
)

// settle counts edges of one account; first says that none of it were settled before.
func (b *brake) settle(landed, failed int64, first bool) {
	b.settled += landed + failed
	b.failed += failed
	if first {
		b.settledOf++
	}
	if landed > 0 {
		b.landed, b.noProgressChunks = true, 0
	}
}

// refuse counts a call that was judged and landed nothing; first says that none of its account were
// counted before.
func (b *brake) refuse(why Outcome, first bool) {
	b.refused.add(why, 1)
	if b.landed {
		return
	}
	b.noProgressCalls++
	if first {
		b.noProgressOf++
	}
}

// halved counts a chunk that was halved to the end; shared is what its refused edges have in
// common.
func (b *brake) halved(edges int, landed bool, shared fields) {
	weight := 1
	if edges > 1 {
		weight = chunkWeight
	}
	b.ended++
	b.evidence.chunk(shared, weight)
	if !landed {
		b.noProgressChunks += weight
	}
}

// slots is how many chunks may be halved at a time while nothing of them has landed: as many as it
// takes to stop the run if all end so.
func (b *brake) slots() int {
	return (halvedLimit - b.noProgressChunks + chunkWeight - 1) / chunkWeight
}

// verdict is nil as long as the run may go on.
func (b *brake) verdict() *StopError {
	switch l := b.limits; {
	case l != nil && b.landed && len(b.evidence.ofChunks(halvedLimit)) > 0:
		return b.stop(ReasonSystematic, Brake{Kind: BrakeField, Count: int64(b.ended)}, b.spoiled)
	case b.noProgressChunks >= halvedLimit:
		return b.stop(ReasonSystematic, Brake{Kind: BrakeHalved, Count: int64(b.ended)}, b.spoiled)
	case l == nil:
	case l.FailureRatio > 0 && !b.landed && b.noProgressCalls >= noProgressLimit && b.noProgressOf >= brakeAccounts:
		return b.stop(ReasonSystematic, Brake{Kind: BrakeNothing, Count: b.noProgressCalls}, b.refused)
	case l.ExtraCalls >= 0 && b.extra > l.ExtraCalls:
		return b.stop(ReasonThreshold, Brake{Kind: BrakeExtra, Count: b.extra, Limit: float64(l.ExtraCalls)}, b.spoiled)
	case l.Failures >= 0 && b.failed > l.Failures:
		return b.stop(ReasonThreshold, Brake{Kind: BrakeFailures, Count: b.failed, Limit: float64(l.Failures)},
			b.failures)
	case l.FailureRatio > 0 && b.settled >= ratioFrom && b.settledOf >= brakeAccounts &&
		float64(b.failed) >= l.FailureRatio*float64(b.settled):
		how := Brake{Kind: BrakeRatio, Count: b.failed, Of: b.settled, Limit: l.FailureRatio}
		return b.stop(ReasonThreshold, how, b.failures)
	}
	return nil
}

// stop makes the error that ends the run. Its code is the most frequent one of what the brake
// counted. It names fields only if calls were refused for one of their edges with that code.
func (b *brake) stop(reason Reason, how Brake, of byCode) *StopError {
	why, share, total := of.most()
	how.Text, how.All, how.Bytes, how.Landed = why.Info, share == total, b.evidence.bytes, b.landed
	if b.spoiled[why.Code] != nil && how.Kind != BrakeFailures && how.Kind != BrakeRatio {
		if how.Fields = b.evidence.ofChunks(halvedLimit); len(how.Fields) == 0 {
			how.Fields = b.evidence.ofCalls()
		}
	}
	info := fmt.Sprintf("%s, code %d: %s", how.Kind, why.Code, why.Info)
	return &StopError{Reason: reason, Code: why.Code, Info: info, Brake: &how}
}

// byCode counts refusals by the service's code.
type byCode map[int]*refusals

type refusals struct {
	n    int64
	info string // the last text of the service
}

func (t *byCode) add(why Outcome, n int64) {
	if *t == nil {
		*t = byCode{}
	}
	r := (*t)[why.Code]
	if r == nil {
		r = &refusals{}
		(*t)[why.Code] = r
	}
	r.n, r.info = r.n+n, why.Info
}

// most is the code that was counted most, how often, and the count of all.
func (t byCode) most() (why Outcome, n, total int64) {
	for code, r := range t {
		total += r.n
		if r.n > n || r.n == n && code < why.Code {
			why, n = Outcome{Kind: Failed, Code: code, Info: r.info}, r.n
		}
	}
	return why, n, total
}

// evidence finds the field that makes the service refuse edges: the refused ones have it and no
// edge that landed has. It looks at all edges that landed in the run, so that a field which many
// edges have by chance is soon above suspicion.
type evidence struct {
	landed     map[string]bool // fields of edges that landed
	calls      int             // calls that were refused for one of their edges
	bytes      int             // of the smallest of those with several edges
	callsWith  map[string]int  // how many of those calls had the field in at least one edge
	chunksWith map[string]int  // weight of the chunks whose refused edges all have the field
}

// fields lists optional fields under the API's names, each once.
type fields []string

// mostFields bounds what looking for a name takes. An app has at most 20 custom fields.
const mostFields = 100

func (f *fields) add(name string) {
	if !slices.Contains(*f, name) && len(*f) < mostFields {
		*f = append(*f, name)
	}
}

func (f *fields) addOf(e *Edge) {
	if e.Remark != "" {
		f.add("Remark")
	}
	if e.RemarkTime != 0 {
		f.add("RemarkTime")
	}
	if len(e.Groups) > 0 {
		f.add("GroupName")
	}
	if e.AddWording != "" {
		f.add("AddWording")
	}
	if e.AddTime != 0 {
		f.add("AddTime")
	}
	for i := range e.Custom {
		f.add(e.Custom[i].Tag)
	}
}

// common is what both have.
func (f fields) common(other fields) fields {
	return slices.DeleteFunc(slices.Clone(f), func(name string) bool { return !slices.Contains(other, name) })
}

// land clears fields of edges that the service has taken.
func (v *evidence) land(f fields) {
	for _, name := range f {
		if v.landed == nil {
			v.landed = map[string]bool{}
		}
		v.landed[name] = true
		delete(v.callsWith, name)
		delete(v.chunksWith, name)
	}
}

// call counts a call that was refused for one of its edges. f is the fields of all its edges, bytes
// its size, 0 for a single edge.
func (v *evidence) call(f fields, bytes int) {
	v.calls++
	if bytes > 0 && (v.bytes == 0 || bytes < v.bytes) {
		v.bytes = bytes
	}
	v.callsWith = v.count(v.callsWith, f, 1)
}

// chunk counts a chunk that was halved to the end. shared is what its refused edges have in common.
func (v *evidence) chunk(shared fields, weight int) {
	v.chunksWith = v.count(v.chunksWith, shared, weight)
}

func (v *evidence) count(in map[string]int, f fields, weight int) map[string]int {
	for _, name := range f {
		if v.landed[name] {
			continue
		}
		if in == nil {
			in = map[string]int{}
		}
		in[name] += weight
	}
	return in
}

func (v *evidence) ofCalls() []string { return suspects(v.callsWith, v.calls) }

// ofChunks is the fields that refused edges share in chunks of this weight together.
func (v *evidence) ofChunks(weight int) []string { return suspects(v.chunksWith, weight) }

// suspects lists what was counted so often, custom fields first: those have to be created in the
// console.
func suspects(counted map[string]int, least int) []string {
	if len(counted) == 0 {
		return nil
	}
	names := slices.DeleteFunc(slices.Collect(maps.Keys(counted)),
		func(name string) bool { return counted[name] < least })
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), strings.Compare(a, b))
	})
	return names
}

func rank(name string) int {
	if strings.HasPrefix(name, "Tag_") {
		return 0
	}
	return 1
}
