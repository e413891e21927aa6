package verify

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// Values of the exact bound from its definition: 1-0.05^(1/n) for none bad, and published tables.
func TestBoundIsTheExactOne(t *testing.T) {
	for _, c := range []struct {
		n, bad int64
		want   float64
	}{
		{1, 0, 0.95}, {10, 0, 1 - math.Pow(0.05, 0.1)}, {1000, 0, 1 - math.Pow(0.05, 0.001)}, {1_000_000, 0, 2.99573e-6},
		{10, 1, 0.39416}, {10, 5, 0.77756}, {100, 1, 0.04656}, {10, 9, 0.99488}, {5, 5, 1}, {0, 0, 1},
	} {
		if got := Bound(c.n, c.bad); math.Abs(got-c.want) > 1e-5*max(c.want, 0.1) && math.Abs(got/c.want-1) > 1e-4 {
			t.Errorf("Bound(%d, %d) = %.7g, want %.7g", c.n, c.bad, got, c.want)
		}
	}
}

// The bound must not depend on how the beta function is computed: it is held against a plain sum.
func TestBoundAgreesWithAPlainSum(t *testing.T) {
	for _, n := range []int64{2, 7, 50, 400} {
		for bad := range min(n, 30) {
			p, sum := Bound(n, bad), 0.0
			for k := range bad + 1 {
				a, _ := math.Lgamma(float64(n + 1))
				b, _ := math.Lgamma(float64(k + 1))
				c, _ := math.Lgamma(float64(n - k + 1))
				sum += math.Exp(a - b - c + float64(k)*math.Log(p) + float64(n-k)*math.Log1p(-p))
			}
			if math.Abs(sum-0.05) > 1e-9 {
				t.Fatalf("n %d, bad %d: P = %.12f at the bound %g", n, bad, sum, p)
			}
		}
	}
}

func TestEveryNumberIsDrawnAsOften(t *testing.T) {
	for _, c := range []struct{ total, n int64 }{{10, 3}, {10, 7}, {10, 10}, {10, 0}, {1, 1}, {5, 9}} {
		counts := make([]int, c.total)
		const rounds = 20_000
		for seed := range uint64(rounds) {
			sample := Draw(c.total, c.n, seed)
			if int64(len(sample)) != min(c.n, c.total) || !slices.IsSorted(sample) || len(slices.Compact(slices.Clone(sample))) != len(sample) {
				t.Fatalf("%d of %d: %v", c.n, c.total, sample)
			}
			for _, i := range sample {
				counts[i]++
			}
		}
		want := float64(rounds) * float64(min(c.n, c.total)) / float64(c.total)
		for i, got := range counts {
			if math.Abs(float64(got)-want) > 6*math.Sqrt(rounds)/2 {
				t.Errorf("%d of %d: %d came %d times, want about %.0f", c.n, c.total, i, got, want)
			}
		}
	}
	if a, b := Draw(1e9, 1000, 7), Draw(1e9, 1000, 7); !slices.Equal(a, b) {
		t.Error("the same seed gave another sample")
	}
}

func ExampleBound() {
	fmt.Printf("%.4f\n", Bound(10_000, 0))
	// Output: 0.0003
}
