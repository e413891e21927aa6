package graph

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func mustNew(t testing.TB, o Options) *Graph {
	t.Helper()
	g, err := New(o)
	if err != nil {
		t.Fatalf("New(%+v): %v", o, err)
	}
	return g
}

func written(t testing.TB, g *Graph, part Part) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := g.Write(&b, part, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// randomOptions draws options of every sort from a seed.
func randomOptions(seed uint64) Options {
	r := random{state: seed}
	o := Default()
	o.Seed = seed
	o.Edges = int64(r.below(4000)) >> r.below(8)
	o.Mean = 1 + float64(r.below(60))
	o.Sigma = float64(r.below(20)) / 10
	o.MaxFriends = 60 + int(r.below(2941))
	o.Mutual = float64(r.below(11)) / 10
	if r.chance(0.4) && o.Edges > 0 {
		o.Hubs = 1 + int(r.below(2))
		o.HubFriends = 1 + int64(r.below(uint64(o.Edges)))/int64(o.Hubs)
		o.Edges = max(o.Edges, int64(o.Hubs)*o.HubFriends)
	}
	o.Order = []Order{Shuffled, Sorted, Reversed}[r.below(3)]
	o.Format = []Format{CSV, JSONL}[r.below(2)]
	for _, f := range AllFields() {
		if r.chance(0.6) {
			o.Fields = append(o.Fields, f)
		}
	}
	if r.chance(0.5) {
		o.Custom = []Custom{{Tag: "Tag_SNS_Custom_Level", Integer: true}, {Tag: "Tag_SNS_Custom_Badge"}}
	}
	o.Unicode, o.Awkward, o.BOM, o.CRLF, o.Unterminated = r.chance(0.5), r.chance(0.5), r.chance(0.3), r.chance(0.3), r.chance(0.3)
	o.Duplicates = float64(r.below(40)) / 100
	o.Bad = float64(r.below(40)) / 100
	o.ID = []string{"u%08d", "用户%d", "%d", `a,"b %06d`}[r.below(4)]
	return o
}

func TestCountsAreThoseOfANaiveRecount(t *testing.T) {
	seeds := uint64(150)
	if testing.Short() {
		seeds = 30
	}
	for seed := range seeds {
		o := randomOptions(seed)
		g := mustNew(t, o)
		for _, keep := range []bool{false, true} {
			want := g.Expect()
			if keep {
				want.Edges, want.Calls, want.Rejected = want.Kept.Edges, want.Kept.Calls, want.Kept.Rejected
			}
			got := recount(t, o, written(t, g, Part{}), keep)
			if keep {
				want.Largest, want.Pairs, want.MutualPairs, want.MissingReverses = got.Largest, got.Pairs, got.MutualPairs, got.MissingReverses
			}
			want.RejectedBy, want.Kept = nil, Kept{}
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("seed %d, kept %v, %+v:\n got %+v\nwant %+v", seed, keep, o, got, want)
			}
		}
	}
}

// The limit of calls of one account lies at 1000 friends: hubs around it, and bad rows that push an account over it.
func TestCallsAroundAThousandFriends(t *testing.T) {
	for _, friends := range []int64{999, 1000, 1001, 2000, 2001} {
		o := Default()
		o.Edges, o.Hubs, o.HubFriends, o.Fields, o.Bad = 6000, 2, friends, []Field{Remark}, 0.05
		o.BadKinds = []Kind{"remark-long"}
		g := mustNew(t, o)
		data := written(t, g, Part{})
		if got, want := recount(t, o, data, false), g.Expect(); got.Calls != want.Calls || got.Rosters != want.Rosters || got.Largest != want.Largest {
			t.Errorf("%d friends: %d calls for %d rosters, the largest of %d; Expect: %+v", friends, got.Calls, got.Rosters, got.Largest, want)
		}
		if got, want := recount(t, o, data, true), g.Expect().Kept; got.Calls != want.Calls || got.Edges != want.Edges {
			t.Errorf("%d friends: %d calls, %d edges with the broken fields cut; Expect: %+v", friends, got.Calls, got.Edges, want)
		}
	}
}

func TestBadRowsAreNamedWithTheirLine(t *testing.T) {
	for seed := range uint64(60) {
		o := randomOptions(seed)
		o.Edges, o.Bad, o.Duplicates, o.Hubs, o.HubFriends = max(o.Edges, 100), 0.3, 0.2, 0, 0
		g := mustNew(t, o)
		var b bytes.Buffer
		var named []int64
		byKind := make(map[Kind]int64)
		err := g.Write(&b, Part{}, func(line int64, kind Kind) error {
			named = append(named, line)
			byKind[kind]++
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		var rejected []int64
		read(t, o, b.Bytes(), false, func(line int64, _ edge, err error) {
			if err != nil {
				rejected = append(rejected, line)
			}
		})
		if !slices.Equal(named, rejected) {
			t.Fatalf("seed %d, %+v: bad rows were named at lines\n%v\nand are at\n%v", seed, o, named, rejected)
		}
		if e := g.Expect(); !reflect.DeepEqual(byKind, e.RejectedBy) {
			t.Fatalf("seed %d: bad rows by kind %v; Expect: %v", seed, byKind, e.RejectedBy)
		}
	}
}

func TestOrderFormatAndPartsDoNotChangeTheGraph(t *testing.T) {
	o := Default()
	o.Edges, o.Fields, o.Custom, o.Unicode, o.Awkward = 5000, AllFields(), []Custom{{Tag: "Tag_SNS_Custom_Level", Integer: true}}, true, true
	want := edges(t, o, written(t, mustNew(t, o), Part{}))
	for _, change := range []func(o *Options){
		func(o *Options) { o.Order = Sorted },
		func(o *Options) { o.Order = Reversed },
		func(o *Options) { o.Format = JSONL },
		func(o *Options) { o.BOM, o.CRLF, o.Unterminated = true, true, true },
	} {
		other := o
		change(&other)
		if got := edges(t, other, written(t, mustNew(t, other), Part{})); !reflect.DeepEqual(got, want) {
			t.Errorf("%+v is another graph", other)
		}
	}
	var got []edge
	for i := range 7 {
		got = append(got, edges(t, o, written(t, mustNew(t, o), Part{Index: i, Count: 7}))...)
	}
	slices.SortFunc(got, compareEdges)
	if !reflect.DeepEqual(got, want) {
		t.Error("seven parts are another graph")
	}
}

func TestEdgesAreThoseOfTheRowsInTheirOrder(t *testing.T) {
	o := Default()
	o.Edges, o.Bad, o.Duplicates, o.Fields = 3000, 0.1, 0, AllFields()
	g := mustNew(t, o)
	var rows, pairs []string
	read(t, o, written(t, g, Part{}), false, func(_ int64, e edge, err error) {
		if err == nil {
			rows = append(rows, e.from+" "+e.to)
		}
	})
	for from, to := range g.Edges() {
		pairs = append(pairs, from+" "+to)
	}
	if !slices.Equal(rows, pairs) {
		t.Error("the pairs of Edges are not those of the rows")
	}
}

func TestSortedRowsAscendAndShuffledOnesSpreadAnAccount(t *testing.T) {
	o := Default()
	o.Edges, o.Hubs, o.HubFriends, o.Order, o.Duplicates = 20_000, 1, 900, Sorted, 0.1
	var from []string
	read(t, o, written(t, mustNew(t, o), Part{}), false, func(_ int64, e edge, _ error) { from = append(from, e.from) })
	if !slices.IsSorted(from) {
		t.Error("rows of order sorted are not")
	}
	hub := from[len(from)-1]
	o.Order = Shuffled
	var tenths [10]int
	n := 0
	rows := int(mustNew(t, o).Expect().Rows)
	read(t, o, written(t, mustNew(t, o), Part{}), false, func(_ int64, e edge, _ error) {
		if e.from == hub {
			tenths[n*10/rows]++
		}
		n++
	})
	for i, rows := range tenths {
		if rows < 45 || rows > 155 { // about 99 each: six standard deviations
			t.Errorf("tenth %d of the shuffled rows has %d of the hub's", i, rows)
		}
	}
}

func TestShuffleIsAPermutation(t *testing.T) {
	for _, n := range []uint64{1, 2, 3, 5, 16, 17, 1000, 65_537} {
		s := newShuffle(n, 9)
		seen := make([]bool, n)
		for i := range n {
			j := s.at(i)
			if j >= n || seen[j] {
				t.Fatalf("n %d: %d leads to %d, which is outside or taken", n, i, j)
			}
			seen[j] = true
		}
	}
}

func TestSpecialsAreFoundAgain(t *testing.T) {
	o := Default()
	o.Edges, o.Order, o.Bad, o.Duplicates = 10_007, Sorted, 0.137, 0.21
	g := mustNew(t, o)
	for i := range g.rows {
		if p := g.place(i); p.bad && g.edgeBefore(p.nth) != p.edge {
			t.Fatalf("bad row %d stands behind edge %d, not %d", p.nth, p.edge, g.edgeBefore(p.nth))
		}
	}
}

// A graph of many copies, its woven edges and its tail, against the same recount by numbers.
func TestCopiesAreWovenIntoOneSimpleGraph(t *testing.T) {
	if testing.Short() {
		t.Skip("1.6 million edges")
	}
	o := Default()
	o.Edges, o.Mean, o.Mutual = 3*templateEdges+2, 150, 0.7
	g := mustNew(t, o)
	e := g.Expect()
	type pair struct{ from, to int64 }
	seen := make(map[pair]bool, o.Edges)
	friends := make(map[int64]int64)
	var last, woven, mutual, calls int64
	for i := range o.Edges {
		from, to := g.edge(i)
		if from < last || from == to || seen[pair{from, to}] {
			t.Fatalf("edge %d: %d to %d, after account %d, seen %v", i, from, to, last, seen[pair{from, to}])
		}
		seen[pair{from, to}] = true
		last = from
		friends[from]++
		if from/g.body.accounts != to/g.body.accounts {
			woven++
		}
		if seen[pair{to, from}] {
			mutual++
		}
	}
	for account, n := range friends {
		if n != g.friendsOf(account) {
			t.Fatalf("account %d has %d friends, not %d", account, n, g.friendsOf(account))
		}
		calls += callsFor(n)
	}
	if int64(len(friends)) != e.Rosters || mutual != e.MutualPairs || calls != e.Calls {
		t.Errorf("%d rosters, %d mutual pairs, %d calls; Expect: %+v", len(friends), mutual, calls, e)
	}
	if woven < o.Edges/2 {
		t.Errorf("only %d of %d edges lead to another copy", woven, o.Edges)
	}
}

func TestDegreesAreLogNormal(t *testing.T) {
	o := Default()
	o.Edges, o.Mean, o.Sigma = 240_000, 12, 1
	g := mustNew(t, o)
	var logs, squares float64
	for _, n := range g.body.friends {
		if n > 3 { // below, rounding and the floor of 1 spoil the shape
			continue
		}
		logs++
	}
	if share := logs / float64(len(g.body.friends)); math.Abs(share-0.25) > 0.05 { // P(ln X < ln 3.5), ln X ~ N(ln 12 - 1/2, 1)
		t.Errorf("%.3f of the accounts have at most three friends", share)
	}
	logs = 0
	for _, n := range g.body.friends {
		logs += math.Log(float64(n))
		squares += math.Log(float64(n)) * math.Log(float64(n))
	}
	n := float64(len(g.body.friends))
	mean := logs / n
	if sigma := math.Sqrt(squares/n - mean*mean); math.Abs(mean-(math.Log(12)-0.5)) > 0.1 || math.Abs(sigma-1) > 0.1 {
		t.Errorf("logarithms of degrees have mean %.3f and deviation %.3f", mean, sigma)
	}
	if accounts := int64(len(g.body.friends)); accounts != 20_000 {
		t.Errorf("%d accounts", accounts)
	}
}

func TestDegreesKeepTheMaximum(t *testing.T) {
	o := Default()
	o.Edges, o.Mean, o.Sigma, o.MaxFriends = 2_000_000, 400, 1.4, 2500
	if e := mustNew(t, o).Expect(); e.Largest != 2500 || e.Rosters != 5000 {
		t.Errorf("%d rosters, the largest of %d", e.Rosters, e.Largest)
	}
}

// Two billion edges take no more memory than one template: laid out, and rows read from far inside.
func TestBillionsOfEdgesNeedNoMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("lays out a whole template")
	}
	o := Default()
	o.Edges, o.Bad, o.Duplicates = 2_000_000_000, 1e-6, 0.01
	g := mustNew(t, o)
	if e := g.Expect(); e.Edges != o.Edges || e.Rows != o.Edges+o.Edges/100+2000 || e.Rosters < 166_000_000 || e.Rosters > 167_000_000 {
		t.Errorf("%+v", e)
	}
	if size := len(g.body.arcs); size > templateEdges {
		t.Errorf("the template has %d edges", size)
	}
	if err := g.Write(io.Discard, Part{Index: 77_777, Count: 100_000}, nil); err != nil {
		t.Error(err)
	}
}

// What a seed means may not change unnoticed: figures and samples elsewhere refer to it.
func TestSeedsKeepTheirMeaning(t *testing.T) {
	o := Default()
	o.Fields, o.Custom, o.Unicode, o.Bad, o.Duplicates = AllFields(), []Custom{{Tag: "Tag_SNS_Custom_Badge"}}, true, 0.02, 0.02
	sum := fmt.Sprintf("%x", sha256.Sum256(written(t, mustNew(t, o), Part{})))
	if want := "d9e98fb97d83b95c4daecafde5fae8eb87a20de3825668cdd7b7849609a9867a"; sum != want {
		t.Errorf("the digest is %s, not %s", sum, want)
	}
}

func TestUnusableOptionsAreNamed(t *testing.T) {
	for word, change := range map[string]func(o *Options){
		"edges":       func(o *Options) { o.Edges = -1 },
		"mean":        func(o *Options) { o.Mean = math.NaN() },
		"sigma":       func(o *Options) { o.Sigma = 9 },
		"friends":     func(o *Options) { o.MaxFriends = 3001 },
		"mutual":      func(o *Options) { o.Mutual = 1.1 },
		"hubs":        func(o *Options) { o.Hubs = 2 },
		"more than":   func(o *Options) { o.Hubs, o.HubFriends = 2, 6000 },
		"fill":        func(o *Options) { o.Fill = -0.1 },
		"bad rows":    func(o *Options) { o.Bad, o.Duplicates = 0.6, 0.6 },
		"order":       func(o *Options) { o.Order = "random" },
		"format":      func(o *Options) { o.Format = "tsv" },
		"fields":      func(o *Options) { o.Fields = []Field{"Nickname"} },
		"custom":      func(o *Options) { o.Custom = []Custom{{Tag: "Level"}} },
		"add sources": func(o *Options) { o.AddSources = []string{"AddSource_Type_NineBytes"} },
		"id":          func(o *Options) { o.ID = "u" },
		"over 32":     func(o *Options) { o.ID = "a-rather-long-account-name-%08d" },
		"remark-long": func(o *Options) { o.Bad, o.BadKinds = 0.1, []Kind{"remark-long"} },
	} {
		o := Default()
		change(&o)
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("%s: the error is %v", word, err)
		}
	}
}

func BenchmarkWriteCSV(b *testing.B) {
	for _, order := range []Order{Shuffled, Sorted} {
		b.Run(string(order), func(b *testing.B) {
			o := Default()
			o.Edges, o.Order = 10_000_000, order
			g := mustNew(b, o)
			for b.Loop() {
				if err := g.Write(io.Discard, Part{Index: 3, Count: 10}, nil); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)*float64(o.Edges)/10/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
