package simulator

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tencentyun/tls-sig-api-v2-golang/tencentyun"
)

func TestFaultWindowAndOutages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		outage := func(from, to int, fault string) Outage {
			f, err := ParseFault(fault)
			if err != nil {
				t.Fatal(err)
			}
			return Outage{Window{time.Duration(from) * time.Second, time.Duration(to) * time.Second}, f}
		}
		a := startPiped(t, Config{Latency: time.Second, Faults: Faults{
			Shares:  map[string]float64{"code:30006": 1},
			Window:  Window{10 * time.Second, 20 * time.Second},
			Outages: []Outage{outage(30, 40, "refuse"), outage(50, 60, "stall"), outage(70, 80, "http:503"), outage(90, 100, "code:30007+applied"), outage(110, 0, "spike:20s")},
		}})
		at := func(s int) answered {
			time.Sleep(time.Duration(s)*time.Second - a.sim.traffic.now())
			a.http.CloseIdleConnections()
			a.http.Timeout = 10 * time.Second
			return a.imports("a", fmt.Sprint("b", s))
		}
		at(0).want(t, 0)
		at(9).want(t, 0)
		at(10).want(t, 30006)
		at(19).want(t, 30006)
		at(20).want(t, 0)
		for _, s := range []int{30, 39} {
			if v := at(s); v.err == nil {
				t.Errorf("at %d: the connection was not refused", s)
			}
		}
		calls := a.sim.Stats().Calls
		if at(40).want(t, 0); a.sim.Stats().Calls != calls+1 || a.sim.Stats().ConnectionsRefused != 2 {
			t.Errorf("stats: %+v", a.sim.Stats())
		}
		if v := at(50); v.err == nil || a.sim.Has("a", "b50") {
			t.Error("stalled calls are answered")
		}
		if v := at(70); v.http != 503 {
			t.Errorf("HTTP %d", v.http)
		}
		if at(90).want(t, 30007); !a.sim.Has("a", "b90") {
			t.Error("not applied")
		}
		if v := at(110); v.err == nil {
			t.Error("a call that takes 21 s was answered within 10")
		}
		time.Sleep(15 * time.Second)
		if !a.sim.Has("a", "b110") {
			t.Error("the service forgot a call whose client went")
		}
	})
}

func TestSignaturesDeclaredExpiredOrRevoked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := startPiped(t, Config{Faults: Faults{SigExpire: []time.Duration{10 * time.Second, 40 * time.Second}, SigRevoke: []time.Duration{20 * time.Second}}})
		first := a.sig
		show := func(at int, sig string, code int) {
			t.Helper()
			time.Sleep(time.Duration(at)*time.Second - a.sim.traffic.now())
			a.sig = sig
			a.imports("a", "b").want(t, code)
		}
		show(0, first, 0)
		show(9, first, 0)
		for i := range maxSigs { // of other clients; they must not make the first one new again
			a.sim.signatures.check(a.sim.config.Load(), query{sig: fmt.Sprint(i)}, arrival{})
		}
		show(10, first, 70001)
		second := sign(t, "administrator")
		show(10, second, 0)
		show(19, second, 0)
		show(20, second, 70052)
		show(20, sign(t, "administrator"), 0)
		time.Sleep(5 * time.Second)
		fourth := sign(t, "administrator")
		show(39, fourth, 0)
		show(40, fourth, 70001)
		show(40, first, 70001)
		show(40, sign(t, "administrator"), 0)
	})
}

func TestKeyChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := startPiped(t, Config{})
		a.imports("a", "b").want(t, 0)
		a.sim.Reconfigure(func(c *Config) { c.Key = "other" })
		a.imports("a", "b").want(t, 70009)
		a.sig, _ = tencentyun.GenUserSig(testApp, "other", "administrator", 600)
		a.imports("a", "b").want(t, 0)
	})
}

func TestCloseEndsEveryWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := startPiped(t, Config{Latency: time.Hour})
		var calls sync.WaitGroup
		begin := time.Now()
		calls.Go(func() { a.imports("a", "b").want(t, 0) })
		synctest.Wait()
		a.sim.Close()
		calls.Wait()
		if d := time.Since(begin); d != 0 {
			t.Errorf("it took %v", d)
		}
	})
}

func TestSpikesAndDripsTakeTheirTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := startPiped(t, Config{Faults: Faults{Shares: map[string]float64{"spike": 1}}})
		begin := time.Now()
		a.imports("a", "b").want(t, 0)
		if d := time.Since(begin); d != 5*time.Second {
			t.Errorf("a spike of 5 s took %v", d)
		}
		a.sim.Reconfigure(func(c *Config) { c.Shares = map[string]float64{"drip": 1} })
		begin = time.Now()
		a.imports("a", "b").want(t, 0)
		if d := time.Since(begin); d != 1900*time.Millisecond {
			t.Errorf("a drip of 20 pieces over 2 s took %v", d)
		}
		if s := a.sim.Stats(); s.ByFault["spike+applied"] != 1 || s.ByFault["drip+applied"] != 1 {
			t.Errorf("faults: %v", s.ByFault)
		}
	})
}

func TestStallsEndWithTheClientOrAfterTheirTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := startPiped(t, Config{Faults: Faults{Shares: map[string]float64{"stall-headers": 1}}})
		a.http.Timeout = 10 * time.Second
		if v := a.imports("a", "b"); v.err == nil {
			t.Error("answered")
		}
		a.sim.Reconfigure(func(c *Config) {
			c.Shares, c.Outages = nil, []Outage{{Fault: Fault{Kind: FaultHeadStall, For: 3 * time.Second}}}
		})
		begin := time.Now()
		if v := a.imports("a", "b"); v.err == nil || time.Since(begin) != 3*time.Second {
			t.Errorf("error %v after %v", v.err, time.Since(begin))
		}
		synctest.Wait()
		if s := a.sim.Stats(); s.GaveUp != 1 || s.OpenNow != 0 || s.GraphEdges != 0 || s.Overlaps != 0 {
			t.Errorf("stats: %+v", s)
		}
	})
}
