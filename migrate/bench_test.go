package migrate

import (
	"context"
	"testing"
)

type instant struct{}

func (instant) Call(_ context.Context, _ string, edges []Edge) ([]Outcome, error) {
	out := make([]Outcome, len(edges))
	for i := range out {
		out[i].Kind = Imported
	}
	return out, nil
}

type forgetful struct{}

func (forgetful) Announce(int64) error { return nil }

func (forgetful) Unsettled(_ int64, n int) (EdgeSet, bool) { return FullSet(n), false }
func (forgetful) Settle(context.Context, Settlement) error { return nil }

// BenchmarkRun is what the engine itself costs for a call: everything but the call and its
// settling.
func BenchmarkRun(b *testing.B) {
	opt := testOptions()
	opt.Workers = 300
	b.ReportAllocs()
	one := roster("a", 0, 44)
	chunk, _ := one.Load(0)
	one.Load = func(int) (Chunk, error) { return chunk, nil }
	_, err := Run(b.Context(), func(yield func(Roster, error) bool) {
		for range b.N {
			if !yield(one, nil) {
				return
			}
		}
	}, instant{}.Call, forgetful{}, opt)
	if err != nil {
		b.Fatal(err)
	}
}
