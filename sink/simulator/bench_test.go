package simulator

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// BenchmarkHandler is a friend_import without the network: of 44 edges, and of as many as fit.
func BenchmarkHandler(b *testing.B) {
	for _, edges := range []int{44, maxItems} {
		b.Run(fmt.Sprintf("edges=%d", edges), func(b *testing.B) {
			a := &app{t: b, sim: New(Config{App: App{SDKAppID: testApp, Key: testKey}, Compact: edges == maxItems}), sig: sign(b, "administrator")}
			address := a.address(apiImport)
			to := names("friend", edges)
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				r := httptest.NewRequest(http.MethodPost, address, strings.NewReader(importBody(fmt.Sprint("u", n%100000), to...)))
				w := httptest.NewRecorder()
				a.sim.ServeHTTP(w, r)
			}
			if s := a.sim.Stats(); s.ByCode[0] != s.Calls {
				b.Fatalf("codes: %v", s.ByCode)
			}
		})
	}
}

// BenchmarkLoopback is the same over sockets, client included.
func BenchmarkLoopback(b *testing.B) {
	a := start(b, Config{})
	to := names("friend", 44)
	var n int
	var lock sync.Mutex
	next := func() (int, bool) {
		lock.Lock()
		defer lock.Unlock()
		n++
		return n, n <= b.N
	}
	var workers sync.WaitGroup
	begin := time.Now()
	b.ResetTimer()
	for range 16 {
		workers.Go(func() {
			for i, more := next(); more; i, more = next() {
				w, err := a.http.Post(a.address(apiImport), "application/json", strings.NewReader(importBody(fmt.Sprint("u", i), to...)))
				if err != nil {
					b.Error(err)
					return
				}
				io.Copy(io.Discard, w.Body)
				w.Body.Close()
			}
		})
	}
	workers.Wait()
	b.ReportMetric(float64(b.N)/time.Since(begin).Seconds(), "calls/s")
}
