package simulator

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"testing"
)

// Both graphs, whatever is done to them, agree with a plain map.
func TestGraphsAgreeWithAPlainMap(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	full, compact := New(Config{}), New(Config{Compact: true})
	model := map[string]map[string]bool{}
	for range 60000 {
		from, to := fmt.Sprint("u", r.IntN(40)), fmt.Sprint("b", r.IntN(60))
		if model[from] == nil {
			model[from] = map[string]bool{}
		}
		if r.IntN(5) < 3 {
			model[from][to] = true
			full.Put(from, Friend{To: to})
			compact.Put(from, Friend{To: to})
			continue
		}
		was := model[from][to]
		delete(model[from], to)
		if full.Remove(from, to) != was || compact.Remove(from, to) != was {
			t.Fatalf("remove %s of %s: was there %v", to, from, was)
		}
	}
	var want Digest
	edges, accounts := int64(0), int64(0)
	for from, list := range model {
		for to := range list {
			want.Add(from, to)
			edges++
		}
		if len(list) > 0 {
			accounts++
		}
		for i := range 60 {
			to := fmt.Sprint("b", i)
			if full.Has(from, to) != list[to] || compact.Has(from, to) != list[to] {
				t.Fatalf("%s of %s", to, from)
			}
		}
		if full.friends(from) != len(list) || compact.friends(from) != len(list) {
			t.Errorf("%s has %d and %d friends, want %d", from, full.friends(from), compact.friends(from), len(list))
		}
	}
	for name, s := range map[string]Stats{"full": full.Stats(), "compact": compact.Stats()} {
		if s.GraphEdges != edges || s.GraphAccounts != accounts || s.Digest != want.String() {
			t.Errorf("%s: %d edges, %d accounts, digest %s, want %d, %d, %s", name, s.GraphEdges, s.GraphAccounts, s.Digest, edges, accounts, want)
		}
	}
	got := map[string]map[string]bool{}
	full.Graph(func(from string, f Friend) bool {
		if got[from] == nil {
			got[from] = map[string]bool{}
		}
		got[from][f.To] = true
		return true
	})
	maps.DeleteFunc(model, func(_ string, list map[string]bool) bool { return len(list) == 0 })
	if !maps.EqualFunc(got, model, maps.Equal) {
		t.Error("Graph differs from the model")
	}
	n := 0
	full.Graph(func(string, Friend) bool { n++; return n < 3 })
	if n != 3 {
		t.Errorf("Graph yields %d after it was told to stop", n)
	}
}

func TestDigestTellsSetsApart(t *testing.T) {
	var one, two, other Digest
	one.Add("a", "b")
	one.Add("c", "d")
	two.Add("c", "d")
	two.Add("a", "b")
	other.Add("a", "d")
	other.Add("c", "b")
	if one.String() != two.String() {
		t.Error("the order matters")
	}
	if one.String() == other.String() || one.String() == Digest(0).String() {
		t.Error("different sets have one digest")
	}
	var ab, ba Digest
	ab.Add("ab", "c")
	ba.Add("a", "bc")
	if ab.String() == ba.String() {
		t.Error("ids run together")
	}
}

// BenchmarkCompactMemory puts 10 million edges over 227,000 accounts into a compact graph and
// reports the heap that stays.
func BenchmarkCompactMemory(b *testing.B) {
	if testing.Short() {
		b.Skip("10 million edges")
	}
	for b.Loop() {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		s := New(Config{Compact: true})
		for i := range 10_000_000 {
			from := fmt.Sprintf("u%08d", i/44)
			s.Put(from, Friend{To: fmt.Sprintf("u%08d", i%44*1000003+i/44)})
		}
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapSys-before.HeapSys)/1e6, "peak-heap-MB")
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/1e6, "heap-MB")
		if n := s.Stats().GraphEdges; n != 10_000_000 {
			b.Fatalf("%d edges", n)
		}
	}
}
