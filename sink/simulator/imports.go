package simulator

import (
	"slices"
	"strings"
	"time"
)

func (k *call) importFriends() answer {
	items, places := k.req.items, map[string]int(nil)
	if k.c.DuplicateTo != DuplicateEach {
		places = k.places()
	}
	if k.c.DuplicateTo == DuplicateOnce {
		n := -1
		items = slices.DeleteFunc(slices.Clone(items), func(it item) bool { n++; return places[it.To] != n })
	}
	l := k.s.graph.open(k.from)
	defer l.close()
	if code := k.fullListCode(l); code != 0 {
		return k.failure(k.api.refuse(code))
	}
	k.counts.Applied = 1
	now := uint64(time.Now().Unix())
	return k.results(len(items), func(i int) string { return items[i].To }, func(i int) refusal {
		it := &items[i]
		no := k.flaw(it)
		switch {
		case no.code != 0:
			return no
		case k.c.DuplicateTo == DuplicateItem && places[it.To] != i:
			return k.api.illegal("Duplicate_To_Account")
		case !k.s.exists(k.c, it.To):
			return refusal{code: 30003}
		}
		return no
	}, func(i int) refusal { return k.importItem(l, &items[i], now) })
}

// places returns the index at which each To_Account of the call counts. If it occurs more than
// once, that is the last index for DuplicateOnce, otherwise the first.
func (k *call) places() map[string]int {
	places := make(map[string]int, len(k.req.items))
	for i := range k.req.items {
		to := k.req.items[i].To
		if _, twice := places[to]; !twice || k.c.DuplicateTo == DuplicateOnce {
			places[to] = i
		}
	}
	return places
}

func (k *call) importItem(l *list, it *item, now uint64) refusal {
	if k.oddAccount != "" && it.To == k.oddAccount && !k.fault.Applied {
		return refusal{} // it is not imported, and the odd body does not say that it was
	}
	there := l.has(it.To)
	switch {
	case there && k.c.KeepFields:
	case !there && k.c.MaxFriends > 0 && l.n >= k.c.MaxFriends:
		return refusal{code: 30010}
	case len(it.Groups) > 0 && k.c.MaxGroups > 0 && l.groupsWith(&it.Friend) > k.c.MaxGroups:
		return refusal{code: 30011}
	default:
		f := it.Friend
		if f.AddTime == 0 && !k.c.NoAddTime {
			f.AddTime = now
		}
		l.put(f)
	}
	if !there {
		k.counts.EdgesApplied++
		return refusal{}
	}
	k.counts.EdgesReapplied++
	switch k.c.Reimport {
	case ReimportAlready:
		return refusal{code: 30015}
	case ReimportExist:
		return refusal{30001, k.api.texts + "Friend_Exist"}
	case ReimportSister:
		return refusal{30001, k.api.texts + "Already_Exist"}
	}
	return refusal{}
}

// fullListCode returns the code with which a list that is too full refuses the whole call if
// FullRefuses is set, else 0.
func (k *call) fullListCode(l *list) int {
	if !k.c.FullRefuses {
		return 0
	}
	n, all := l.n, Friend{}
	for to := range k.places() {
		if !l.has(to) {
			n++
		}
	}
	for i := range k.req.items {
		all.Groups = append(all.Groups, k.req.items[i].Groups...)
	}
	switch {
	case n > l.n && k.c.MaxFriends > 0 && n > k.c.MaxFriends:
		return 30010
	case len(all.Groups) > 0 && k.c.MaxGroups > 0 && l.groupsWith(&all) > k.c.MaxGroups:
		return 30011
	}
	return 0
}

// flaw returns what is wrong with an item itself. Limits are bytes of UTF-8.
func (k *call) flaw(it *item) refusal {
	field := ""
	switch {
	case it.To == "" || len(it.To) > maxID:
		field = "To_Account"
	case it.To == k.from && k.c.SelfTo == SelfItem && k.api.name == apiImport:
		field = "Self"
	case !isWord(it.AddSource, "AddSource_Type_") && k.api.name == apiImport:
		field = "Source"
	case len(it.Remark) > 96:
		field = "Remark"
	case len(it.AddWording) > 256:
		field = "Wording"
	case it.illegalField != "":
		field = it.illegalField
	case slices.ContainsFunc(it.Groups, func(g string) bool { return g == "" || len(g) > 30 }):
		field = "Group"
	}
	for i, c := range it.Custom {
		switch {
		case field != "":
		case len(c.Value) > 500:
			field = "Custom_Value"
		case !isWord(c.Tag, "Tag_SNS_Custom_"),
			slices.ContainsFunc(it.Custom[:i], func(other Custom) bool { return other.Tag == c.Tag }):
			field = "Custom_Tag"
		}
	}
	if field == "" {
		return refusal{}
	}
	return k.api.illegal(field)
}

// isWord reports whether t is prefix and 1 to 8 ASCII letters.
func isWord(t, prefix string) bool {
	word, ok := strings.CutPrefix(t, prefix)
	other := func(r rune) bool { return r|' ' < 'a' || r|' ' > 'z' }
	return ok && len(word) >= 1 && len(word) <= 8 && !strings.ContainsFunc(word, other)
}

func (s *Server) exists(c *Config, id string) bool {
	if c.Accounts == nil && c.Missing == nil && c.MissingShare == 0 {
		return true
	}
	s.imported.RLock()
	came := s.imported.ids.Has(id)
	s.imported.RUnlock()
	switch {
	case came:
		return true
	case c.Missing.Has(id), c.Accounts != nil && !c.Accounts(id):
		return false
	}
	return c.MissingShare == 0 || draw(c.Seed, drawMissing, accountHash(id), 0) >= c.MissingShare
}

// importAccount imports an account. It reports false if the app has as many as it may have (most;
// 0: no limit).
func (s *Server) importAccount(id string, most int) bool {
	s.imported.Lock()
	defer s.imported.Unlock()
	if most > 0 && len(s.imported.ids) >= most {
		return false
	}
	s.imported.ids[id] = struct{}{}
	return true
}

func (k *call) checkAccounts() answer {
	a := k.success()
	for _, id := range k.req.to {
		status := "NotImported"
		if k.s.exists(k.c, id) {
			status = "Imported"
		}
		a.items = append(a.items, result{to: id, members: `"AccountStatus":"` + status + `"`})
	}
	k.counts.AccountsChecked = int64(len(a.items))
	k.order(a.items)
	return a
}

func (k *call) importAccounts() answer {
	a := k.success()
	for _, id := range k.req.to {
		switch {
		case k.c.Refused.Has(id):
			a.items = append(a.items, result{to: id, code: 70402}) // named in FailAccounts, without its code
		case k.s.exists(k.c, id):
		case k.s.importAccount(id, k.c.MaxAccounts):
			k.counts.AccountsImported++
		default:
			return k.failure(k.api.refuse(70398))
		}
	}
	return a
}
