package plan

import (
	"fmt"
	"math"
	"testing"

	"friendmigrate/source/stage"
)

func TestTheSketchCountsDistinctIDs(t *testing.T) {
	for _, n := range []int{0, 1, 2, 100, 1000, 40_000, 1_000_000} {
		var a, b sketch
		for i := range n {
			s := []*sketch{&a, &b}[i%2]
			s.add(stage.Hash(fmt.Sprint("user", i)))
			s.add(stage.Hash(fmt.Sprint("user", i/2)))
		}
		a.merge(&b)
		if got := float64(a.count()); math.Abs(got-float64(n)) > 0.035*float64(n) {
			t.Errorf("%d ids: about %.0f", n, got)
		}
	}
}
