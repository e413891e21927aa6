package migrate

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// brake stops a run whose failures look systematic: exit code 6, see Stop.Code in package job. It
// counts only what this run did. It only computes.
type brake struct {
	limits *Limits // nil: no limits

	settled, failed    int64
	settledAccounts    int   // accounts of the settled edges
	landed             bool  // the service has accepted an edge in this run
	noProgressCalls    int64 // calls on whose edges the service decided before any edge landed
	noProgressAccounts int   // accounts of those calls
	extra              int64 // calls with such a decision that carried a part of a halved call
	endedChunks        int   // chunks that were halved to the end
	noProgressWeight   int   // of chunks halved to the end that landed nothing; 0 again when an edge lands

	refused  byCode // calls that landed nothing
	oneEdge  byCode // calls that were refused for one of their edges
	failures byCode // failed edges
	evidence evidence
}

// What looks systematic.
const (
	ratioFrom       = 1000 // settled edges before the failure ratio counts
	noProgressLimit = 300  // calls from the start of the run that land nothing
	brakeAccounts   = 20   // fewest accounts that either of these must involve
	halvedChunks    = 3    // chunks of different accounts, halved to the end
	chunkWeight     = 7    // weight of such a chunk; a single edge weighs 1, since three may be refused by chance
	halvedLimit     = halvedChunks * chunkWeight
)

// countSettled counts settled edges of one account. first reports whether they are its first.
func (b *brake) countSettled(landed, failed int64, first bool) {
	b.settled += landed + failed
	b.failed += failed
	if first {
		b.settledAccounts++
	}
	if landed > 0 {
		b.landed, b.noProgressWeight = true, 0
	}
}

// countRefused counts a call on whose edges the service decided and which landed nothing. first
// reports whether it is the first such call of its account.
func (b *brake) countRefused(why Outcome, first bool) {
	b.refused.add(why, 1)
	if b.landed {
		return
	}
	b.noProgressCalls++
	if first {
		b.noProgressAccounts++
	}
}

// halved counts a chunk that was halved to the end. several reports whether the calls that were
// refused had more than one of its edges: the others may be settled. shared lists the fields that
// all its refused edges have.
func (b *brake) halved(several, landed bool, shared fields) {
	weight := 1
	if several {
		weight = chunkWeight
	}
	b.endedChunks++
	b.evidence.chunk(shared, weight)
	if !landed {
		b.noProgressWeight += weight
	}
}

// slots returns how many chunks may be halved at a time while nothing of them has landed: as many
// as it takes to stop the run if all of them end so.
func (b *brake) slots() int {
	return (halvedLimit - b.noProgressWeight + chunkWeight - 1) / chunkWeight
}

// verdict returns the error that stops the run, or nil while the run may go on.
func (b *brake) verdict() *StopError {
	switch l := b.limits; {
	case l != nil && b.landed && len(b.evidence.ofChunks(halvedLimit)) > 0:
		return b.stopError(ReasonSystematic, Brake{Kind: BrakeField, Count: int64(b.endedChunks)}, b.oneEdge)
	case b.noProgressWeight >= halvedLimit:
		return b.stopError(ReasonSystematic, Brake{Kind: BrakeHalved, Count: int64(b.endedChunks)}, b.oneEdge)
	case l == nil:
		return nil // without limits, nothing else stops a run
	case l.FailureRatio > 0 && !b.landed && b.noProgressCalls >= noProgressLimit &&
		b.noProgressAccounts >= brakeAccounts:
		return b.stopError(ReasonSystematic, Brake{Kind: BrakeNothing, Count: b.noProgressCalls}, b.refused)
	case l.ExtraCalls >= 0 && b.extra > l.ExtraCalls:
		return b.stopError(ReasonThreshold, Brake{Kind: BrakeExtra, Count: b.extra, Limit: float64(l.ExtraCalls)},
			b.oneEdge)
	case l.Failures >= 0 && b.failed > l.Failures:
		return b.stopError(ReasonThreshold, Brake{Kind: BrakeFailures, Count: b.failed, Limit: float64(l.Failures)},
			b.failures)
	case l.FailureRatio > 0 && b.settled >= ratioFrom && b.settledAccounts >= brakeAccounts &&
		float64(b.failed) >= l.FailureRatio*float64(b.settled):
		how := Brake{Kind: BrakeRatio, Count: b.failed, Of: b.settled, Limit: l.FailureRatio}
		return b.stopError(ReasonThreshold, how, b.failures)
	}
	return nil
}

// stopError returns the error that ends the run. Its code is the most frequent one of what the brake
// counted. It names fields only if calls were refused for one of their edges with that code.
func (b *brake) stopError(reason Reason, how Brake, of byCode) *StopError {
	why, share, total := of.most()
	how.Text, how.All, how.Bytes, how.Landed = why.Info, share == total, b.evidence.bytes, b.landed
	if b.oneEdge[why.Code] != nil && how.Kind != BrakeFailures && how.Kind != BrakeRatio {
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
	info string // the latest text of the service
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

// most returns the code that was counted most, how often it was, and the total.
func (t byCode) most() (why Outcome, n, total int64) {
	for code, r := range t {
		total += r.n
		if r.n > n || r.n == n && code < why.Code {
			why, n = Outcome{Kind: Failed, Code: code, Info: r.info}, r.n
		}
	}
	return why, n, total
}

// evidence finds the field that makes the service refuse edges: the refused edges have it and no
// edge that landed has it. It looks at all edges that landed in the run, so that a field which many
// edges have by chance is soon cleared.
type evidence struct {
	landed     map[string]bool // fields of edges that landed
	calls      int             // calls that were refused for one of their edges
	bytes      int             // JSON of the smallest of those calls with several edges
	callsWith  map[string]int  // how many of those calls had the field in at least one edge
	chunksWith map[string]int  // weight of the chunks whose refused edges all have the field
}

// fields is a list of optional fields by their names in the API, each once.
type fields []string

// mostFields bounds the cost of looking a name up. An app has at most 20 custom fields.
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

// common returns the fields that are in both lists.
func (f fields) common(other fields) fields {
	return slices.DeleteFunc(slices.Clone(f), func(name string) bool { return !slices.Contains(other, name) })
}

// land clears the fields of edges that the service has accepted.
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

// call counts a call that was refused for one of its edges. f lists the fields of all its edges.
// bytes is its size, 0 for a single edge.
func (v *evidence) call(f fields, bytes int) {
	v.calls++
	if bytes > 0 && (v.bytes == 0 || bytes < v.bytes) {
		v.bytes = bytes
	}
	v.callsWith = v.count(v.callsWith, f, 1)
}

// chunk counts a chunk that was halved to the end. shared lists the fields that all its refused
// edges have.
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

// ofChunks returns the fields that all refused edges share in chunks of at least this weight
// together.
func (v *evidence) ofChunks(weight int) []string { return suspects(v.chunksWith, weight) }

// suspects returns the fields that were counted at least this often. Custom fields come first,
// since they have to be created in the console.
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
