package simulator

import (
	"net/http"
	"time"
)

// act does what the call asks for, unless it is refused or a fault keeps the service from it, and
// makes the answer that the API would give.
func (k *call) act() answer {
	if k.refused.code != 0 {
		return k.failure(k.refused)
	}
	f := k.fault
	if f != nil && f.Kind == FaultCode {
		if f.Applied {
			k.do()
		}
		return k.failure(refusal{f.Code, callText(k.api, f.Code)})
	}
	if f == nil || f.serves() || !k.writes() {
		return k.do()
	}
	if k.api == "" || k.outer.code != 0 || k.r.Method != http.MethodPost {
		return k.failure(refusal{60003, callText(k.api, 60003)})
	}
	return k.pretend()
}

// writes reports whether the API changes anything.
func (k *call) writes() bool { return k.api != apiCheck && k.api != apiGet && k.api != apiAccountCheck }

// do carries the call out.
func (k *call) do() answer {
	if k.fault != nil && k.fault.Kind == FaultBody {
		if bodyKind(k.fault.Name).victim {
			who, n := k.identity()
			if items := max(len(k.req.items), len(k.req.to)); items > 0 {
				k.victim = int(draw(k.c.Seed, drawVictim, who, n) * float64(items))
			}
		}
	}
	k.effect.done = true
	switch k.api {
	case apiImport:
		return k.importFriends()
	case apiCheck:
		return k.checkFriends()
	case apiGet:
		return k.getFriends()
	case apiUpdate:
		return k.updateFriends()
	case apiDelete:
		return k.deleteFriends()
	case apiAccountCheck:
		return k.checkAccounts()
	}
	return k.importAccounts()
}

// pretend makes the answer of a complete success without having done anything: what an odd answer
// is made of that nobody may believe.
func (k *call) pretend() answer {
	a := k.success()
	for i := range k.req.items {
		a.items = append(a.items, result{to: k.req.items[i].To})
	}
	for _, to := range k.req.to {
		a.items = append(a.items, result{to: to})
	}
	return a
}

// importFriends is friend_import.
func (k *call) importFriends() answer {
	items := k.req.items
	a := k.success()
	a.items = make([]result, 0, len(items))
	repeats := k.repeats()
	now := time.Now().Unix()
	l := k.s.graph.open(k.from)
	defer l.close()
	if code := k.wholeList(l); code != 0 {
		k.effect.done = false
		return k.failure(refusal{code, callText(k.api, code)})
	}
	for i := range items {
		if repeats.skip(i) {
			continue
		}
		r := k.importItem(l, &items[i], i, now, repeats.refused(i))
		a.items = append(a.items, r)
	}
	k.order(a.items)
	return a
}

// importItem imports one item and says what its ResultItem says.
func (k *call) importItem(l *list, it *item, i int, now int64, repeated bool) result {
	r := result{to: it.To}
	say := func(code int) result {
		r.code, r.info = code, itemText(apiImport, code)
		return r
	}
	if r.code, r.info = it.flaw(k.from, k.c.SelfTo); r.code != 0 {
		return r
	}
	if r.code, r.info = it.customFlaw(k.c.RefuseIntegers); r.code != 0 {
		return r
	}
	switch {
	case repeated:
		r.code, r.info = 30001, illegal(apiImport, "Duplicate_To_Account")
		return r
	case !k.s.exists(k.c, it.To):
		return say(30003)
	case k.clash:
		return say(30008)
	}
	fault, applied := k.itemFault(it.To)
	if fault != 0 && !applied {
		return say(fault)
	}
	if i == k.victim && !k.fault.Applied {
		return r // nothing is done for it, and the odd body doesn't say that it was
	}
	if code := k.place(l, it, now); code != 0 {
		r.code, r.info = code, itemText(apiImport, code)
		if code == 30001 {
			r.info = prefix(apiImport) + "Friend_Exist"
			if k.c.Reimport == ReimportSister {
				r.info = prefix(apiImport) + "Already_Exist"
			}
		}
	}
	if fault != 0 {
		return say(fault)
	}
	return r
}

// place puts an item into the list, if it fits, and returns its ResultCode.
func (k *call) place(l *list, it *item, now int64) int {
	there := l.has(it.To)
	switch {
	case there && k.c.KeepFields:
	case !there && k.c.MaxFriends > 0 && l.len() >= k.c.MaxFriends:
		return 30010
	case len(it.Groups) > 0 && k.c.MaxGroups > 0 && l.groupsWith(&it.Friend) > k.c.MaxGroups:
		return 30011
	default:
		f := it.Friend
		if f.AddTime == 0 && !k.c.NoAddTime {
			f.AddTime = now
		}
		l.put(&f)
	}
	if !there {
		k.effect.applied++
		return 0
	}
	k.effect.reapplied++
	switch k.c.Reimport {
	case ReimportAlready:
		return 30015
	case ReimportExist, ReimportSister:
		return 30001
	}
	return 0
}

// itemFault draws the fault of an item. What passes by itself is drawn at each call; what doesn't
// is a property of the edge.
func (k *call) itemFault(to string) (code int, applied bool) {
	c := k.c
	if k.fault != nil && k.fault.Kind == FaultItems {
		return k.fault.Code, k.fault.Applied
	}
	if len(c.Items) == 0 && len(c.ItemsApplied) == 0 || !c.Window.open(k.since) || c.APIs != nil && !c.APIs.Has(k.api) {
		return 0, false
	}
	_, n := k.identity()
	pair := pairHash(accountHash(k.from), to)
	fresh, fixed := draw(c.Seed, drawItem, pair, n), draw(c.Seed, drawItem, pair, 0)
	for _, table := range [...]map[int]float64{c.Items, c.ItemsApplied} {
		for _, code := range sortedKeys(table) {
			x := &fixed
			if code == 30006 || code == 30007 || code == 30008 {
				x = &fresh
			}
			if *x -= table[code]; *x < 0 {
				return code, applied
			}
		}
		applied = true
	}
	return 0, false
}

// wholeList is the code by which a list that is too full refuses the whole call, where the service
// is read that way.
func (k *call) wholeList(l *list) int {
	if !k.c.FullRefuses {
		return 0
	}
	fresh := Set{}
	var all Friend
	for i := range k.req.items {
		it := &k.req.items[i]
		if !l.has(it.To) {
			fresh[it.To] = struct{}{}
		}
		all.Groups = append(all.Groups, it.Groups...)
	}
	switch {
	case len(fresh) > 0 && k.c.MaxFriends > 0 && l.len()+len(fresh) > k.c.MaxFriends:
		return 30010
	case len(all.Groups) > 0 && k.c.MaxGroups > 0 && l.groupsWith(&all) > k.c.MaxGroups:
		return 30011
	}
	return 0
}

// repeats knows the items whose To_Account stands in the call more than once.
type repeats struct {
	how   DuplicateTo
	first map[string]int
	last  map[string]int
	items []item
}

func (k *call) repeats() repeats {
	r := repeats{how: k.c.DuplicateTo, items: k.req.items}
	switch r.how {
	case DuplicateOnce:
		r.last = map[string]int{}
		for i := range r.items {
			r.last[r.items[i].To] = i
		}
	case DuplicateItem:
		r.first = map[string]int{}
		for i := range r.items {
			if _, ok := r.first[r.items[i].To]; !ok {
				r.first[r.items[i].To] = i
			}
		}
	}
	return r
}

// skip reports whether item i has no part in the call because a later one replaces it.
func (r *repeats) skip(i int) bool { return r.how == DuplicateOnce && r.last[r.items[i].To] != i }

// refused reports whether item i fails because an earlier one has its To_Account.
func (r *repeats) refused(i int) bool { return r.how == DuplicateItem && r.first[r.items[i].To] != i }
