package simulator

import (
	"slices"
	"strings"
)

// updateMember reads friend_update's UpdateItem. Each tag of an item goes into the field that it
// sets; a tag that friend_update does not let change is the flaw of its item.
func (q *request) updateMember(p *scanner, name string) {
	switch name {
	case "From_Account":
		q.fromMember(p)
	case "UpdateItem":
		q.hasList = true
		p.objects(illegal(apiUpdate, name), func() {
			q.items = append(q.items, item{})
			it := &q.items[len(q.items)-1]
			p.object(func(name string) { it.updateMember(p, name) })
		})
	default:
		p.unknown(name)
	}
}

func (it *item) updateMember(p *scanner, name string) {
	switch name {
	case "To_Account":
		it.hasTo = true
		it.To = p.stringOr(60015, "To_Account is not a string")
	case "SnsItem":
		p.objects(illegal(apiUpdate, name), func() { it.snsItem(p) })
	default:
		p.unknown(name)
	}
}

// snsItem reads a Tag and the Value behind it.
func (it *item) snsItem(p *scanner) {
	tag := ""
	p.object(func(name string) {
		switch {
		case name == "Tag":
			tag = p.stringOr(30001, illegal(apiUpdate, name))
		case name != "Value":
			p.unknown(name)
		case tag == "Tag_SNS_IM_Remark":
			it.Remark = p.stringOr(30001, illegal(apiUpdate, "Remark"))
			it.spoil(it.Remark == "", "Remark")
		case tag == "Tag_SNS_IM_Group":
			it.Groups = p.strings(illegal(apiUpdate, "Group"))
			it.spoil(len(it.Groups) == 0, "Group")
		case strings.HasPrefix(tag, "Tag_SNS_Custom_"):
			c := Custom{Tag: tag}
			c.value(p, illegal(apiUpdate, "CustomItem"))
			it.Custom = append(it.Custom, c)
			it.spoil(c.Value == "", "CustomItem")
		default:
			p.skip()
			it.spoil(true, "Tag")
		}
	})
}

// spoil marks the item as one that is refused. What an empty value does is documented nowhere, so
// none is taken.
func (it *item) spoil(bad bool, field string) {
	if bad && it.spoiled == "" {
		it.spoiled = field
	}
}

// updateFriends is friend_update: it changes the fields that an item names and leaves the others.
func (k *call) updateFriends() answer {
	a := k.success()
	l := k.s.graph.open(k.from)
	defer l.close()
	for i := range k.req.items {
		it := &k.req.items[i]
		r := result{to: it.To}
		r.code, r.info = k.updateItem(l, it)
		if r.info == "" {
			r.info = itemText(apiUpdate, r.code)
		}
		a.items = append(a.items, r)
	}
	k.order(a.items)
	return a
}

func (k *call) updateItem(l *list, it *item) (code int, info string) {
	whole := *it // flaw asks for an AddSource
	whole.AddSource, whole.hasSource = "AddSource_Type_Import", true
	code, info = whole.flaw(k.from, SelfAccept)
	if code == 0 {
		code, info = it.customFlaw(k.c.RefuseIntegers)
	}
	fault, applied := k.itemFault(it.To)
	switch {
	case code != 0:
		return code, info
	case it.spoiled != "":
		return 30001, illegal(apiUpdate, it.spoiled)
	case k.clash:
		return 30008, ""
	case fault != 0 && !applied:
		return fault, ""
	}
	if l.compact && l.has(it.To) { // it keeps no fields
		k.effect.updated++
		return fault, ""
	}
	old := l.find(it.To)
	if old < 0 {
		return 30001, prefix(apiUpdate) + "Friend_Not_Exist"
	}
	f := l.full.friends[old].with(&it.Friend)
	if k.c.MaxGroups > 0 && l.groupsWith(&f) > k.c.MaxGroups {
		return 30011, ""
	}
	l.put(&f)
	k.effect.updated++
	return fault, ""
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
