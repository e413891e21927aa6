package progress

import (
	"context"
	"io"
	"testing"

	"friendmigrate/migrate"
)

// idle is a journal that costs nothing.
type idle struct{ migrate.Journal }

func (idle) Settle(context.Context, migrate.Settlement) error { return nil }

// BenchmarkSettle is what being watched costs a call.
func BenchmarkSettle(b *testing.B) {
	j := NewView().Timed(idle{})
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			_ = j.Settle(context.Background(), migrate.Settlement{})
		}
	})
}

// BenchmarkScrape is what a scrape costs, beside the counts themselves.
func BenchmarkScrape(b *testing.B) {
	sending, _ := busy()
	for b.Loop() {
		if err := sending.WriteMetrics(io.Discard); err != nil {
			b.Fatal(err)
		}
	}
}
