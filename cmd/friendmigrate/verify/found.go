package verify

import "friendmigrate/migrate"

// Found is what a verify has found so far: Edges = InPlace + Missing + Different + Failed +
// Pending.
type Found struct {
	Edges       int64
	InPlace     int64
	Unread      int64 // of InPlace: its fields could not be read
	Missing     int64
	Different   int64
	Failed      int64         // in the job
	FailedThere int64         // of Failed: in the service after all
	Pending     int64         // in the job, Unasked, or without a verdict
	Unasked     int64         // not asked, or not answered
	MissingBy   map[int]int64 // of Missing: by the code that the service answers instead of yes or no
	NoVerdict   map[int]int64 // by a code of the service that passes; it said neither
}

// Done reports whether there is a verdict on everything that is asked about.
func (f *Found) Done() bool { return f.Unasked == 0 && len(f.NoVerdict) == 0 }

// count adds n edges with one outcome in the journal of a verify.
func (f *Found) count(kind migrate.Kind, code int, n int64) {
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

// Found adds up what was found. What failed in the job stands apart, whatever the service has of
// it.
func (v *Verify) Found() (Found, error) {
	f := Found{MissingBy: map[int]int64{}, NoVerdict: map[int]int64{}}
	t := v.journal.Totals()
	f.count(migrate.Imported, 0, t.Imported)
	f.count(migrate.Already, 0, t.Already)
	for code, n := range t.FailedByCode {
		f.count(migrate.Failed, code, n)
	}
	f.Unasked = v.Asked() - t.Settled()
	if v.Job != nil {
		if err := v.failedBefore(&f); err != nil {
			return f, err
		}
	}
	f.Pending = f.Unasked + v.scope.edges - v.scope.asked
	for _, n := range f.NoVerdict {
		f.Pending += n
	}
	f.Edges = f.InPlace + f.Missing + f.Different + f.Failed + f.Pending
	return f, nil
}

// failedBefore takes the edges that failed in the job out of the sums. They are looked up a window
// at a time, since there may be any number.
func (v *Verify) failedBefore(f *Found) error {
	keys := make([]int64, 0, min(v.window, v.Job.Totals().Failed))
	look := func() error {
		f.Failed += int64(len(keys))
		if v.sample != nil {
			keys = keys[:0]
			return nil
		}
		known, err := lookUp(v.journal, keys)
		if err != nil {
			return err
		}
		for _, o := range known.known {
			if o.kind != migrate.Again && (o.kind != migrate.Failed || o.code == codeDifferent) {
				f.FailedThere++
			}
			f.count(o.kind, int(o.code), -1)
		}
		keys = keys[:0]
		return nil
	}
	for failed, err := range v.Job.Failures() {
		if err != nil {
			return err
		}
		if !v.speaksOf(failed.Edge.From) {
			continue
		}
		if keys = append(keys, keyOf(failed.Ordinal, failed.Index)); int64(len(keys)) == v.window {
			if err := look(); err != nil {
				return err
			}
		}
	}
	if err := look(); err != nil {
		return err
	}
	for _, by := range []map[int]int64{f.MissingBy, f.NoVerdict} {
		for code, n := range by {
			if n == 0 {
				delete(by, code)
			}
		}
	}
	return nil
}
