package simulator

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// updateFriends is friend_update. It changes the fields that an item has and leaves the others.
func (k *call) updateFriends() answer {
	items := k.req.items
	l := k.s.graph.open(k.from)
	defer l.close()
	return k.results(len(items), func(i int) string { return items[i].To },
		func(i int) refusal { return k.flaw(&items[i]) },
		func(i int) refusal {
			if !l.has(items[i].To) {
				return refusal{30001, k.api.texts + "Friend_Not_Exist"}
			}
			f := Friend{To: items[i].To} // a compact graph has no fields
			if at := l.find(f.To); at >= 0 {
				f = l.friends[at]
			}
			f = f.with(&items[i].Friend)
			if k.c.MaxGroups > 0 && l.groupsWith(&f) > k.c.MaxGroups {
				return refusal{code: 30011}
			}
			l.put(f)
			k.counts.EdgesUpdated++
			return refusal{}
		})
}

// with returns f with the fields that g has.
func (f Friend) with(g *Friend) Friend {
	if g.Remark != "" {
		f.Remark = g.Remark
	}
	if len(g.Groups) > 0 {
		f.Groups = g.Groups
	}
	f.Custom = slices.Clone(f.Custom)
	for _, c := range g.Custom {
		i := slices.IndexFunc(f.Custom, func(old Custom) bool { return old.Tag == c.Tag })
		if i < 0 {
			f.Custom = append(f.Custom, c)
		} else {
			f.Custom[i] = c
		}
	}
	return f
}

// resultsOfIDs is results for a call with a plain list of ids.
func (k *call) resultsOfIDs(flaw, do func(i int) refusal) answer {
	return k.results(len(k.req.to), func(i int) string { return k.req.to[i] }, flaw, do)
}

func accept(int) refusal { return refusal{} }

func (k *call) deleteFriends() answer {
	return k.resultsOfIDs(accept, func(i int) refusal {
		if !k.s.Remove(k.from, k.req.to[i]) {
			return refusal{code: 31704}
		}
		k.counts.EdgesDeleted++
		return refusal{}
	})
}

func (k *call) checkFriends() answer {
	mine := Set{}
	l := k.s.graph.open(k.from)
	for _, to := range k.req.to {
		if l.has(to) {
			mine[to] = struct{}{}
		}
	}
	l.close()
	a := k.resultsOfIDs(func(i int) refusal {
		to := k.req.to[i]
		switch {
		case to == "" || len(to) > maxID:
			return k.api.illegal("To_Account")
		case !k.s.exists(k.c, to):
			return refusal{code: 30003}
		}
		return refusal{}
	}, accept)
	for i := range a.items {
		r, relation := &a.items[i], "NoRelation"
		if r.code == 0 && mine.Has(r.to) {
			relation = "AWithB"
		}
		r.members = `"Relation":"CheckResult_Type_` + relation + `"`
	}
	k.counts.PairsChecked = int64(len(a.items))
	return a
}

// getFriends is friend_get: one page of the list, in the order in which friends came into it.
func (k *call) getFriends() answer {
	odd, tags := k.c.OddLists == nil || k.c.OddLists.Has(k.from), Set(nil)
	l := k.s.graph.open(k.from)
	page, next := k.pageOf(l.friends, odd)
	page = slices.Clone(page)
	standard, custom, n := l.standard+1, l.custom+1, l.n
	l.close()
	if k.s.graph.compact && n > 0 {
		return k.failure(refusal{30006, "the simulator keeps a compact graph, without fields"})
	}
	total, complete := int64(n), int64(0)
	if odd {
		total, tags = total+k.c.FriendNumOff, k.c.OtherTags
	}
	if next == 0 {
		complete = 1
	}
	a := k.success()
	omitStandard, omitCustom := k.req.standard == standard, k.req.custom == custom
	if omitStandard && omitCustom {
		page = nil // the caller has all of it already
	}
	a.noCodes = true
	for i := range page {
		values := page[i].values(!omitStandard, !omitCustom, tags)
		a.items = append(a.items, result{to: page[i].To, members: values})
	}
	a.tail = []member{
		{"StandardSequence", integer(standard)}, {"CustomSequence", integer(custom)}, {"FriendNum", integer(total)},
		{"CompleteFlag", integer(complete)}, {"NextStartIndex", integer(next)},
	}
	return a
}

// pageOf returns the page of a list at the index that the call asks for, and the index of the next
// page, 0 after the last. An index counts friends. With pages without friends in between, it counts
// friends times (EmptyPages+1) plus those pages.
func (k *call) pageOf(friends []Friend, odd bool) (page []Friend, next int64) {
	per, endless := int64(1), false
	if odd {
		per, endless = k.c.EmptyPages+1, k.c.EndlessLists
	}
	start := cmp.Or(k.req.start, new(uint32)) // nil under a fault that comes before all checks
	index, total := int64(*start), int64(len(friends))
	if index%per != per-1 || endless && total == 0 {
		return nil, index + 1
	}
	first := index / per
	if endless {
		first %= total
	}
	first = min(first, total)
	last := min(first+int64(k.c.PageSize), total)
	if last < total || endless {
		next = (index/per + last - first) * per
	}
	return friends[first:last], next
}

// values returns the ValueItem of a friend, with the other tags too.
func (f *Friend) values(standard, custom bool, other Set) string {
	var b []byte
	add := func(tag string, value []byte) {
		b = append(append(b, ","...), object([]member{{"Tag", text(tag)}, {"Value", value}})...)
	}
	addText := func(tag, value string) {
		if value != "" {
			add(tag, text(value))
		}
	}
	if standard {
		addText("Tag_SNS_IM_AddSource", f.AddSource)
		addText("Tag_SNS_IM_Remark", f.Remark)
		if len(f.Groups) > 0 {
			add("Tag_SNS_IM_Group", texts(f.Groups))
		}
		addText("Tag_SNS_IM_AddWording", f.AddWording)
		if f.AddTime != 0 {
			add("Tag_SNS_IM_AddTime", integer(f.AddTime))
		}
	}
	for _, tag := range slices.Sorted(maps.Keys(other)) {
		addText(tag, "x")
	}
	if custom {
		for _, c := range f.Custom {
			add(c.Tag, c.json())
		}
	}
	return `"ValueItem":[` + strings.TrimPrefix(string(b), ",") + `]`
}

func (c Custom) json() []byte {
	if c.Integer {
		return []byte(c.Value)
	}
	return text(c.Value)
}
