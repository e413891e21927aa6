package simulator

import (
	"slices"
	"strings"
	"sync"
)

// shards is the number of locks over the graph. Every edge lies in the shard of its From_Account.
const shards = 64

// graph is every list of friends, and how many calls each account has had.
type graph struct {
	compact bool
	shard   [shards]shard
}

// shard is the graph of some accounts. The lock guards everything in it; nobody waits for anything
// while holding it.
type shard struct {
	sync.Mutex
	digest   Digest
	accounts map[string]*account // full: all accounts that ever had a friend or a call
	filled   int64               // accounts with a friend at least
	sources  map[string]string   // full: one copy of each AddSource
	hashes   hashes              // compact
}

// account is one From_Account, full.
type account struct {
	friends []Friend
	index   map[string]int32 // by To, once the list is long
	groups  map[string]int32 // friends in each group
	// sequences of friend_get: they grow with every change of a standard or custom field
	standard, custom int64
	calls            int32
}

// indexFrom is the length from which on a list has an index.
const indexFrom = 16

// list is one account's list while its shard is locked.
type list struct {
	*shard
	compact bool
	from    string
	hash    uint64
	full    *account // nil: has neither friends nor calls yet
}

// open locks the shard of an account; close unlocks it.
func (g *graph) open(from string) *list {
	h := accountHash(from)
	s := &g.shard[h%shards]
	s.Lock()
	l := &list{shard: s, compact: g.compact, from: from, hash: h}
	if !g.compact {
		l.full = s.accounts[from]
	}
	return l
}

func (l *list) close() { l.Unlock() }

// account returns the account's record, made if need be.
func (l *list) account() *account {
	if l.full == nil {
		if l.accounts == nil {
			l.accounts = map[string]*account{}
		}
		l.full = &account{}
		l.accounts[strings.Clone(l.from)] = l.full
	}
	return l.full
}

// nextCall counts a call of the account.
func (l *list) nextCall() int {
	if l.compact {
		return l.hashes.nextCall(l.hash)
	}
	a := l.account()
	a.calls++
	return int(a.calls)
}

func (l *list) len() int {
	switch {
	case l.compact:
		return l.hashes.friends(l.hash)
	case l.full == nil:
		return 0
	}
	return len(l.full.friends)
}

func (l *list) has(to string) bool {
	if l.compact {
		return l.hashes.pairs.has(pairHash(l.hash, to))
	}
	return l.find(to) >= 0
}

// find is the place of a friend in a full list, -1 if there is none.
func (l *list) find(to string) int {
	a := l.full
	switch {
	case a == nil:
		return -1
	case a.index != nil:
		if i, ok := a.index[to]; ok {
			return int(i)
		}
		return -1
	}
	for i := range a.friends {
		if a.friends[i].To == to {
			return i
		}
	}
	return -1
}

// groupsWith is the number of groups that the account would have with f in its list, in the place
// of the friend of that name.
func (l *list) groupsWith(f *Friend) int {
	if l.compact {
		return l.hashes.groupsWith(l.hash, f.Groups)
	}
	if l.full == nil {
		return distinct(f.Groups)
	}
	n := len(l.full.groups)
	var old []string
	if i := l.find(f.To); i >= 0 {
		old = l.full.friends[i].Groups
	}
	for i, g := range f.Groups {
		if l.full.groups[g] == 0 && !slices.Contains(f.Groups[:i], g) {
			n++
		}
	}
	for _, g := range old {
		if l.full.groups[g] == 1 && !slices.Contains(f.Groups, g) {
			n--
		}
	}
	return n
}

func distinct(names []string) int {
	n := 0
	for i, g := range names {
		if !slices.Contains(names[:i], g) {
			n++
		}
	}
	return n
}

// put puts f into the list, in the place of the friend of that name if there is one. It copies what
// it keeps.
func (l *list) put(f *Friend) (added bool) {
	if l.compact {
		return l.putHash(f)
	}
	a := l.account()
	kept := l.copyOf(f)
	i := l.find(f.To)
	if i < 0 {
		if len(a.friends) == 0 {
			l.filled++
		}
		i = len(a.friends)
		a.friends = append(a.friends, kept)
		if a.index != nil {
			a.index[kept.To] = int32(i)
		} else if len(a.friends) == indexFrom {
			a.reindex()
		}
		l.digest.add(pairHash(l.hash, f.To))
		a.standard++
		added = true
	} else {
		a.leave(a.friends[i].Groups)
		a.friends[i] = kept
		a.standard++
	}
	if len(kept.Custom) > 0 {
		a.custom++
	}
	for _, g := range kept.Groups {
		if a.groups == nil {
			a.groups = map[string]int32{}
		}
		a.groups[g]++
	}
	return added
}

// copyOf copies a friend out of the body that it was read from.
func (l *list) copyOf(f *Friend) Friend {
	k := *f
	k.To, k.Remark, k.AddWording = strings.Clone(f.To), strings.Clone(f.Remark), strings.Clone(f.AddWording)
	source, ok := l.sources[f.AddSource]
	if !ok {
		source = strings.Clone(f.AddSource)
		if l.sources == nil {
			l.sources = map[string]string{}
		}
		if len(l.sources) < 1000 {
			l.sources[source] = source
		}
	}
	k.AddSource = source
	k.Groups = nil
	for _, g := range f.Groups {
		if !slices.Contains(k.Groups, g) {
			k.Groups = append(k.Groups, strings.Clone(g))
		}
	}
	k.Custom = slices.Clone(f.Custom)
	for i, c := range k.Custom {
		k.Custom[i].Tag, k.Custom[i].Value = strings.Clone(c.Tag), strings.Clone(c.Value)
	}
	return k
}

func (a *account) reindex() {
	a.index = make(map[string]int32, len(a.friends))
	for i := range a.friends {
		a.index[a.friends[i].To] = int32(i)
	}
}

func (a *account) leave(groups []string) {
	for _, g := range groups {
		if a.groups[g]--; a.groups[g] <= 0 {
			delete(a.groups, g)
		}
	}
}

// remove takes a friend out of the list; the order of the others stays.
func (l *list) remove(to string) bool {
	if l.compact {
		return l.removeHash(to)
	}
	i := l.find(to)
	if i < 0 {
		return false
	}
	a := l.full
	if len(a.friends[i].Custom) > 0 {
		a.custom++
	}
	a.standard++
	a.leave(a.friends[i].Groups)
	a.friends = slices.Delete(a.friends, i, i+1)
	if a.index != nil {
		a.reindex()
	}
	if len(a.friends) == 0 {
		l.filled--
	}
	l.digest.remove(pairHash(l.hash, to))
	return true
}

// totals sums up all shards.
func (g *graph) totals() (d Digest, accounts int64) {
	for i := range g.shard {
		s := &g.shard[i]
		s.Lock()
		d.join(s.digest)
		accounts += s.filled
		s.Unlock()
	}
	return d, accounts
}

// names lists the accounts with friends in a full graph.
func (g *graph) names() []string {
	var all []string
	for i := range g.shard {
		s := &g.shard[i]
		s.Lock()
		for from, a := range s.accounts {
			if len(a.friends) > 0 {
				all = append(all, from)
			}
		}
		s.Unlock()
	}
	return all
}

// friends is a copy of a full list, so that it can be read without the lock. What the friends point
// at never changes.
func (g *graph) friends(from string) []Friend {
	l := g.open(from)
	defer l.close()
	if l.full == nil {
		return nil
	}
	return slices.Clone(l.full.friends)
}
