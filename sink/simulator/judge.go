package simulator

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
)

// refusal is the refusal of a whole call or of an item. The zero refusal means that nothing is
// refused.
type refusal struct {
	code int
	info string
}

// decideFate decides, before any time has passed, which fault hits a call and whether the service
// refuses the whole call.
func (k *call) decideFate() {
	if k.c.Script != nil {
		k.fault = k.c.Script(k.view())
	}
	if k.fault == nil {
		k.fault = k.c.outage(k.since)
	}
	if k.fault != nil && !k.fault.serves() {
		return
	}
	if k.refused = k.checkCommon(); k.refused.code != 0 {
		return
	}
	if k.from != "" {
		l := k.s.graph.open(k.from)
		k.nth = l.nextCall()
		l.close()
	}
	if k.fault == nil && k.c.hits(k) {
		k.drawFault()
	}
	if k.refused = k.checkRequest(); k.refused.code == 0 && k.api.writes && !k.api.account {
		k.occupy()
	}
}

// serves reports whether the service still works under the fault. Then the call is checked and done
// as usual. Otherwise the answer would be false in a way that no client could detect.
func (f *Fault) serves() bool {
	switch f.Kind {
	case FaultSpike, FaultDrip, FaultItems:
		return true
	case FaultBody:
		return f.Applied || kindOf(oddBodies, f.Name).trusted
	case FaultRaw:
		return f.Applied || kindOf(rawAnswers, f.Name).trusted
	}
	return f.Applied
}

func (c *Config) hits(k *call) bool {
	return c.Window.has(k.since) && (c.APIs == nil || c.APIs.Has(k.api.name))
}

func (k *call) drawFault() {
	who, n := k.drawKey()
	x := draw(k.c.Seed, drawFault, who, n)
	for i := range k.c.calls {
		if x -= k.c.calls[i].share; x < 0 {
			k.fault = &k.c.calls[i].Fault
			return
		}
	}
}

// checkCommon checks what every API checks: the limit, the URL, the signature, the admin right, the
// body.
func (k *call) checkCommon() refusal {
	switch {
	case k.over != 0:
		return k.api.refuse(k.over)
	case k.r.Method != http.MethodPost:
		return k.api.refuse(60002)
	case k.api == noCommand:
		return k.api.refuse(60009)
	}
	q, code := k.c.parameters(k.r.URL.RawQuery)
	if q.noRandom {
		k.counts.NoRandom = 1
	}
	if q.noMediaType {
		k.counts.NoContentType = 1
	}
	if code == 0 {
		code = k.s.signatures.check(k.c, q, k.arrival)
	}
	if code != 0 {
		return k.api.refuse(code)
	}
	removed := func(s Span) bool { return s.has(k.number) }
	switch admin := q.identifier == k.c.Identifier; {
	case slices.ContainsFunc(k.c.AdminRemoved, removed), !admin && !k.s.exists(k.c, q.identifier):
		return k.api.refuse(70107)
	case !admin:
		return k.api.refuse(60010)
	}
	return k.bodyRefusal
}

func (k *call) checkRequest() refusal {
	api, q := k.api, &k.req
	n := max(len(q.items), len(q.to))
	badID := func(id string) bool { return id == "" || len(id) > maxID }
	switch {
	case api.account && n <= api.most && slices.ContainsFunc(q.to, badID):
		return api.illegal("UserID")
	case api.account && (n == 0 || n > api.most):
		return api.refuse(70206)
	case api.account:
		return refusal{}
	case badID(k.from):
		return api.illegal("From_Account")
	case api.most > 0 && (n == 0 || n > api.most):
		return api.illegal("Friend_Num")
	case api.kind != "" && !slices.Contains(api.kinds, q.kind):
		return api.illegal(api.kind)
	case api.name == apiGet && q.start == nil:
		return api.illegal("StartIndex")
	case !k.s.exists(k.c, k.from):
		return api.refuse(30003)
	case api.name == apiImport:
		return k.checkImport()
	}
	return refusal{}
}

// checkImport checks whether the service refuses a whole friend_import.
func (k *call) checkImport() refusal {
	c := k.c
	hot := c.Hot.Has(k.from) || c.HotShare > 0 && draw(c.Seed, drawHot, accountHash(k.from), 0) < c.HotShare
	if hot && c.HotWindow.has(k.since) {
		return k.api.refuse(30008)
	}
	if c.DuplicateTo == DuplicateCall && len(k.places()) < len(k.req.items) {
		return k.api.illegal("Duplicate_To_Account")
	}
	for i := range k.req.items {
		it := &k.req.items[i]
		switch {
		case c.SelfTo == SelfCall && it.To == k.from:
			return k.api.illegal("Self")
		case c.poisonous(k.from, it.To):
			return refusal{30001, cmp.Or(c.PoisonInfo, k.api.text(30001))}
		}
		for _, f := range it.Custom {
			if c.MissingTags.Has(f.Tag) {
				return k.api.illegal("Custom_Tag")
			}
		}
	}
	return refusal{}
}

func (c *Config) poisonous(from, to string) bool {
	listed := c.Poison != nil && (c.Poison.Has(to) || c.Poison.Has(from+"->"+to))
	return listed || c.PoisonShare > 0 && draw(c.Seed, drawPoison, pairHash(accountHash(from), to), 0) < c.PoisonShare
}

// occupy makes the account busy for a call that changes its list. If it is busy already, the call
// or each of its items is refused.
func (k *call) occupy() {
	k.busy = k.s.watch.acquire(k.from, k.at)
	k.itemsBusy = !k.busy && k.c.ConflictItems
	if !k.busy && !k.itemsBusy {
		k.refused = k.api.refuse(30008)
	}
}

// act does what the call asks for, unless the call is refused or a fault keeps the service from it,
// and returns the answer that the API would give.
func (k *call) act() answer {
	f := k.fault
	switch {
	case k.refused.code != 0:
		return k.failure(k.refused)
	case f != nil && f.Kind == FaultCode:
		if f.Applied {
			k.do()
		}
		return k.failure(k.api.refuse(f.Code))
	case k.api.do == nil || k.bodyRefusal.code != 0 || k.r.Method != http.MethodPost:
		return k.failure(k.api.refuse(60003))
	case f == nil || f.serves() || !k.api.writes:
		return k.do()
	}
	return k.pretend()
}

func (k *call) do() answer {
	if f := k.fault; f != nil && f.Kind == FaultBody && kindOf(oddBodies, f.Name).oneItem {
		who, n := k.drawKey()
		if all := k.pretend().items; len(all) > 0 {
			k.oddAccount = all[int(draw(k.c.Seed, drawOddItem, who, n)*float64(len(all)))].to
		}
	}
	return k.api.do(k)
}

// pretend returns the answer of a complete success without having done anything. Odd answers that
// no client may accept are made from it.
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

// itemFault draws the fault of an item. A temporary code is drawn again at each call. Any other
// code always hits the same edge.
func (k *call) itemFault(to string) *Fault {
	c := k.c
	if k.fault != nil && k.fault.Kind == FaultItems {
		return k.fault
	}
	if len(c.items) == 0 || !c.hits(k) {
		return nil
	}
	_, n := k.drawKey()
	pair := pairHash(accountHash(k.from), to)
	fresh, fixed := draw(c.Seed, drawItem, pair, n), draw(c.Seed, drawItem, pair, 0)
	for i := range c.items {
		f := &c.items[i]
		x := &fixed
		if f.Code == 30006 || f.Code == 30007 || f.Code == 30008 {
			x = &fresh
		}
		if *x -= f.share; *x < 0 {
			return &f.Fault
		}
	}
	return nil
}

// results returns the answer with the results of a friend call, in the order in which the service
// answers. For each item, flaw returns what is wrong with the item itself, and do does it. Between
// the two, the account may be busy and faults may hit.
func (k *call) results(n int, to func(i int) string, flaw, do func(i int) refusal) answer {
	a := k.success()
	a.items = make([]result, 0, n)
	for i := range n {
		r := result{to: to(i)}
		no := flaw(i)
		f := k.itemFault(r.to)
		switch {
		case no.code != 0:
		case k.itemsBusy:
			no.code = 30008
		case f != nil && !f.Applied:
			no.code = f.Code
		default:
			if no = do(i); f != nil {
				no = refusal{code: f.Code}
			}
		}
		r.code, r.info = no.code, no.info
		if r.info == "" {
			r.info = k.api.text(r.code)
		}
		a.items = append(a.items, r)
	}
	k.order(a.items)
	return a
}

func (k *call) order(r []result) {
	switch k.c.Order {
	case OrderReversed:
		slices.Reverse(r)
	case OrderSorted:
		slices.SortStableFunc(r, func(a, b result) int { return strings.Compare(a.to, b.to) })
	case OrderShuffled: // in the same way for the same call
		who, n := k.drawKey()
		for i := len(r) - 1; i > 0; i-- {
			j := int(draw(k.c.Seed+uint64(i), drawOrder, who, n) * float64(i+1))
			r[i], r[j] = r[j], r[i]
		}
	}
}
