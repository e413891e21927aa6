package stage

import (
	"context"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/metrics"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"friendmigrate/migrate"
)

// benchEdges is how many edges the benchmarks stage; FRIENDMIGRATE_BENCH_EDGES overrides it.
func benchEdges(b *testing.B) int {
	if v := os.Getenv("FRIENDMIGRATE_BENCH_EDGES"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil {
			b.Fatal(err)
		}
		return n
	}
	return 10_000_000
}

// fill stages random edges between accounts like u00012345, some 40 for each account, from lanes
// that take turns at blocks of lines. The texts of a block are made together, like those of a block
// of input.
func fill(b *testing.B, w *Writer, edges, lanes int) {
	const block = 10_000
	var next atomic.Int64
	var wg sync.WaitGroup
	for i := range lanes {
		wg.Go(func() {
			lane := w.Lane(i)
			e := migrate.Edge{AddSource: "AddSource_Type_Import"}
			for {
				first := int(next.Add(block)) - block
				if first >= edges {
					return
				}
				names := randomNames(uint64(first), edges/40, 2*block)
				for line := range min(block, edges-first) {
					e.Line = int64(first + line + 2)
					e.From, e.To = names[18*line:18*line+9], names[18*line+9:18*line+18]
					if _, err := lane.Add(&e); err != nil {
						b.Error(err)
						return
					}
				}
			}
		})
	}
	wg.Wait()
}

// randomNames is n names of 9 bytes, of so many accounts, without a space between them.
func randomNames(seed uint64, accounts, n int) string {
	random := rand.New(rand.NewPCG(1, seed))
	b := make([]byte, 0, 9*n)
	for range n {
		v := random.IntN(accounts)
		b = append(b, "u00000000"...)
		for i := len(b) - 1; v > 0; i-- {
			b[i] += byte(v % 10)
			v /= 10
		}
	}
	return string(b)
}

// peak watches the memory that the Go runtime has taken from the system and not given back, until
// stop is called.
func peak() (stop func() float64) {
	done := make(chan struct{})
	result := make(chan float64)
	go func() {
		sample := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
		most := 0.0
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			metrics.Read(sample)
			most = max(most, float64(sample[0].Value.Uint64()-sample[1].Value.Uint64()))
			select {
			case <-done:
				result <- most
				return
			case <-tick.C:
			}
		}
	}()
	return func() float64 { close(done); return <-result }
}

// resident is the process's peak resident memory, from the kernel; 0 where it doesn't tell.
func resident() float64 {
	status, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			n, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return n * 1024
		}
	}
	return 0
}

func sealedSize(s *Stage) (n int64) {
	for _, f := range s.body.Files {
		n += f.Size
	}
	return n
}

// BenchmarkStage is the way of 10 million edges in random order from Add to a sealed stage, with
// two lanes in 128 MiB. Run it with GOMEMLIMIT=200MiB, as the command would set it.
func BenchmarkStage(b *testing.B) {
	edges := benchEdges(b)
	for b.Loop() {
		runtime.GC()
		stop := peak()
		dir := b.TempDir()
		w, err := Create(Options{Dir: dir, Memory: 128 << 20, Lanes: 2})
		if err != nil {
			b.Fatal(err)
		}
		start := time.Now()
		fill(b, w, edges, 2)
		added := time.Now()
		totals, err := w.WriteRosters(context.Background(), nil)
		if err != nil {
			b.Fatal(err)
		}
		if err := w.Seal(nil); err != nil {
			b.Fatal(err)
		}
		end := time.Now()
		b.ReportMetric(added.Sub(start).Seconds(), "add-s")
		b.ReportMetric(end.Sub(added).Seconds(), "seal-s")
		b.ReportMetric(stop()/(1<<20), "peak-MiB")
		b.ReportMetric(resident()/(1<<20), "rss-MiB")
		s, err := Open(dir, nil)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(sealedSize(s))/float64(totals.Edges), "bytes/edge")
		s.Close()
	}
}

// BenchmarkRosters reads a sealed stage of a tenth of the edges: every edge, and then none because
// all is settled.
func BenchmarkRosters(b *testing.B) {
	edges := benchEdges(b) / 10
	dir := b.TempDir()
	w, err := Create(Options{Dir: dir, Memory: 128 << 20, Lanes: 2})
	if err != nil {
		b.Fatal(err)
	}
	fill(b, w, edges, 2)
	if _, err := w.WriteRosters(context.Background(), nil); err != nil {
		b.Fatal(err)
	}
	if err := w.Seal(nil); err != nil {
		b.Fatal(err)
	}
	s, err := Open(dir, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	b.Run("load", func(b *testing.B) {
		b.ReportAllocs()
		n := 0
		for b.Loop() {
			for r, err := range s.Rosters(context.Background(), nil) {
				if err != nil {
					b.Fatal(err)
				}
				for i := range r.Chunks {
					c, err := r.Load(i)
					if err != nil {
						b.Fatal(err)
					}
					n += len(c.Edges)
				}
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/edge")
	})
	b.Run("pass", func(b *testing.B) {
		for b.Loop() {
			for r, err := range s.Rosters(context.Background(), nil) {
				if err != nil || r.Chunks < 1 {
					b.Fatal(r, err)
				}
			}
		}
	})
	b.Run("skip", func(b *testing.B) {
		for b.Loop() {
			for r, err := range s.Rosters(context.Background(), func(int64, int) bool { return true }) {
				b.Fatal(r, err)
			}
		}
	})
}
