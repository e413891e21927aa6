package simulator

import (
	"fmt"
	"slices"
	"sync"
)

// Friend is an edge in the graph: the service's data about To in From's list.
type Friend struct {
	To         string   `json:"To_Account"`
	Remark     string   `json:"Remark,omitempty"`
	RemarkTime uint64   `json:"RemarkTime,omitzero"` // Unix seconds; friend_get has no tag for it
	Groups     []string `json:"GroupName,omitempty"`
	AddSource  string   `json:"AddSource,omitempty"`
	AddWording string   `json:"AddWording,omitempty"`
	AddTime    uint64   `json:"AddTime,omitzero"` // Unix seconds
	Custom     []Custom `json:"CustomItem,omitempty"`
}

// Custom is a custom friend field.
type Custom struct {
	Tag     string
	Value   string // a string as it is, an integer as its digits
	Integer bool
}

// shards is the number of locks over the graph. Every edge is in the shard of its From_Account.
const shards = 64

// graph holds every list of friends, and the number of calls for each account.
type graph struct {
	compact bool // pairs are kept as hashes, and fields not at all
	shard   [shards]shard
}

// shard is the graph of some accounts. Nothing waits while it holds the lock.
type shard struct {
	sync.Mutex
	digest   Digest
	accounts map[string]*account // all that any call was about
}

type account struct {
	n       int              // friends
	friends []Friend         // nil if compact
	pairs   []uint64         // compact: hashes of all pairs, sorted
	index   map[string]int32 // by To
	groups  map[string]int32 // friends in each group; if compact, groups of replaced entries are still counted
	calls   int32

	standard, custom uint64 // sequences of friend_get, which grow with every change of such a field
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
		s.accounts[from] = a
	}
	return &list{s, a, g.compact, h}
}

func (l *list) close() { l.Unlock() }

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

// find returns the index of a friend in a full list, -1 if there is none.
func (l *list) find(to string) int {
	if i, ok := l.index[to]; ok {
		return int(i)
	}
	return -1
}

// groupsWith returns the number of groups that the account would have if f replaced the friend of
// that name, or were added.
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

// put adds f to the list, or replaces the friend of that name. What f points to must not change
// afterwards.
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
		l.digest += Digest(pair)
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
		l.groups[g]++
	}
}

// distinct returns names without repetitions.
func distinct(names []string) (once []string) {
	for _, n := range names {
		if !slices.Contains(once, n) {
			once = append(once, n)
		}
	}
	return once
}

// reindex rebuilds the index after positions in the list have changed.
func (a *account) reindex() {
	a.index = make(map[string]int32, len(a.friends))
	for i := range a.friends {
		a.index[a.friends[i].To] = int32(i)
	}
}

// leave removes a friend from groups.
func (a *account) leave(groups []string) {
	for _, g := range groups {
		if a.groups[g]--; a.groups[g] <= 0 {
			delete(a.groups, g)
		}
	}
}

// remove removes a friend from the list and reports whether it was there. The others keep their
// order.
func (l *list) remove(to string) bool {
	if !l.has(to) {
		return false
	}
	pair := pairHash(l.hash, to)
	l.digest -= Digest(pair)
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

// names returns the accounts with friends, and the sums of edges and digests.
func (g *graph) names() (all []string, edges int64, d Digest) {
	for i := range g.shard {
		s := &g.shard[i]
		s.Lock()
		d += s.digest
		for from, a := range s.accounts {
			if edges += int64(a.n); a.n > 0 {
				all = append(all, from)
			}
		}
		s.Unlock()
	}
	return all, edges, d
}

// friends returns a copy of a list, which can be read without the lock. What the friends point to
// never changes.
func (g *graph) friends(from string) []Friend {
	l := g.open(from)
	defer l.close()
	return slices.Clone(l.account.friends)
}

// hashText is FNV-1a; mix finishes it. It is the same in every process, because seeds and digests
// are compared across processes.
func hashText(h uint64, t string) uint64 {
	for i := 0; i < len(t); i++ {
		h = (h ^ uint64(t[i])) * 0x100000001b3
	}
	return h
}

// mix spreads every bit of h over all of it (splitmix64).
func mix(h uint64) uint64 {
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return h ^ h>>31
}

const fnvOffset = 0xcbf29ce484222325

func accountHash(id string) uint64 { return mix(hashText(fnvOffset, id)) }

// pairHash identifies an edge. It uses the whole hash of the account, so no choice of ids makes two
// pairs equal by concatenation.
func pairHash(from uint64, to string) uint64 { return mix(hashText(fnvOffset^from, to)) }

// draw returns a uniform random number in [0, 1) that depends only on its arguments.
func draw(seed, purpose, who, n uint64) float64 {
	h := mix(seed + 0x9e3779b97f4a7c15*purpose)
	h = mix(h ^ who)
	h = mix(h + n*0x9e3779b97f4a7c15)
	return float64(h>>11) / (1 << 53)
}

// The purposes of draws, so that draws for different purposes are independent.
const (
	drawFault = iota + 1
	drawJitter
	drawItem
	drawHot
	drawMissing
	drawPoison
	drawOrder
	drawOddItem
)

// Digest is the digest of a set of pairs in any order. Equal sets have equal digests, and different
// sets have different ones, but for a chance of 2⁻⁶⁴. It is no defence against an attacker who
// looks for a collision. The zero Digest is that of the empty set.
type Digest uint64

// Add adds a pair to the set. It must not be in the set yet.
func (d *Digest) Add(from, to string) { *d += Digest(pairHash(accountHash(from), to)) }

// String returns the digest as text, as in Stats.
func (d Digest) String() string { return fmt.Sprintf("%016x", uint64(d)) }
