package report

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"friendmigrate/cmd/friendmigrate/exit"
)

// Join returns the report of a job in shards, of which absent ones have no journal yet. The shards'
// names of lists include their folders, and all shards have the same inputs; see Mixed.
func Join(shards []Report, absent int) Report {
	all := shards[0]
	all.FailedByCode, all.Undone = nil, nil
	all.Job.Shard, all.ShardsAbsent = fmt.Sprintf("all %d shards", len(shards)), int64(absent)
	if absent > 0 {
		all.Job.Shard = fmt.Sprintf("%d of the %d shards; the others have no state here", len(shards),
			len(shards)+absent)
	}
	undone := Undone{}
	codes := map[int]Code{}
	for i, r := range shards {
		undone = undone.Plus(r.Undone, &r.Sums)
		for _, c := range r.FailedByCode {
			c.Edges += codes[c.Code].Edges
			c.Examples = slices.Concat(codes[c.Code].Examples, c.Examples)
			c.Examples = c.Examples[:min(len(c.Examples), mostExamples)]
			codes[c.Code] = c
		}
		if i == 0 {
			continue
		}
		manyLines := all.Plan.ManyLines
		all.Sums, all.Plan = Plus(all.Sums, r.Sums), Plus(all.Plan, r.Plan)
		all.Calls = Plus(all.Calls, r.Calls)
		all.Plan.ManyLines = manyLines
		all.RejectedByReason = Plus(all.RejectedByReason, r.RejectedByReason)
		all.Runs, all.Lists = slices.Concat(all.Runs, r.Runs), slices.Concat(all.Lists, r.Lists)
		all.Series = all.Series.plus(r.Series)
		graver := all.Ending.Code != gravest(all.Ending.Code, r.Ending.Code)
		if graver || r.Ending.Running && r.Ending.Code == all.Ending.Code {
			all.Ending = r.Ending
		}
		all.Pilot, all.Rehearsal = both(all.Pilot, r.Pilot), both(all.Rehearsal, r.Rehearsal)
		if all.Verified != nil && r.Verified != nil {
			all.Verified = all.Verified.Plus(r.Verified)
		} else {
			all.Verified = nil // not every shard was verified
		}
	}
	if !undone.At.IsZero() {
		all.Undone = &undone
	}
	if code := all.Ending.Code; code == 0 || code == 3 { // else the shard's ending says what is wrong
		all.endTogether()
	}
	all.FailedByCode = slices.SortedFunc(maps.Values(codes), func(a, b Code) int { return cmp.Compare(a.Code, b.Code) })
	slices.SortStableFunc(all.Runs, func(a, b Run) int { return a.Started.Compare(b.Started) })
	return all
}

// endTogether says how shards have ended of which each has finished.
func (r *Report) endTogether() {
	how := "finished in shards"
	switch {
	case r.ShardsAbsent > 0 || r.Pending() > 0 && r.Pilot == nil:
		how, r.Ending.Code = "not finished in all shards", int(exit.Unfinished)
	case r.Pending() > 0:
		how = "the pilot is finished in all shards"
	}
	if r.Ending.What = fmt.Sprintf("%s: %s", how, r.Sums); r.Ending.Code != int(exit.Exceptions) {
		r.Ending.Hint = "" // a shard's own, which the others need not
	}
}

// Mixed returns the joint report r with the text that says which shards are of different jobs; "":
// none are.
func (r Report) Mixed(text string) Report {
	if r.ShardsMixed = text; text != "" {
		r.Verified = nil
		r.Ending.Code, r.Ending.What, r.Ending.Hint = int(exit.OtherJob), "the shards are of different jobs", ""
	}
	return r
}

func gravest(a, b int) int { return int(exit.Gravest(exit.Code(a), exit.Code(b))) }

// both returns the sum of what two shards have, or nil unless each has it.
func both[T any](a, b *T) *T {
	if a == nil || b == nil {
		return nil
	}
	return Plus(a, b)
}

// Plus returns the results of two shards together. Either may be nil.
func (v *Verified) Plus(w *Verified) *Verified {
	if v == nil || w == nil {
		return cmp.Or(v, w)
	}
	sum := Plus(v, w)
	sum.Code = gravest(v.Code, w.Code)
	if sum.Missing+sum.Different > 0 && sum.Code == int(exit.Unfinished) {
		sum.Code = int(exit.Different) // in a verify they matter more
	}
	sum.Sample = nil // its bound speaks of one shard only
	sum.What, sum.Hint = "the shards together: "+sum.String(), ""
	return sum
}

// Plus returns the undo of some shards together with that of another one, whose sums are a. A shard
// without an undo counts with what it has imported. At is the earliest, and zero if none has begun.
func (u Undone) Plus(shard *Undone, a *Sums) Undone {
	one := Undone{}
	if shard != nil {
		one = *shard
	} else if a != nil {
		one.Edges = a.Rows.Imported + a.Added.Imported
	}
	sum := Plus(u, one)
	if u.At.IsZero() || !one.At.IsZero() && one.At.Before(u.At) {
		sum.At = one.At
	}
	return sum
}

// Plus returns the sum of a and b: it adds 64-bit integers and appends lists, also inside structs,
// maps and arrays. A bool is true if both are; a nil pointer or map counts as zero. Everything else
// is taken from a. Neither argument is changed.
func Plus[T any](a, b T) T {
	add(reflect.ValueOf(&a).Elem(), reflect.ValueOf(&b).Elem())
	return a
}

func add(a, b reflect.Value) {
	switch a.Kind() {
	case reflect.Int64:
		if a.CanSet() { // time.Time has unexported numbers
			a.SetInt(a.Int() + b.Int())
		}
	case reflect.Bool:
		a.SetBool(a.Bool() && b.Bool())
	case reflect.Struct:
		for i := range a.NumField() {
			add(a.Field(i), b.Field(i))
		}
	case reflect.Array:
		for i := range a.Len() {
			add(a.Index(i), b.Index(i))
		}
	case reflect.Slice:
		a.Set(reflect.AppendSlice(a.Slice3(0, a.Len(), a.Len()), b))
	case reflect.Map:
		sum := reflect.MakeMap(a.Type())
		for _, m := range []reflect.Value{a, b} {
			for key, n := range m.Seq2() {
				both := reflect.New(n.Type()).Elem()
				if before := sum.MapIndex(key); before.IsValid() {
					both.Set(before)
				}
				add(both, n)
				sum.SetMapIndex(key, both)
			}
		}
		a.Set(sum)
	case reflect.Pointer:
		if !a.CanSet() || b.IsNil() {
			return
		}
		sum := reflect.New(a.Type().Elem())
		if sum.Elem().Set(b.Elem()); !a.IsNil() {
			sum.Elem().Set(a.Elem())
			add(sum.Elem(), b.Elem())
		}
		a.Set(sum)
	}
}

// plus returns the series of two shards together. Either may be nil.
func (s *Series) plus(t *Series) *Series {
	if s == nil || t == nil {
		return cmp.Or(s, t)
	}
	sum := &Series{Step: max(s.Step, t.Step)}
	points := slices.Concat(s.coarse(sum.Step), t.coarse(sum.Step)) // so that equal times are of different shards
	slices.SortStableFunc(points, byTime)
	for _, p := range points {
		if n := len(sum.Points); n > 0 && sum.Points[n-1].At == p.At {
			last := sum.Points[n-1]
			merged := last.merge(p)
			merged.Seconds, merged.Limit, merged.Run = max(last.Seconds, p.Seconds), last.Limit+p.Limit,
				max(last.Run, p.Run)
			sum.Points[n-1] = merged
			continue
		}
		sum.Points = append(sum.Points, p)
	}
	return sum
}

func byTime(a, b Point) int { return cmp.Compare(a.At, b.At) }
