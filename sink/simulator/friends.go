package simulator

import (
	"maps"
	"slices"
	"strings"
)

// updateFriends is friend_update: it changes the fields that an item names and leaves the others.
func (k *call) updateFriends() answer {
	items := k.req.items
	l := k.s.graph.open(k.from)
	defer l.close()
	return k.each(len(items), func(i int) string { return items[i].To },
		func(i int) refusal { return k.flaw(&items[i]) },
		func(i int) refusal {
			if !l.has(items[i].To) {
				return refusal{30001, k.api.texts + "Friend_Not_Exist"}
			}
			f := l.get(items[i].To).with(&items[i].Friend)
			if k.c.MaxGroups > 0 && l.groupsWith(&f) > k.c.MaxGroups {
				return refusal{code: 30011}
			}
			l.put(f)
			k.counts.EdgesUpdated++
			return refusal{}
		})
}

// with is f with the fields that g has.
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

// listed is each for a call with a plain list of ids.
func (k *call) listed(flaw, do func(i int) refusal) answer {
	return k.each(len(k.req.to), func(i int) string { return k.req.to[i] }, flaw, do)
}

func nothing(int) refusal { return refusal{} }

// deleteFriends is friend_delete.
func (k *call) deleteFriends() answer {
	remove := func(from, to string) refusal {
		if !k.s.Remove(from, to) {
			return refusal{code: 31704}
		}
		k.counts.EdgesDeleted++
		return refusal{}
	}
	if k.req.kind == "Delete_Type_Both" && !k.clash {
		for _, to := range k.req.to {
			remove(to, k.from)
		}
	}
	return k.listed(nothing, func(i int) refusal { return remove(k.from, k.req.to[i]) })
}

// checkFriends is friend_check.
func (k *call) checkFriends() answer {
	mine := Set{}
	l := k.s.graph.open(k.from)
	for _, to := range k.req.to {
		if l.has(to) {
			mine[to] = struct{}{}
		}
	}
	l.close()
	a := k.listed(func(i int) refusal {
		to := k.req.to[i]
		switch {
		case to == "" || len(to) > maxID:
			return k.api.illegal("To_Account")
		case !k.s.exists(k.c, to):
			return refusal{code: 30003}
		}
		return refusal{}
	}, nothing)
	for i := range a.items {
		relation := "NoRelation"
		if r := &a.items[i]; r.code == 0 {
			relation = k.relation(mine.Has(r.to), r.to)
		}
		a.items[i].members = `"Relation":"CheckResult_Type_` + relation + `"`
	}
	k.counts.PairsChecked = int64(len(a.items))
	return a
}

// relation is the word for what is between From_Account and to.
func (k *call) relation(mine bool, to string) string {
	both := k.req.kind == "CheckResult_Type_Both"
	theirs := both && k.s.Has(to, k.from)
	switch {
	case mine && theirs:
		return "BothWay"
	case mine:
		return "AWithB"
	case theirs:
		return "BWithA"
	}
	return "NoRelation"
}

// getFriends is friend_get: one page of the list, in the order in which friends came into it.
func (k *call) getFriends() answer {
	l := k.s.graph.open(k.from)
	if l.compact && l.n > 0 {
		l.close()
		return k.failure(refusal{30006, "the simulator keeps a compact graph, without fields"})
	}
	p := k.pages()
	total := len(l.friends)
	start := p.friend(k.req.start, total)
	page := slices.Clone(l.friends[start:min(start+k.c.PageSize, total)])
	standard, custom := l.standard+1, l.custom+1
	l.close()
	if p.empty(k.req.start) {
		page = nil
	}
	next, complete := p.next(k.req.start, start, len(page), total)

	a := k.success()
	a.bare = true
	omitStandard, omitCustom := k.req.standard == standard, k.req.custom == custom
	if omitStandard && omitCustom {
		page = nil // nothing is new to the caller
	}
	for i := range page {
		values := page[i].values(!omitStandard, !omitCustom, p.tags)
		a.items = append(a.items, result{to: page[i].To, members: values})
	}
	k.counts.FriendsGiven = int64(len(a.items))
	a.tail = []member{
		{"StandardSequence", integer(standard)}, {"CustomSequence", integer(custom)},
		{"FriendNum", integer(int64(total) + p.off)},
		{"CompleteFlag", integer(complete)}, {"NextStartIndex", integer(next)},
	}
	return a
}

// pages says how the indices of a list go. An index counts friends. If pages without friends come
// in between it counts those as well: it is friends times per, plus those pages.
type pages struct {
	per     int64
	off     int64 // of FriendNum
	endless bool
	tags    []string
}

func (k *call) pages() pages {
	if k.c.OddLists != nil && !k.c.OddLists.Has(k.from) {
		return pages{per: 1}
	}
	tags := slices.Sorted(maps.Keys(k.c.OtherTags))
	return pages{per: k.c.EmptyPages + 1, off: k.c.FriendNumOff, endless: k.c.EndlessLists, tags: tags}
}

// empty reports whether the page at an index has no friends.
func (p pages) empty(index int64) bool { return index%p.per != p.per-1 }

// friend is the first of total friends on the page at an index.
func (p pages) friend(index int64, total int) int {
	first := index / p.per
	if p.endless && total > 0 {
		first %= int64(total)
	}
	return int(min(first, int64(total)))
}

// next is NextStartIndex and CompleteFlag of a page.
func (p pages) next(index int64, start, given, total int) (next, complete int64) {
	switch {
	case p.empty(index), given == 0 && p.endless:
		return index + 1, 0
	case start+given < total || p.endless:
		return (index/p.per + int64(given)) * p.per, 0
	}
	return 0, 1
}

// values is the ValueItem of a friend, with the other tags as well.
func (f *Friend) values(standard, custom bool, other []string) string {
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
			add("Tag_SNS_IM_Group", appendStrings(nil, f.Groups))
		}
		addText("Tag_SNS_IM_AddWording", f.AddWording)
		if f.AddTime != 0 {
			add("Tag_SNS_IM_AddTime", integer(f.AddTime))
		}
	}
	for _, tag := range other {
		addText(tag, "x")
	}
	if custom {
		for _, c := range f.Custom {
			add(c.Tag, c.json())
		}
	}
	return `"ValueItem":[` + strings.TrimPrefix(string(b), ",") + `]`
}

// json is the value in the API's form: a string or an integer.
func (c Custom) json() []byte {
	if c.Integer {
		return []byte(c.Value)
	}
	return text(c.Value)
}
