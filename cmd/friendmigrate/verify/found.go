package verify

import (
	"errors"
	"fmt"
	"maps"

	"friendmigrate/checkpoint"
	"friendmigrate/cmd/friendmigrate/report"
	"friendmigrate/migrate"
)

// count adds n edges with one outcome of a verify's journal to f.
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

// Look adds up the results so far; what undo has deleted is as WriteLists last found it. Edges that
// failed in the job are counted separately, whether the service has them or not.
func (p *Part) Look() (f report.Verified, err error) {
	f.MissingBy, f.NoVerdict = map[int]int64{}, map[int]int64{}
	f.Deleted, f.Perhaps = p.Lists.Deleted, p.Lists.Perhaps
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
			Confidence: Confidence, Bound: BoundName}
		// an edge without a verdict may be a bad one
		f.Sample.BadAtMost = Bound(drawn, drawn-f.InPlace)
		f.There = nil // not known for all failed edges
	}
	return f, err
}

// setFailedApart takes the edges that failed in the job out of the sums, and returns how many other
// edges are asked about.
func (p *Part) setFailedApart(f *report.Verified) (others int64, err error) {
	f.There, others = new(int64), p.asked()
	mine := func(failed *checkpoint.Failure) bool { return p.speaksOf(failed.Edge.From) }
	err = p.join(p.Journal, p.verdicts, mine, func(failed *checkpoint.Failure, o, _ outcome) error {
		f.Failed++
		if p.sample != nil && !p.sample.has(keyOf(failed.Ordinal, failed.Index)) {
			return nil
		}
		others--
		if o.kind != migrate.Again && (o.kind != migrate.Failed || o.code == codeDifferent) {
			*f.There++
		}
		count(f, o.kind, int(o.code), -1)
		return nil
	})
	for _, by := range []map[int]int64{f.MissingBy, f.NoVerdict} {
		maps.DeleteFunc(by, func(_ int, n int64) bool { return n == 0 })
	}
	return others, err
}

// outcome is the outcome of an edge in a journal.
type outcome struct {
	kind migrate.Kind // Again: the journal has none
	code int32
}

// keyOf returns the number of an edge in its plan.
func keyOf(ordinal int64, index int) int64 { return ordinal*migrate.MaxChunkEdges + int64(index) }

// usualWindow is how many failures are looked up at once. Each takes some 400 bytes.
const usualWindow = 1 << 16

// join calls each for the failures in one journal that match, with the other journal's outcome of
// the same edge and that of the undo. A journal's file is not in a useful order, so these two are
// read once per window of failures. Any may be nil, which means an empty journal.
func (p *Part) join(
	of, with *checkpoint.Journal, match func(*checkpoint.Failure) bool,
	each func(f *checkpoint.Failure, became, undone outcome) error,
) error {
	if of == nil {
		return nil
	}
	var window []checkpoint.Failure
	done := func() error {
		known, err := lookUp(with, window)
		undone, failed := lookUp(p.undo, window)
		err = errors.Join(err, failed)
		for i := 0; err == nil && i < len(window); i++ {
			key := keyOf(window[i].Ordinal, window[i].Index)
			err = each(&window[i], known[key], undone[key])
		}
		window = window[:0]
		return err
	}
	for f, err := range of.Failures() {
		if err != nil {
			return err
		}
		if !match(&f) {
			continue
		}
		if window = append(window, f); len(window) == p.window {
			if err := done(); err != nil {
				return err
			}
		}
	}
	return done()
}

// lookUp returns the outcomes of edges in a journal, by key.
func lookUp(journal *checkpoint.Journal, edges []checkpoint.Failure) (map[int64]outcome, error) {
	known := make(map[int64]outcome, len(edges))
	if len(edges) == 0 || journal == nil {
		return known, nil
	}
	first, last := edges[0].Ordinal, edges[0].Ordinal
	for i := range edges {
		first, last = min(first, edges[i].Ordinal), max(last, edges[i].Ordinal)
		known[keyOf(edges[i].Ordinal, edges[i].Index)] = outcome{}
	}
	for s, err := range journal.Settlements(first, last-first+1) {
		if err != nil {
			return nil, err
		}
		key := keyOf(s.Ordinal, s.Index)
		switch _, asked := known[key]; {
		case !asked:
		case s.Reopened:
			known[key] = outcome{}
		default:
			known[key] = outcome{kind: s.Outcome.Kind, code: int32(s.Outcome.Code)}
		}
	}
	return known, nil
}
