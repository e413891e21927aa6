package simulator

import (
	"slices"
	"strings"
	"sync"
)

// Friend is an edge in the graph: what the service keeps about To in From's list.
type Friend struct {
	To         string   `json:"To_Account"`
	Remark     string   `json:"Remark,omitempty"`
	RemarkTime int64    `json:"RemarkTime,omitempty"` // Unix seconds; friend_get has no tag for it
	Groups     []string `json:"GroupName,omitempty"`
	AddSource  string   `json:"AddSource,omitempty"`
	AddWording string   `json:"AddWording,omitempty"`
	AddTime    int64    `json:"AddTime,omitempty"` // Unix seconds
	Custom     []Custom `json:"CustomItem,omitempty"`
}

// Custom is a custom friend field.
type Custom struct {
	Tag     string
	Value   string // a string as it is, an integer as its digits
	Integer bool
}

// shards is the number of locks over the graph. Every edge lies in the shard of its From_Account.
const shards = 64

// graph is every list of friends, and how many calls each account has had.
type graph struct {
	compact bool // pairs are kept as hashes, and fields not at all
	shard   [shards]shard
}

// shard is the graph of some accounts. Nobody waits for anything while holding the lock.
type shard struct {
	sync.Mutex
	digest   Digest
	accounts map[string]*account // all that were ever asked about
}

// account is one From_Account.
type account struct {
	n       int              // friends
	friends []Friend         // none if compact
	pairs   []uint64         // compact: hashes of all pairs, sorted
	index   map[string]int32 // by To
	groups  map[string]int32 // friends in each group; if compact, those of old are counted too
	calls   int32

	standard, custom int64 // sequences of friend_get: they grow with every change of such a field
}

// list is one account's list while its shard is locked.
type list struct {
	*shard
	*account
	compact bool
	hash    uint64 // of the account
}

// open locks the shard of an account; close unlocks it.
func (g *graph) open(from string) *list {
	h := accountHash(from)
	s := &g.shard[h%shards]
	s.Lock()
	a := s.accounts[from]
	if a == nil {
		if s.accounts == nil {
			s.accounts = map[string]*account{}
		}
		a = &account{}
		s.accounts[strings.Clone(from)] = a
	}
	return &list{s, a, g.compact, h}
}

func (l *list) close() { l.Unlock() }

// nextCall counts a call of the account.
func (l *list) nextCall() int {
	l.calls++
	return int(l.calls)
}

func (l *list) has(to string) bool {
	if l.compact {
		_, there := slices.BinarySearch(l.pairs, pairHash(l.hash, to))
		return there
	}
	return l.find(to) >= 0
}

// find is the place of a friend in a full list, -1 if there is none.
func (l *list) find(to string) int {
	if i, ok := l.index[to]; ok {
		return int(i)
	}
	return -1
}

// groupsWith is the number of groups that the account would have with f in its list, in the place
// of the friend of that name.
func (l *list) groupsWith(f *Friend) int {
	n := len(l.groups)
	for _, g := range distinct(f.Groups) {
		if l.groups[g] == 0 {
			n++
		}
	}
	if i := l.find(f.To); i >= 0 {
		for _, g := range l.friends[i].Groups {
			if l.groups[g] == 1 && !slices.Contains(f.Groups, g) {
				n--
			}
		}
	}
	return n
}

// put puts f into the list, in the place of the friend of that name if there is one. What f points
// at must not change afterwards.
func (l *list) put(f Friend) {
	f.Groups = distinct(f.Groups)
	pair := pairHash(l.hash, f.To)
	at, added := l.find(f.To), false
	switch {
	case l.compact:
		i, there := slices.BinarySearch(l.pairs, pair)
		if added = !there; added {
			l.pairs = slices.Insert(l.pairs, i, pair)
		}
	case at >= 0:
		l.leave(l.friends[at].Groups)
		l.friends[at] = f
	default:
		if added = true; l.index == nil {
			l.index = map[string]int32{}
		}
		l.index[f.To] = int32(len(l.friends))
		l.friends = append(l.friends, f)
	}
	if added {
		l.digest.add(pair)
		l.n++
	}
	l.standard++
	if len(f.Custom) > 0 {
		l.custom++
	}
	if l.groups == nil && f.Groups != nil {
		l.groups = map[string]int32{}
	}
	for _, g := range f.Groups {
		if l.compact {
			g = strings.Clone(g) // it would keep the whole request
		}
		l.groups[g]++
	}
}

// distinct is names without those that stand there a second time.
func distinct(names []string) (once []string) {
	for _, n := range names {
		if !slices.Contains(once, n) {
			once = append(once, n)
		}
	}
	return once
}

// reindex makes the index of a list in which places have changed.
func (a *account) reindex() {
	a.index = make(map[string]int32, len(a.friends))
	for i := range a.friends {
		a.index[a.friends[i].To] = int32(i)
	}
}

// leave takes a friend out of groups.
func (a *account) leave(groups []string) {
	for _, g := range groups {
		if a.groups[g]--; a.groups[g] <= 0 {
			delete(a.groups, g)
		}
	}
}

// remove takes a friend out of the list and reports whether it was there. The order of the others
// stays.
func (l *list) remove(to string) bool {
	if !l.has(to) {
		return false
	}
	pair := pairHash(l.hash, to)
	l.digest.remove(pair)
	l.n--
	l.standard++
	if l.compact {
		i, _ := slices.BinarySearch(l.pairs, pair)
		l.pairs = slices.Delete(l.pairs, i, i+1)
		return true
	}
	i := l.find(to)
	if len(l.friends[i].Custom) > 0 {
		l.custom++
	}
	l.leave(l.friends[i].Groups)
	l.friends = slices.Delete(l.friends, i, i+1)
	l.reindex()
	return true
}

// names lists the accounts with friends, and sums up the digests.
func (g *graph) names() (all []string, d Digest) {
	for i := range g.shard {
		s := &g.shard[i]
		s.Lock()
		d.join(s.digest, 1)
		for from, a := range s.accounts {
			if a.n > 0 {
				all = append(all, from)
			}
		}
		s.Unlock()
	}
	return all, d
}

// friends is a copy of a list, so that it can be read without the lock. What the friends point at
// never changes.
func (g *graph) friends(from string) []Friend {
	l := g.open(from)
	defer l.close()
	return slices.Clone(l.account.friends)
}
