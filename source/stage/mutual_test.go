package stage

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/cespare/xxhash/v2"

	"friendmigrate/migrate"
)

// The warning about one-way inputs rests on this: over many pairs it is a sample, and the same one
// for any order, repetition and number of lanes.
func TestPairSampleDependsOnTheSetOfPairsAlone(t *testing.T) {
	const pairs = 150_000 // every fourth of them mutual
	type way struct{ from, to uint64 }
	var ways []way
	for i := range pairs {
		a, b := xxhash.Sum64String(fmt.Sprint("a", i)), xxhash.Sum64String(fmt.Sprint("b", i%1000))
		ways = append(ways, way{a, b})
		if i%4 == 0 {
			ways = append(ways, way{b, a}, way{a, b})
		}
	}
	var first, firstMutual int64
	for lanes := 1; lanes <= 3; lanes++ {
		rand.New(rand.NewPCG(uint64(lanes), 1)).Shuffle(len(ways), func(i, j int) { ways[i], ways[j] = ways[j], ways[i] })
		sample := newMutualSample()
		var wg sync.WaitGroup
		for lane := range lanes {
			wg.Go(func() {
				for i := lane; i < len(ways); i += lanes {
					sample.add(pairHash(ways[i].from, ways[i].to))
				}
			})
		}
		wg.Wait()
		n, mutual, sampled := sample.count()
		if !sampled || n < samplePairs/2 || n > samplePairs {
			t.Errorf("%d pairs, sampled %v", n, sampled)
		}
		if share := float64(mutual) / float64(n); share < 0.23 || share > 0.27 {
			t.Errorf("share of mutual pairs %.3f, want 0.25", share)
		}
		if lanes == 1 {
			first, firstMutual = n, mutual
		}
		if n != first || mutual != firstMutual {
			t.Errorf("%d lanes: %d pairs, %d mutual; one lane: %d, %d", lanes, n, mutual, first, firstMutual)
		}
	}
}

func TestPairsAreExactWhileTheyAreFew(t *testing.T) {
	w, err := Create(Options{Dir: "staged", FS: newMemory(), Memory: 32 << 20, Lanes: 2})
	if err != nil {
		t.Fatal(err)
	}
	line := int64(0)
	add := func(from, to int) {
		line++
		e := migrate.Edge{From: fmt.Sprint(from), To: fmt.Sprint(to), AddSource: "AddSource_Type_A", Position: migrate.Position{Line: line}}
		if _, err := w.Lane(int(line % 2)).Add(&e); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 99_000 {
		add(i, i+100_000)
		if i%100 == 0 {
			add(i+100_000, i)
		}
	}
	totals, err := w.WriteRosters(context.Background(), nil)
	if err != nil || totals.Pairs != 99_000 || totals.MutualPairs != 990 || totals.PairsSampled {
		t.Errorf("%d pairs, %d mutual, sampled %v, %v", totals.Pairs, totals.MutualPairs, totals.PairsSampled, err)
	}
}
