package simulator

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// order puts results in the order that the service answers in.
func (k *call) order(r []result) {
	switch k.c.Order {
	case OrderReversed:
		slices.Reverse(r)
	case OrderSorted:
		slices.SortStableFunc(r, func(a, b result) int { return strings.Compare(a.to, b.to) })
	case OrderShuffled:
		k.shuffle(r)
	}
}

// shuffle mixes results up, the same way for the same call.
func (k *call) shuffle(r []result) {
	who, n := k.identity()
	for i := len(r) - 1; i > 0; i-- {
		j := int(draw(k.c.Seed+uint64(i), drawOrder, who, n) * float64(i+1))
		r[i], r[j] = r[j], r[i]
	}
}

// checkFriends is friend_check.
func (k *call) checkFriends() answer {
	a := k.success()
	a.list = "InfoItem"
	mine := make([]bool, len(k.req.to))
	l := k.s.graph.open(k.from)
	for i, to := range k.req.to {
		mine[i] = l.has(to)
	}
	l.close()
	for i, to := range k.req.to {
		r := result{to: to}
		relation := "NoRelation"
		switch {
		case to == "" || len(to) > maxID:
			r.code, r.info = 30001, illegal(apiCheck, "To_Account")
		case !k.s.exists(k.c, to):
			r.code, r.info = 30003, itemText(apiCheck, 30003)
		default:
			if r.code, _ = k.itemFault(to); r.code != 0 {
				r.info = itemText(apiCheck, r.code)
			} else {
				relation = k.relation(mine[i], to)
			}
		}
		r.members = `"Relation":"CheckResult_Type_` + relation + `"`
		a.items = append(a.items, r)
	}
	k.effect.checked = len(a.items)
	k.order(a.items)
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
	if k.s.graph.compact && l.len() > 0 {
		l.close()
		return k.failure(refusal{30006, "the simulator keeps a compact graph, without fields"})
	}
	var page []Friend
	var total, start int
	standard, custom := int64(1), int64(1)
	pages := k.pages()
	if l.full != nil {
		total = len(l.full.friends)
		start = pages.friend(k.req.start, total)
		page = slices.Clone(l.full.friends[start:min(start+k.c.PageSize, total)])
		standard, custom = l.full.standard+1, l.full.custom+1
	}
	l.close()
	if pages.empty(k.req.start) {
		page = nil
	}

	a := k.success()
	a.list, a.bare = "UserDataItem", true
	omitStandard, omitCustom := k.req.standard == standard, k.req.custom == custom
	for i := range page {
		if omitStandard && omitCustom {
			break // nothing is new to the caller
		}
		values := page[i].values(!omitStandard, !omitCustom, pages.tags)
		a.items = append(a.items, result{to: page[i].To, members: values})
	}
	k.effect.given = len(a.items)
	next, complete := pages.next(k.req.start, start, len(page), total)
	a.tail = fmt.Sprintf(`"StandardSequence":%d,"CustomSequence":%d,"FriendNum":%d,`, standard, custom,
		int64(total)+pages.off) +
		fmt.Sprintf(`"CompleteFlag":%d,"NextStartIndex":%d,`, complete, next)
	return a
}

// pages is how the indices of a list go. An index counts friends or, where pages without friends
// come in between, friends times per and those pages.
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
	first := max(0, index/p.per)
	if p.endless && total > 0 {
		first %= int64(total)
	}
	return int(min(first, int64(total)))
}

// next is NextStartIndex and CompleteFlag of a page.
func (p pages) next(index int64, start, given, total int) (next int64, complete int) {
	switch {
	case p.empty(index), given == 0 && p.endless:
		return index + 1, 0
	case start+given < total || p.endless:
		return (index/p.per + int64(given)) * p.per, 0
	}
	return 0, 1
}

// values writes the ValueItem of a friend. It has the other tags as well.
func (f *Friend) values(standard, custom bool, other []string) string {
	b := []byte(`"ValueItem":[`)
	add := func(tag string, value func()) {
		if b[len(b)-1] != '[' {
			b = append(b, ',')
		}
		b = append(b, `{"Tag":`...)
		b = appendQuoted(b, tag)
		b = append(b, `,"Value":`...)
		value()
		b = append(b, '}')
	}
	text := func(tag, value string) {
		if value != "" {
			add(tag, func() { b = appendQuoted(b, value) })
		}
	}
	if standard {
		text("Tag_SNS_IM_AddSource", f.AddSource)
		text("Tag_SNS_IM_Remark", f.Remark)
		if len(f.Groups) > 0 {
			add("Tag_SNS_IM_Group", func() { b = appendStrings(b, f.Groups) })
		}
		text("Tag_SNS_IM_AddWording", f.AddWording)
		if f.AddTime != 0 {
			add("Tag_SNS_IM_AddTime", func() { b = strconv.AppendInt(b, f.AddTime, 10) })
		}
	}
	for _, tag := range other {
		text(tag, "x")
	}
	for _, c := range f.Custom {
		if !custom {
			break
		}
		add(c.Tag, func() {
			if c.Integer {
				b = append(b, c.Value...)
			} else {
				b = appendQuoted(b, c.Value)
			}
		})
	}
	return string(append(b, ']'))
}

// deleteFriends is friend_delete.
func (k *call) deleteFriends() answer {
	a := k.success()
	l := k.s.graph.open(k.from)
	for _, to := range k.req.to {
		r := result{to: to}
		fault, applied := k.itemFault(to)
		switch {
		case k.clash:
			r.code = 30008
		case fault != 0 && !applied:
			r.code = fault
		case l.remove(to):
			k.effect.deleted++
			r.code = fault
		default:
			r.code = 31704
		}
		r.info = itemText(apiDelete, r.code)
		a.items = append(a.items, r)
	}
	l.close()
	if k.req.kind == "Delete_Type_Both" && !k.clash {
		for _, to := range k.req.to {
			if k.s.Remove(to, k.from) {
				k.effect.deleted++
			}
		}
	}
	k.order(a.items)
	return a
}

// checkAccounts is account_check.
func (k *call) checkAccounts() answer {
	a := k.success()
	a.id = "UserID"
	for _, id := range k.req.to {
		status := "NotImported"
		if k.s.exists(k.c, id) {
			status = "Imported"
		}
		a.items = append(a.items, result{to: id, members: `"AccountStatus":"` + status + `"`})
	}
	k.effect.accounts = len(a.items)
	k.order(a.items)
	return a
}

// importAccounts is account_import and multiaccount_import.
func (k *call) importAccounts() answer {
	a := k.success()
	for _, id := range k.req.to {
		switch {
		case k.c.Refused.Has(id):
			a.items = append(a.items, result{to: id, code: 70402}) // named in FailAccounts, without a code
		case k.s.exists(k.c, id):
		case k.s.admit(id, k.c.MaxAccounts):
			k.effect.newAccounts++
		default:
			return k.failure(refusal{70398, callText(k.api, 70398)})
		}
	}
	return a
}
