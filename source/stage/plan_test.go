package stage

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"friendmigrate/migrate"
)

// A user spread over the whole file, any order of rows, any skew, any memory: the plan is that of
// the naive model, and its digest is the same.
func TestPlanIsTheModelsForAnyMemoryOrderAndSkew(t *testing.T) {
	graphs := map[string]graph{
		"empty":     {seed: 1, accounts: 5},
		"few":       {seed: 2, rows: 30, accounts: 5},
		"even":      {seed: 3, rows: 2500, accounts: 200, inputs: 3},
		"plain":     {seed: 4, rows: 3000, accounts: 500, plain: true},
		"hot":       {seed: 5, rows: 3000, accounts: 2000, hot: 60, inputs: 2},
		"huge":      {seed: 6, rows: 6000, accounts: 20000, hot: 90, plain: true},
		"same pair": {seed: 7, rows: 2000, accounts: 500, hot: 20, same: 50},
	}
	for name, g := range graphs {
		rows := g.edges()
		for _, duplicates := range []Duplicates{Last, First} {
			for _, mutual := range []bool{false, true} {
				o := Options{Duplicates: duplicates, Mutual: mutual, MaxFriends: 20}
				t.Run(fmt.Sprint(name, " ", duplicates, mutual), func(t *testing.T) {
					t.Parallel()
					want := model(rows, o, nil)
					digest := ""
					for lanes := 1; lanes <= 4; lanes++ {
						if g.rows > 5000 && lanes > 2 {
							break
						}
						o := o
						o.Lanes = lanes
						l := tiny()
						if lanes == 2 {
							l = roomy(lanes)
						}
						s, totals, heard := build(t, rows, o, l, nil, uint64(lanes))
						check(t, s, totals, heard, want)
						if digest == "" {
							digest = totals.PlanDigest
						}
						if totals.PlanDigest != digest {
							t.Errorf("with %d lanes the plan digest is another", lanes)
						}
						if left := raw(s.fsys.(*memory).names()); len(left) > 0 {
							t.Errorf("partitions left: %q", left)
						}
					}
				})
			}
		}
	}
}

// Accounts whose hashes collide can't be told apart by any split of the hash.
func TestCollidingHashesLoseNothing(t *testing.T) {
	weaken := func(h uint64) uint64 { return h & 3 << 40 }
	for _, o := range []Options{{Lanes: 2}, {Lanes: 1, Duplicates: First, Mutual: true}} {
		for _, g := range []graph{{seed: 1, rows: 2000, accounts: 100}, {seed: 2, rows: 3000, accounts: 3000, hot: 50}} {
			rows := g.edges()
			want := model(rows, o, weaken)
			for _, l := range []limits{tiny(), roomy(2)} {
				s, totals, heard := build(t, rows, o, l, weaken, 1)
				check(t, s, totals, heard, want)
			}
		}
	}
}

func TestShardsTogetherAreTheWhole(t *testing.T) {
	rows := graph{seed: 11, rows: 3000, accounts: 200}.edges()
	for _, mutual := range []bool{false, true} {
		whole := model(rows, Options{Mutual: mutual}, nil)
		var sum Totals
		var rosters [][]migrate.Edge
		for shard := range 3 {
			o := Options{Lanes: 2, Shard: shard, Shards: 3, Mutual: mutual}
			s, totals, heard := build(t, rows, o, tiny(), nil, 1)
			check(t, s, totals, heard, model(rows, o, nil))
			sum.merge(&totals)
			rosters = append(rosters, read(t, s)...)
			if totals.Pairs != whole.totals.Pairs || totals.MutualPairs != whole.totals.MutualPairs {
				t.Errorf("shard %d: %d pairs, %d mutual; of the whole input %d, %d", shard, totals.Pairs, totals.MutualPairs, whole.totals.Pairs, whole.totals.MutualPairs)
			}
		}
		sum.Pairs, sum.MutualPairs = whole.totals.Pairs, whole.totals.MutualPairs
		if !reflect.DeepEqual(sum, whole.totals) {
			t.Errorf("shards have\n%+v, the whole\n%+v", sum, whole.totals)
		}
		if len(rosters) != len(whole.rosters) {
			t.Errorf("shards have %d rosters, the whole %d", len(rosters), len(whole.rosters))
		}
	}
}

func TestRowsWithoutAccountBelongToShard0(t *testing.T) {
	for shard := range 4 {
		w, err := Create(Options{Dir: "staged", FS: newMemory(), Memory: MinMemory, Lanes: 1, Shard: shard, Shards: 4})
		if err != nil {
			t.Fatal(err)
		}
		if w.Owns("") != (shard == 0) {
			t.Errorf("shard %d: %v", shard, w.Owns(""))
		}
	}
}

// An unstable plan digest would refuse a rebuilt stage; one that misses a field would take the
// place of another plan.
func TestPlanDigestSeesEveryField(t *testing.T) {
	base := []migrate.Edge{{From: "a", To: "b", AddSource: "AddSource_Type_A", Position: migrate.Position{Line: 2}}, {From: "a", To: "c", AddSource: "AddSource_Type_A", Position: migrate.Position{Line: 3}}}
	changes := map[string]func(e *migrate.Edge){
		"nothing":    func(*migrate.Edge) {},
		"From":       func(e *migrate.Edge) { e.From = "x" },
		"To":         func(e *migrate.Edge) { e.To = "x" },
		"Remark":     func(e *migrate.Edge) { e.Remark = "x" },
		"RemarkTime": func(e *migrate.Edge) { e.RemarkTime = 1 },
		"Groups":     func(e *migrate.Edge) { e.Groups = []string{"x", "y"} },
		"one group":  func(e *migrate.Edge) { e.Groups = []string{"xy"} },
		"AddSource":  func(e *migrate.Edge) { e.AddSource = "AddSource_Type_B" },
		"AddWording": func(e *migrate.Edge) { e.AddWording = "x" },
		"AddTime":    func(e *migrate.Edge) { e.AddTime = 1 },
		"Custom":     func(e *migrate.Edge) { e.Custom = []migrate.CustomItem{{Tag: "t", Value: "1"}} },
		"integer":    func(e *migrate.Edge) { e.Custom = []migrate.CustomItem{{Tag: "t", Value: "1", Integer: true}} },
		"Input":      func(e *migrate.Edge) { e.Input = 1 },
		"Line":       func(e *migrate.Edge) { e.Line = 4 },
		"Added":      func(e *migrate.Edge) { e.Added = true },
	}
	seen := map[string]string{}
	for name, change := range changes {
		rows := slices.Clone(base)
		change(&rows[1])
		_, totals, _ := build(t, rows, Options{Lanes: 1}, roomy(1), nil, 1)
		if other, ok := seen[totals.PlanDigest]; ok {
			t.Errorf("%s and %s have the same digest", name, other)
		}
		seen[totals.PlanDigest] = name
	}
}

func TestRefusedDuplicatesNameTheFirstTenPairs(t *testing.T) {
	rows := graph{seed: 21, rows: 3000, accounts: 40}.edges()
	want := model(rows, Options{Duplicates: First}, nil)
	var first []migrate.Position
	seen := map[[2]string]migrate.Position{}
	for _, r := range rows {
		before, ok := seen[[2]string{r.From, r.To}]
		if !ok {
			seen[[2]string{r.From, r.To}] = r.Position
		} else if len(first) < 20 {
			first = append(first, r.Position, before)
		}
	}
	for _, l := range []limits{tiny(), roomy(2)} {
		w, err := create(Options{Dir: "staged", FS: newMemory(), Lanes: 2, Duplicates: Refuse}, l)
		if err != nil {
			t.Fatal(err)
		}
		addAll(t, w, rows, 5)
		_, err = w.WriteRosters(context.Background(), nil)
		var d *DuplicatesError
		if !errors.Is(err, ErrDuplicates) || !errors.As(err, &d) || d.Rows != want.totals.Duplicates {
			t.Fatalf("seal: %v, want %d rows", err, want.totals.Duplicates)
		}
		var got []migrate.Position
		for _, p := range d.First {
			got = append(got, p.Row, p.Before)
		}
		if !slices.Equal(got, first) {
			t.Errorf("pairs %v, want %v", got, first)
		}
		if err := w.Seal(nil); err == nil {
			t.Error("finished after a refusal")
		}
	}
}

// What skip says of a run of the plan holds for all of it, and what it does not say is asked again
// for smaller runs.
func TestSkipPassesOverSettledChunksOnly(t *testing.T) {
	rows := graph{seed: 31, rows: 9000, accounts: 12000, hot: 70, plain: true}.edges()
	s, totals, _ := build(t, rows, Options{Lanes: 2}, tiny(), nil, 1)
	for _, settled := range []func(int64) bool{
		func(int64) bool { return true },
		func(int64) bool { return false },
		func(o int64) bool { return o < totals.Chunks/2 },
		func(o int64) bool { return o%3 != 0 },
	} {
		yielded := map[int64]bool{}
		for r, err := range s.Rosters(context.Background(), func(first int64, chunks int) bool {
			for o := first; o < first+int64(chunks); o++ {
				if o >= totals.Chunks {
					t.Fatalf("asked about chunk %d of %d", o, totals.Chunks)
				}
				if !settled(o) {
					return false
				}
			}
			return true
		}) {
			if err != nil {
				t.Fatal(err)
			}
			all := true
			for o := r.First; o < r.First+int64(r.Chunks); o++ {
				all = all && settled(o)
				yielded[o] = true
			}
			if all {
				t.Errorf("roster at %d is settled and was yielded", r.First)
			}
		}
		for o := range totals.Chunks {
			if !settled(o) && !yielded[o] {
				t.Errorf("chunk %d is open and was passed over", o)
			}
		}
	}
}

// Rosters are loaded by other goroutines than the one that ranges over them, in any order, again
// and again.
func TestLoadsFromManyGoroutines(t *testing.T) {
	rows := graph{seed: 41, rows: 8000, accounts: 10000, hot: 60, plain: true}.edges()
	s, _, _ := build(t, rows, Options{Lanes: 2}, tiny(), nil, 1)
	want := read(t, s)
	work := make(chan func())
	done := make(chan struct{})
	for range 8 {
		go func() {
			for f := range work {
				f()
			}
			done <- struct{}{}
		}()
	}
	n := 0
	for r, err := range s.Rosters(context.Background(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		list := want[n]
		n++
		for i := range r.Chunks {
			work <- func() {
				c, err := r.Load(i)
				if err != nil || !reflect.DeepEqual(c.Edges, list[1000*i:min(1000*i+1000, len(list))]) {
					t.Errorf("chunk %d of %q: %v", i, r.From, err)
				}
			}
		}
	}
	close(work)
	for range 8 {
		<-done
	}
}

func TestCancelEndsWriteRostersAndRosters(t *testing.T) {
	rows := graph{seed: 51, rows: 2000, accounts: 100}.edges()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	w, err := create(Options{Dir: "staged", FS: newMemory(), Lanes: 1}, tiny())
	if err != nil {
		t.Fatal(err)
	}
	addAll(t, w, rows, 1)
	for _, unit := range w.units() { // as for one that is split
		err := unit[0].eachRecord(ctx, func(*record[[]byte]) error {
			t.Error("a record was passed on")
			return errRaw
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("each record: %v", err)
		}
	}
	if _, err := w.WriteRosters(ctx, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("seal: %v", err)
	}
	s, _, _ := build(t, rows, Options{Lanes: 1}, tiny(), nil, 1)
	for _, err := range s.Rosters(ctx, nil) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("rosters: %v", err)
		}
	}
}

func TestEdgeTooLargeLeavesTheLaneUsable(t *testing.T) {
	w, err := Create(Options{Dir: t.TempDir(), Memory: MinMemory, Lanes: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	large := migrate.Edge{From: "a", To: "b", AddSource: "AddSource_Type_A", AddWording: string(make([]byte, MaxEdgeBytes)), Position: migrate.Position{Line: 1}}
	if _, err := w.Lane(0).Add(&large); !errors.Is(err, ErrEdgeTooLarge) {
		t.Errorf("too large: %v", err)
	}
	large.AddWording = large.AddWording[:MaxEdgeBytes-100]
	for i := range 200 {
		large.To, large.Line = fmt.Sprint("f", i), int64(i+2)
		if _, err := w.Lane(0).Add(&large); err != nil {
			t.Fatal(err)
		}
	}
	totals, err := w.WriteRosters(context.Background(), nil)
	if err != nil || totals.Edges != 200 || totals.Pairs != 200 {
		t.Errorf("%+v, %v", totals, err)
	}
	if err := w.Seal(nil); err != nil {
		t.Fatal(err)
	}
	s, err := Open(w.options.Dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got := read(t, s); len(got) != 1 || got[0][199].AddWording != large.AddWording {
		t.Error("large edges came back changed")
	}
}

func TestSmallInputNeverSpills(t *testing.T) {
	m := newMemory()
	w, err := Create(Options{Dir: "staged", FS: m, Memory: MinMemory, Lanes: 2})
	if err != nil {
		t.Fatal(err)
	}
	addAll(t, w, graph{seed: 61, rows: 50_000, accounts: 2000, plain: true}.edges(), 1)
	if left := m.names(); len(left) > 0 {
		t.Errorf("spilled to %q", left)
	}
	if err := w.Abort(); err != nil {
		t.Error(err)
	}
}
