package graph

import (
	"bytes"
	"encoding/csv"
	"io"
	"testing"
)

// rows reads what a graph writes.
func rows(t *testing.T, o Options) [][]string {
	t.Helper()
	g, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := g.Write(&b); err != nil {
		t.Fatal(err)
	}
	records, err := csv.NewReader(&b).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return records[1:]
}

func TestEdgesAreDistinctAndAsManyAsAskedFor(t *testing.T) {
	for _, o := range []Options{
		{Edges: 1, Mean: 1}, {Edges: 2, Mean: 12}, {Edges: 17, Mean: 3000}, {Edges: 999, Mean: 1.5}, {Edges: 50_000, Mean: 44},
		{Edges: 200_000, Mean: 2, Sorted: true}, {Edges: 300_000, Mean: 3},
	} {
		o.Seed = 3
		pairs, friends := map[[2]string]bool{}, map[string]int{}
		for _, r := range rows(t, o) {
			if r[0] == r[1] {
				t.Fatalf("%+v: %s is its own friend", o, r[0])
			}
			pairs[[2]string(r[:2])] = true
			friends[r[0]]++
		}
		mutual, most := 0, 0
		for p := range pairs {
			if pairs[[2]string{p[1], p[0]}] {
				mutual++
			}
		}
		for _, n := range friends {
			most = max(most, n)
		}
		if int64(len(pairs)) != o.Edges || most > maxFriends {
			t.Errorf("%+v: %d distinct edges, %d friends at most", o, len(pairs), most)
		}
		if mean := float64(o.Edges) / float64(len(friends)); o.Edges > 10_000 && (mean < 0.7*o.Mean || mean > 1.3*o.Mean) {
			t.Errorf("%+v: %.1f friends on average", o, mean)
		}
		if share := float64(mutual) / float64(len(pairs)); o.Mean > 2 && o.Edges > 10_000 && (share < 0.3 || share > 0.95) {
			t.Errorf("%+v: a share of %.2f is mutual", o, share)
		}
	}
}

func TestOneSeedOneGraph(t *testing.T) {
	write := func(seed uint64, sorted bool) string {
		o := Default()
		o.Seed, o.Sorted = seed, sorted
		g, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := g.Write(&b); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	first, again := write(1, false), write(1, false)
	if first != again || first == write(2, false) || first == write(1, true) {
		t.Error("a seed does not say which graph it is")
	}
}

func TestLargeGraphsNeedNoMemory(t *testing.T) {
	o := Default()
	o.Edges = 2_000_000_000
	g, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	if from, to := g.edge(o.Edges - 1); from < 100_000_000 || from == to || to >= g.circle {
		t.Errorf("the last edge is %d to %d of %d accounts", from, to, g.circle)
	}
}

func TestUnusableOptionsAreRefused(t *testing.T) {
	for _, change := range []func(*Options){
		func(o *Options) { o.Edges = 0 }, func(o *Options) { o.Edges = maxEdges + 1 }, func(o *Options) { o.Mean = 0.5 },
	} {
		o := Default()
		change(&o)
		if _, err := New(o); err == nil {
			t.Errorf("%+v was taken", o)
		}
	}
}

func BenchmarkWrite(b *testing.B) {
	o := Default()
	o.Edges = 1_000_000
	g, err := New(o)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := g.Write(io.Discard); err != nil {
			b.Fatal(err)
		}
	}
}
