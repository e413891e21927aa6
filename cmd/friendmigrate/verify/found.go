package verify

import (
	"fmt"
	"iter"
	"slices"

	"friendmigrate/checkpoint"
	"friendmigrate/cmd/friendmigrate/report"
	"friendmigrate/migrate"
)

// count adds n edges with one outcome in the journal of a verify.
func count(f *report.Verified, kind migrate.Kind, code int, n int64) {
	switch {
	case n == 0:
	case kind == migrate.Again:
		f.Unasked += n
	case kind == migrate.Already:
		f.InPlace += n
		f.Unread += n
	case kind == migrate.Imported:
		f.InPlace += n
	case code == codeDifferent:
		f.Different += n
	case !isMissing(code):
		f.NoVerdict[code] += n
	default:
		f.Missing += n
		if code >= 100 {
			f.MissingBy[code] += n
		}
	}
}

// Look adds up what was found so far. What failed in the job stands apart, whatever the service has
// of it.
func (p *Part) Look() (f report.Verified, err error) {
	f.MissingBy, f.NoVerdict = map[int]int64{}, map[int]int64{}
	t := p.verdicts.Totals()
	count(&f, migrate.Imported, 0, t.Imported)
	count(&f, migrate.Already, 0, t.Already)
	for code, n := range t.FailedByCode {
		count(&f, migrate.Failed, code, n)
	}
	f.Unasked = p.asked() - t.Settled()
	drawn, err := p.setFailedApart(&f)
	f.Pending = f.Unasked + p.edges - p.settled
	for _, n := range f.NoVerdict {
		f.Pending += n
	}
	f.Edges = f.InPlace + f.Missing + f.Different + f.Failed + f.Pending
	if p.sample != nil {
		f.Sample = &report.Sample{Drawn: drawn, Of: p.settled - f.Failed, Seed: fmt.Sprint(p.sample.seed),
			Confidence: Confidence, BadAtMost: Bound(drawn, f.Missing+f.Different), Bound: BoundName}
		f.There = nil // not known of all
	}
	return f, err
}

// setFailedApart takes the edges that failed in the job out of the sums, and counts the others that
// are asked about.
func (p *Part) setFailedApart(f *report.Verified) (others int64, err error) {
	f.There, others = new(int64), p.asked()
	mine := func(failed *checkpoint.Failure) bool { return p.speaksOf(failed.Edge.From) }
	for keys, err := range p.windows(p.Journal, mine) {
		if err != nil {
			return others, err
		}
		f.Failed += int64(len(keys))
		known, err := lookUp(p.verdicts, keys)
		if err != nil {
			return others, err
		}
		for i, o := range known.outcomes {
			if p.sample != nil && !p.sample.has(keys[i]) {
				continue
			}
			others--
			if o.kind != migrate.Again && (o.kind != migrate.Failed || o.code == codeDifferent) {
				*f.There++
			}
			count(f, o.kind, int(o.code), -1)
		}
	}
	for _, by := range []map[int]int64{f.MissingBy, f.NoVerdict} {
		for code, n := range by {
			if n == 0 {
				delete(by, code)
			}
		}
	}
	return others, nil
}

// usualWindow is how many edges are looked up at once: some 16 bytes each.
const usualWindow = 1 << 20

// windows gives the keys of the failures in a journal that match, a window at a time, because there
// may be any number. A journal that is nil has none.
func (p *Part) windows(
	journal *checkpoint.Journal, match func(*checkpoint.Failure) bool,
) iter.Seq2[[]int64, error] {
	return func(yield func([]int64, error) bool) {
		if journal == nil {
			return
		}
		var keys []int64
		for f, err := range journal.Failures() {
			if err != nil {
				yield(nil, err)
				return
			}
			if !match(&f) {
				continue
			}
			if keys = append(keys, keyOf(f.Ordinal, f.Index)); len(keys) == p.window {
				if !yield(keys, nil) {
					return
				}
				keys = nil
			}
		}
		if len(keys) > 0 {
			yield(keys, nil)
		}
	}
}

// known says what a journal has of some edges. A journal spells out only exceptions in memory and
// holds the rest in its file, in no order of use here. So it is read once for a window of edges.
type known struct {
	keys     []int64 // ascending
	outcomes []outcome
}

type outcome struct {
	kind migrate.Kind // Again: nothing is on record
	code int32
}

// keyOf numbers the edges of a plan.
func keyOf(ordinal int64, index int) int64 { return ordinal*migrate.MaxChunkEdges + int64(index) }

// lookUp reads the outcomes of edges out of a journal; one that is nil has none. It keeps keys and
// sorts them.
func lookUp(journal *checkpoint.Journal, keys []int64) (*known, error) {
	slices.Sort(keys)
	k := &known{keys: keys, outcomes: make([]outcome, len(keys))}
	if len(keys) == 0 || journal == nil {
		return k, nil
	}
	first := keys[0] / migrate.MaxChunkEdges
	last := keys[len(keys)-1] / migrate.MaxChunkEdges
	for s, err := range journal.Settlements(first, last-first+1) {
		if err != nil {
			return nil, err
		}
		i, asked := slices.BinarySearch(keys, keyOf(s.Ordinal, s.Index))
		switch {
		case !asked:
		case s.Reopened:
			k.outcomes[i] = outcome{}
		default:
			k.outcomes[i] = outcome{kind: s.Outcome.Kind, code: int32(s.Outcome.Code)}
		}
	}
	return k, nil
}

// of says what is on record of an edge, and whether it was looked up.
func (k *known) of(key int64) (o outcome, asked bool) {
	if i, ok := slices.BinarySearch(k.keys, key); ok {
		return k.outcomes[i], true
	}
	return outcome{}, false
}
