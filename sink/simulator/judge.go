package simulator

import (
	"net/http"
	"strings"
)

// maxItems is the most friends in one call of a friend API, maxAccounts the most accounts in one of
// the account APIs, maxID the bytes of an account id (pages of the APIs; limits page).
const (
	maxItems    = 1000
	maxAccounts = 100
	maxID       = 32
)

// judge decides what becomes of a call before any time has passed: the fault that hits it, and
// whether the service refuses it as a whole.
func (k *call) judge() {
	if k.c.Script != nil {
		k.fault = k.c.Script(k.view())
	}
	if k.fault == nil {
		k.fault = k.c.outage(k.since)
	}
	if k.fault != nil && !k.fault.serves() {
		return
	}
	if k.refused = k.gate(); k.refused.code != 0 {
		return
	}
	if k.from != "" {
		l := k.s.graph.open(k.from)
		k.nth = l.nextCall()
		l.close()
	}
	if k.fault == nil {
		k.draw()
	}
	if k.refused = k.sense(); k.refused.code == 0 && (k.api == apiImport || k.api == apiUpdate || k.api == apiDelete) {
		k.occupy()
	}
}

// serves reports whether the service still works under the fault: then the call is checked and done
// as any other, or else the answer would be a lie that nobody could see through.
func (f *Fault) serves() bool {
	switch f.Kind {
	case FaultSpike, FaultDrip, FaultItems:
		return true
	case FaultBody:
		return f.Applied || bodyKind(f.Name).believed
	case FaultRaw:
		return f.Applied || rawKind(f.Name).believed
	}
	return f.Applied
}

// draw picks the fault of the call by its shares.
func (k *call) draw() {
	if !k.c.Window.open(k.since) || k.c.APIs != nil && !k.c.APIs.Has(k.api) {
		return
	}
	who, n := k.identity()
	x := draw(k.c.Seed, drawFault, who, n)
	for i := range k.c.shares {
		if x -= k.c.shares[i].share; x < 0 {
			k.fault = &k.c.shares[i].Fault
			break
		}
	}
	k.spike = k.c.Spikes > 0 && draw(k.c.Seed, drawSpike, who, n) < k.c.Spikes
}

// gate is what every API checks: the limit, the URL, the signature, the right, the body.
func (k *call) gate() refusal {
	no := func(code int) refusal { return refusal{code, callText(k.api, code)} }
	switch {
	case !k.allowed:
		k.limited = true
		return no(k.c.ThrottleCode)
	case k.c.Volume > 0 && k.number > k.c.Volume:
		return no(60028)
	case k.r.Method != http.MethodPost:
		return no(60002)
	case k.api == "":
		return no(60009)
	}
	q, wrong := k.c.parameters(k.r.URL.RawQuery)
	k.s.tally.spared(q)
	if wrong.code != 0 {
		return wrong
	}
	if code := k.s.signatures.check(k.c, q, k.arrival); code != 0 {
		return no(code)
	}
	for _, s := range k.c.AdminRemoved {
		if k.number >= s.From && (s.To == 0 || k.number < s.To) {
			return no(70107)
		}
	}
	if q.identifier != k.c.Identifier {
		if !k.s.exists(k.c, q.identifier) {
			return no(70107)
		}
		return no(k.c.AdminCode)
	}
	return k.outer
}

// sense checks what the API asks of the whole request.
func (k *call) sense() refusal {
	q := k.req
	illegalField := func(field string) refusal { return refusal{30001, illegal(k.api, field)} }
	if k.api == apiAccountCheck || k.api == apiAccountImport || k.api == apiAccountsImport {
		return k.senseAccounts()
	}
	if !q.hasFrom || k.from == "" || len(k.from) > maxID {
		return illegalField("From_Account")
	}
	switch k.api {
	case apiImport, apiUpdate:
		if n := len(q.items); n == 0 || n > maxItems {
			return illegalField("Friend_Num")
		}
		for i := range q.items {
			if !q.items[i].hasTo {
				return illegalField("To_Account")
			}
		}
	case apiCheck:
		if n := len(q.to); n == 0 || n > maxItems {
			return illegalField("To_Account")
		}
		if q.kind != "CheckResult_Type_Single" && q.kind != "CheckResult_Type_Both" {
			return illegalField("CheckType")
		}
	case apiDelete:
		if n := len(q.to); n == 0 || n > maxItems {
			return illegalField("To_Account")
		}
		if q.kind != "" && q.kind != "Delete_Type_Single" && q.kind != "Delete_Type_Both" {
			return illegalField("DeleteType")
		}
	case apiGet:
		if !q.hasStart {
			return illegalField("StartIndex")
		}
	}
	if !k.s.exists(k.c, k.from) {
		return refusal{30003, callText(k.api, 30003)}
	}
	if k.api == apiImport {
		return k.senseImport()
	}
	return refusal{}
}

func (k *call) senseAccounts() refusal {
	switch n := len(k.req.to); {
	case !k.req.hasList:
		return refusal{70402, "Err_TLS_Invalid_Param"}
	case n == 0, n > maxAccounts, k.api == apiAccountImport && n > 1:
		return refusal{70206, callText(k.api, 70206)}
	}
	for _, id := range k.req.to {
		if id == "" || len(id) > maxID {
			return refusal{70402, "Err_TLS_Invalid_Param"}
		}
	}
	return refusal{}
}

// senseImport finds what makes the service refuse a friend_import as a whole.
func (k *call) senseImport() refusal {
	c := k.c
	if c.HotWindow.open(k.since) {
		if c.Hot.Has(k.from) || c.HotShare > 0 && draw(c.Seed, drawHot, accountHash(k.from), 0) < c.HotShare {
			return refusal{c.HotCode, callText(k.api, c.HotCode)}
		}
	}
	var seen Set
	if c.DuplicateTo == DuplicateCall {
		seen = make(Set, len(k.req.items))
	}
	for i := range k.req.items {
		it := &k.req.items[i]
		if seen != nil {
			if seen.Has(it.To) {
				return refusal{30001, illegal(k.api, "Duplicate_To_Account")}
			}
			seen[it.To] = struct{}{}
		}
		switch {
		case c.SelfTo == SelfCall && it.To == k.from:
			return refusal{30001, illegal(k.api, "Self")}
		case c.poisonous(k.from, it.To):
			if c.PoisonInfo != "" {
				return refusal{c.PoisonCode, c.PoisonInfo}
			}
			return refusal{c.PoisonCode, callText(k.api, c.PoisonCode)}
		}
		for _, f := range it.Custom {
			if c.MissingTags.Has(f.Tag) || c.CustomTags != nil && !c.CustomTags.Has(f.Tag) {
				return refusal{30001, illegal(k.api, "Custom_Tag")}
			}
		}
	}
	return refusal{}
}

// poisonous reports whether an edge spoils its whole call.
func (c *Config) poisonous(from, to string) bool {
	if c.Poison != nil && (c.Poison.Has(to) || c.Poison.Has(from+"->"+to)) {
		return true
	}
	return c.PoisonShare > 0 && draw(c.Seed, drawPoison, pairHash(accountHash(from), to), 0) < c.PoisonShare
}

// occupy makes the account busy for a call that changes its list, or refuses the call because it is
// busy already.
func (k *call) occupy() {
	if k.busy = k.s.watch.acquire(k.from, k.at); k.busy {
		return
	}
	if k.c.ConflictItems {
		k.clash = true
		return
	}
	k.refused = refusal{30008, callText(k.api, 30008)}
}

// flaw is what is wrong with an item by itself: a code and its text, or 0. Limits are bytes of
// UTF-8.
func (it *item) flaw(from string, self SelfTo) (int, string) {
	bad := func(field string) (int, string) { return 30001, illegal(apiImport, field) }
	word, isSource := strings.CutPrefix(it.AddSource, "AddSource_Type_")
	switch {
	case it.To == "" || len(it.To) > maxID:
		return bad("To_Account")
	case it.To == from && self == SelfItem:
		return bad("Self")
	case !it.hasSource || !isSource || len(word) < 1 || len(word) > 8 || !letters(word):
		return bad("Source")
	case len(it.Remark) > 96:
		return bad("Remark")
	case len(it.AddWording) > 256:
		return bad("Wording")
	}
	for _, g := range it.Groups {
		if g == "" || len(g) > 30 {
			return bad("Group")
		}
	}
	return 0, ""
}

// customFlaw is what is wrong with an item's custom fields.
func (it *item) customFlaw(refuseIntegers bool) (int, string) {
	for i, c := range it.Custom {
		word, ok := strings.CutPrefix(c.Tag, "Tag_SNS_Custom_")
		if !ok || len(word) < 1 || len(word) > 8 || !letters(word) {
			return 30001, illegal(apiImport, "Custom_Tag")
		}
		if len(c.Value) > 500 || c.Integer && refuseIntegers {
			return 30001, illegal(apiImport, "Custom_Value")
		}
		for _, other := range it.Custom[:i] {
			if other.Tag == c.Tag {
				return 30001, illegal(apiImport, "Custom_Tag")
			}
		}
	}
	return 0, ""
}

// letters reports whether t consists of ASCII letters.
func letters(t string) bool {
	for i := range len(t) {
		if c := t[i] | ' '; c < 'a' || c > 'z' {
			return false
		}
	}
	return true
}
