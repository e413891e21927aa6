package stage

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math/bits"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"github.com/cespare/xxhash/v2"

	"friendmigrate/migrate"
)

// tiny makes everything happen that a large job would need gigabytes for: lanes spill, partitions
// are split, rosters don't fit.
func tiny() limits {
	return limits{parts: 8, page: 512, lane: 16 << 10, batch: 2 << 10, builders: 2, builder: 20 << 10, unit: 6 << 10, bundleBytes: 600, largeBlockBytes: 300, segment: 3}
}

// roomy is what a small job has.
func roomy(lanes int) limits { return newLimits(64<<20, lanes) }

// graph makes random rows.
type graph struct {
	seed     uint64
	rows     int
	accounts int
	hot      int // of 100 rows, those of one account
	same     int // of 100 rows, those of one pair
	plain    bool
	inputs   int
}

func (g graph) edges() []migrate.Edge {
	random := rand.New(rand.NewPCG(g.seed, 7))
	name := func() string {
		n := random.IntN(g.accounts)
		return fmt.Sprintf("%s%d", strings.Repeat("long-", n%7), n)
	}
	var edges []migrate.Edge
	for line := int64(2); len(edges) < g.rows; line++ {
		e := migrate.Edge{From: name(), To: name(), AddSource: "AddSource_Type_Import"}
		e.Input, e.Line = int(line)%max(g.inputs, 1), line
		switch p := random.IntN(100); {
		case p < g.same:
			e.From, e.To = "hot", "friend"
		case p < g.same+g.hot:
			e.From = "hot"
		}
		if e.From == e.To {
			continue
		}
		if !g.plain {
			decorate(random, &e)
		}
		edges = append(edges, e)
	}
	return edges
}

// decorate gives an edge some optional fields.
func decorate(random *rand.Rand, e *migrate.Edge) {
	some := func(n int) bool { return random.IntN(n) == 0 }
	if some(3) {
		e.Remark = fmt.Sprintf("备注 %d", random.IntN(50))
	}
	if some(4) {
		e.RemarkTime = random.Int64()
	}
	if some(3) {
		for range 1 + random.IntN(3) {
			e.Groups = append(e.Groups, fmt.Sprintf("group %d", random.IntN(60)))
		}
	}
	if some(5) {
		e.AddSource = fmt.Sprintf("AddSource_Type_%d", random.IntN(5))
	}
	if some(50) {
		e.AddSource = strings.Repeat("x", maxSourceText+random.IntN(2))
	}
	if some(6) {
		e.AddWording = strings.Repeat("hello ", random.IntN(30))
	}
	if some(2) {
		e.AddTime = 1_400_000_000 + random.Int64N(300_000_000)
	}
	if some(5) {
		e.Custom = append(e.Custom, migrate.CustomItem{Tag: "Tag_SNS_Custom_A", Value: fmt.Sprint(random.IntN(9)), Integer: some(2)}, migrate.CustomItem{Tag: "Tag_SNS_Custom_B"})
	}
}

// expected is what a plan has to be.
type expected struct {
	rosters    [][]migrate.Edge // in plan order
	totals     Totals           // without the plan digest
	duplicates map[string]bool  // "lost kept differ" by position
}

// model computes a plan the naive way.
func model(rows []migrate.Edge, o Options, weaken func(uint64) uint64) expected {
	x := expected{duplicates: map[string]bool{}}
	rows = slices.Clone(rows)
	slices.SortFunc(rows, byPosition)
	winners := map[[2]string]*migrate.Edge{}
	for i := range rows {
		r := &rows[i]
		key := [2]string{r.From, r.To}
		if ours(o, r.From) && (winners[key] == nil || o.Duplicates == Last) {
			winners[key] = r
		}
	}
	for i := range rows {
		r := &rows[i]
		if w := winners[[2]string{r.From, r.To}]; ours(o, r.From) && w != r {
			x.totals.Duplicates++
			differ := !sameButPosition(*r, *w)
			if differ {
				x.totals.Differing++
			}
			x.duplicates[fmt.Sprint(r.Position, w.Position, differ)] = true
		}
	}
	x.pairs(rows)
	if o.Mutual {
		for i := range rows {
			r := &rows[i]
			key := [2]string{r.To, r.From}
			if ours(o, r.To) && winners[key] == nil {
				winners[key] = &migrate.Edge{From: r.To, To: r.From, AddSource: r.AddSource, AddTime: r.AddTime, Position: r.Position, Added: true}
			}
		}
	}
	x.arrange(winners, o, weaken)
	return x
}

func byPosition(a, b migrate.Edge) int {
	return cmp.Or(cmp.Compare(a.Input, b.Input), cmp.Compare(a.Line, b.Line))
}

func ours(o Options, from string) bool {
	n := uint64(max(o.Shards, 1))
	return xxhash.Sum64String(from)>>32*n>>32 == uint64(o.Shard)
}

func sameButPosition(a, b migrate.Edge) bool {
	a.Position, b.Position = migrate.Position{}, migrate.Position{}
	return reflect.DeepEqual(a, b)
}

func (x *expected) pairs(rows []migrate.Edge) {
	ways := map[[2]string]int{}
	for _, r := range rows {
		if r.From < r.To {
			ways[[2]string{r.From, r.To}] |= 1
		} else {
			ways[[2]string{r.To, r.From}] |= 2
		}
	}
	for _, w := range ways {
		x.totals.Pairs++
		if w == 3 {
			x.totals.MutualPairs++
		}
	}
}

// arrange puts the winners into plan order and counts them.
func (x *expected) arrange(winners map[[2]string]*migrate.Edge, o Options, weaken func(uint64) uint64) {
	rosters := map[string][]migrate.Edge{}
	for _, w := range winners {
		rosters[w.From] = append(rosters[w.From], *w)
	}
	key := func(from string) uint64 {
		h := xxhash.Sum64String(from)
		if weaken != nil {
			h = weaken(h)
		}
		return bits.Reverse64(h)
	}
	for from, list := range rosters {
		slices.SortFunc(list, func(a, b migrate.Edge) int {
			if a.Added != b.Added {
				if a.Added {
					return 1
				}
				return -1
			}
			return byPosition(a, b)
		})
		x.rosters = append(x.rosters, list)
		x.count(from, list, o)
	}
	slices.SortFunc(x.rosters, func(a, b []migrate.Edge) int {
		return cmp.Or(cmp.Compare(key(a[0].From), key(b[0].From)), strings.Compare(a[0].From, b[0].From))
	})
	slices.SortFunc(x.totals.Largest, largerFirst)
	x.totals.Largest = x.totals.Largest[:min(10, len(x.totals.Largest))]
	for _, r := range x.totals.Largest {
		if o.MaxFriends > 0 && r.Friends > int64(o.MaxFriends) {
			x.totals.OverMaxFirst = append(x.totals.OverMaxFirst, r)
		}
	}
}

func (x *expected) count(from string, list []migrate.Edge, o Options) {
	t := &x.totals
	t.Rosters++
	t.Edges += int64(len(list))
	t.Chunks += (int64(len(list)) + 999) / 1000
	groups := map[string]bool{}
	for _, e := range list {
		if e.Added {
			t.Added++
		}
		for _, g := range e.Groups {
			groups[g] = true
		}
	}
	switch n := len(list); {
	case n == 1:
		t.Sizes[0]++
	case n <= 10:
		t.Sizes[1]++
	case n <= 100:
		t.Sizes[2]++
	case n <= 1000:
		t.Sizes[3]++
	default:
		t.Sizes[4]++
	}
	if len(groups) > 32 {
		t.GroupsOver++
	}
	if o.MaxFriends > 0 && len(list) > o.MaxFriends {
		t.OverMax++
	}
	t.Largest = append(t.Largest, RosterSize{From: from, Friends: int64(len(list))})
}

// build stages rows in a random order, dealt to the lanes at random, and opens the sealed stage, in
// memory unless o says where.
func build(t testing.TB, rows []migrate.Edge, o Options, l limits, weaken func(uint64) uint64, seed uint64) (*Stage, Totals, map[string]bool) {
	t.Helper()
	if o.FS == nil {
		o.Dir, o.FS = "staged", newMemory()
	}
	w, err := create(o, l)
	if err != nil {
		t.Fatal(err)
	}
	w.weaken = weaken
	addAll(t, w, rows, seed)
	duplicates := map[string]bool{}
	totals, err := w.WriteRosters(context.Background(), func(lost, kept *migrate.Edge, differ bool) error {
		if lost.From != kept.From || lost.To != kept.To || differ == sameButPosition(*lost, *kept) {
			t.Errorf("duplicate %.200v of %.200v, differ %v", lost, kept, differ)
		}
		duplicates[fmt.Sprint(lost.Position, kept.Position, differ)] = true
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Seal(json.RawMessage(`{"rows": 1, "text":"<&>"}`)); err != nil {
		t.Fatal(err)
	}
	s, err := Open(o.Dir, o.FS)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if string(s.Meta()) != `{"rows":1,"text":"<&>"}` {
		t.Errorf("meta %s", s.Meta())
	}
	if !reflect.DeepEqual(s.Totals(), totals) {
		t.Errorf("totals %+v, sealed %+v", s.Totals(), totals)
	}
	return s, totals, duplicates
}

// borrowed returns e as a parser gives it: its texts are in a buffer that the next row overwrites.
func borrowed(buffer []byte, e migrate.Edge) migrate.Edge {
	move := func(text *string) {
		n := len(buffer)
		buffer = append(buffer, *text...)
		*text = unsafe.String(unsafe.SliceData(buffer[n:]), len(*text))
	}
	for _, text := range []*string{&e.AddSource, &e.From, &e.To, &e.Remark, &e.AddWording} {
		move(text)
	}
	e.Groups, e.Custom = slices.Clone(e.Groups), slices.Clone(e.Custom)
	for i := range e.Groups {
		move(&e.Groups[i])
	}
	for i := range e.Custom {
		move(&e.Custom[i].Tag)
		move(&e.Custom[i].Value)
	}
	return e
}

func addAll(t testing.TB, w *Writer, rows []migrate.Edge, seed uint64) {
	random := rand.New(rand.NewPCG(seed, 3))
	hands := make([][]migrate.Edge, w.options.Lanes)
	for _, i := range random.Perm(len(rows)) {
		n := random.IntN(len(hands))
		hands[n] = append(hands[n], rows[i])
	}
	var wg sync.WaitGroup
	for i, hand := range hands {
		wg.Go(func() {
			buffer := make([]byte, 0, 1<<10)
			for j := range hand {
				e := borrowed(buffer, hand[j])
				mine, err := w.Lane(i).Add(&e)
				if err != nil || mine != ours(w.options, hand[j].From) || mine != w.Owns(hand[j].From) {
					t.Errorf("add: %v, %v", mine, err)
				}
			}
		})
	}
	wg.Wait()
}

// read loads a whole plan and checks what every roster says of itself.
func read(t testing.TB, s *Stage) (rosters [][]migrate.Edge) {
	t.Helper()
	next := int64(0)
	for r, err := range s.Rosters(context.Background(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		if r.First != next || int64(r.Chunks) != (r.Edges+999)/1000 {
			t.Fatalf("roster %q: first %d, want %d; %d chunks, %d edges", r.From, r.First, next, r.Chunks, r.Edges)
		}
		next += int64(r.Chunks)
		var list []migrate.Edge
		for i := range r.Chunks {
			c, err := r.Load(i)
			if err != nil {
				t.Fatal(err)
			}
			if c.Ordinal != r.First+int64(i) || c.From != r.From || chunkMemory(c) > r.ChunkMemory {
				t.Fatalf("chunk %d of %q: ordinal %d, %d bytes, at most %d expected", i, r.From, c.Ordinal, chunkMemory(c), r.ChunkMemory)
			}
			list = append(list, c.Edges...)
		}
		if int64(len(list)) != r.Edges {
			t.Fatalf("roster %q: %d edges, want %d", r.From, len(list), r.Edges)
		}
		rosters = append(rosters, list)
	}
	return rosters
}

func chunkMemory(c migrate.Chunk) int64 {
	n := int64(len(c.Edges)) * edgeBytes
	source := ""
	for _, e := range c.Edges {
		n += int64(len(e.To) + len(e.Remark) + len(e.AddWording))
		if e.AddSource != source {
			n += int64(len(e.AddSource))
		}
		source = e.AddSource
		for _, g := range e.Groups {
			n += groupBytes + int64(len(g))
		}
		for _, c := range e.Custom {
			n += customBytes + int64(len(c.Tag)+len(c.Value))
		}
	}
	return n
}

// check compares a stage with the model.
func check(t testing.TB, s *Stage, totals Totals, duplicates map[string]bool, want expected) {
	t.Helper()
	if totals.PlanDigest == "" {
		t.Error("no plan digest")
	}
	totals.PlanDigest, totals.Stored = "", 0
	if !reflect.DeepEqual(totals, want.totals) {
		t.Errorf("totals\n%+v, want\n%+v", totals, want.totals)
	}
	if !reflect.DeepEqual(duplicates, want.duplicates) {
		t.Errorf("%d duplicates, want %d", len(duplicates), len(want.duplicates))
	}
	got := read(t, s)
	if len(got) != len(want.rosters) {
		t.Fatalf("%d rosters, want %d", len(got), len(want.rosters))
	}
	for i := range got {
		if !reflect.DeepEqual(got[i], want.rosters[i]) {
			t.Fatalf("roster %d is\n%.300v, want\n%.300v", i, got[i], want.rosters[i])
		}
	}
}
