package simulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// allFaults is every fault that can hit a call, in both forms.
func allFaults() []string {
	list := []string{"code:30001", "code:30006", "code:30007", "code:60008", "code:70001", "items:30006", "items:30002", "http:301", "http:302", "http:307", "http:204",
		"http:400", "http:403", "http:404", "http:413", "http:429", "http:500", "http:502", "http:503", "http:504", "reset", "close", "cut", "stall:1ms", "stall-headers:1ms",
		"stall-half:1ms", "drip:1ms", "spike:1ms", "refuse"}
	for _, n := range BodyKinds() {
		list = append(list, "body:"+n)
	}
	for _, n := range RawKinds() {
		list = append(list, "raw:"+n)
	}
	for _, n := range slices.Clone(list) {
		list = append(list, n+"+applied")
	}
	return list
}

// strictly reads an answer as a careful client does: what it says beyond doubt is imported, of
// those that were asked about.
func strictly(v answered, asked []string) (imported []string) {
	var envelope map[string]json.RawMessage
	if v.err != nil || v.http != 200 || len(v.raw) > 4<<20 || json.Unmarshal(v.raw, &envelope) != nil {
		return nil
	}
	if string(envelope["ActionStatus"]) != `"OK"` || string(envelope["ErrorCode"]) != "0" {
		return nil
	}
	var items []map[string]json.RawMessage
	if json.Unmarshal(envelope["ResultItem"], &items) != nil {
		return nil
	}
	said := map[string]string{}
	for _, it := range items {
		to := string(it["To_Account"])
		if was, twice := said[to]; twice && was != string(it["ResultCode"]) {
			said[to] = "doubt"
			continue
		}
		said[to] = string(it["ResultCode"])
	}
	for to, code := range said {
		if id := strings.Trim(to, `"`); code == "0" && slices.Contains(asked, id) {
			imported = append(imported, id)
		}
	}
	slices.Sort(imported)
	return imported
}

// Fakes model the lie: whatever a fault does to an answer, a careful client must be able to see
// through it, and what "applied" says must be so.
func TestEveryFaultAtThreePositions(t *testing.T) {
	for _, text := range allFaults() {
		fault, err := ParseFault(text)
		if err != nil {
			t.Fatal(err)
		}
		big := fault.Name == "huge" || fault.Name == "gzip-bomb" || fault.Name == "header-huge"
		if big && (fault.Applied || testing.Short()) {
			continue
		}
		for _, position := range []int64{1, 2, 3} {
			ended := make(chan Call, 10)
			a := start(t, Config{Observe: func(c Call) { ended <- c }, Script: func(c Call) *Fault {
				if c.Number == position {
					return &fault
				}
				return nil
			}})
			for n := int64(1); n <= 3; n++ {
				to := names(fmt.Sprint("b", n, "-"), 3)
				v := a.imports("a", to...)
				for fault.Name == "two-answers" && n != position && v.code != 0 {
					v = a.imports("a", to...) // it had the answer that nobody asked for
				}
				for _, id := range strictly(v, to) {
					if !a.sim.Has("a", id) {
						t.Errorf("%s at %d: %s is said to be imported and is not", text, position, id)
					}
				}
				there := slices.DeleteFunc(to, func(id string) bool { return !a.sim.Has("a", id) })
				if n != position {
					if v.want(t, 0); len(there) != 3 {
						t.Errorf("%s at %d: %d edges of call %d in the graph", text, position, len(there), n)
					}
					continue
				}
				checkFault(t, text, fault, v, to, len(there))
			}
			for range 3 {
				<-ended // the client may have turned away from a long answer before the server knows
			}
			s := a.sim.Stats()
			if s.ByFault[text] != 1 || s.Calls < 3 || s.Calls > 3 && fault.Name != "two-answers" || s.Overlaps != 0 || s.EdgesAgain != 0 || s.OpenNow != 0 {
				t.Errorf("%s at %d: stats %+v", text, position, s)
			}
			if big || fault.Applied {
				break // the position makes no difference once more
			}
		}
	}
}

// checkFault checks the call that a fault hit: n of its three edges are in the graph.
func checkFault(t *testing.T, text string, fault Fault, v answered, asked []string, n int) {
	t.Helper()
	oneItem := fault.Kind == FaultBody && kindOf(oddBodies, fault.Name).oneItem
	works := fault.serves() && (fault.Kind != FaultItems || fault.Applied)
	want := map[bool]int{true: 3}[works]
	if oneItem && !fault.Applied {
		want = 2
	}
	if n != want {
		t.Errorf("%s: %d of 3 edges in the graph, want %d", text, n, want)
	}
	broken := v.err != nil
	switch fault.Kind {
	case FaultReset, FaultClose, FaultCut, FaultRefuse, FaultStall, FaultHeadStall, FaultHalfStall:
		if !broken {
			t.Errorf("%s: no error: %s", text, v.raw)
		}
	case FaultRaw:
		trusted := kindOf(rawAnswers, fault.Name).trusted
		if quiet := fault.Name == "length-short" || fault.Name == "switching"; !quiet && broken == trusted {
			t.Errorf("%s: error %v", text, v.err)
		}
	case FaultStatus:
		if v.http != fault.Code || fault.Code/100 == 3 && v.header.Get("Location") != "/" {
			t.Errorf("%s: HTTP %d", text, v.http)
		}
	case FaultCode:
		v.want(t, fault.Code)
	case FaultItems:
		if v.want(t, 0); len(v.results) != 3 || v.results["b1-0000"] != 0 && v.results["b1-0000"] != fault.Code {
			t.Errorf("%s: %s", text, v.raw)
		}
	case FaultDrip, FaultSpike:
		v.want(t, 0)
	case FaultBody:
		if !kindOf(oddBodies, fault.Name).trusted && len(strictly(v, asked)) > 0 {
			t.Errorf("%s: a careful client believes %.200s", text, v.raw)
		}
	}
}

// The calls of different accounts interleave differently in each run; what happens to each of them
// must not depend on that.
func TestFatesDependOnSeedAndAccountOnly(t *testing.T) {
	run := func(seed uint64, workers int) map[string]string {
		var lock sync.Mutex
		fates := map[string]string{}
		a := start(t, Config{Seed: seed, Faults: Faults{
			Shares:   map[string]float64{"code:30006": 0.1, "code:30007": 0.1, "code:30007+applied": 0.05, "items:30006": 0.1, "items:30010": 0.1, "http:502": 0.1, "reset": 0.05, "body:empty+applied": 0.05, "body:missing+applied": 0.05},
			HotShare: 0.1,
		}, App: App{MissingShare: 0.1}, Readings: Readings{Order: OrderShuffled}, Observe: func(c Call) {
			lock.Lock()
			defer lock.Unlock()
			fates[fmt.Sprint(c.From, c.Nth)] = fmt.Sprint(c.Fault, c.Code, c.Applied)
		}})
		var all sync.WaitGroup
		for w := range workers {
			all.Go(func() {
				for u := w; u < 20; u += workers {
					for i := range 5 {
						v := a.imports(fmt.Sprint("u", u), names(fmt.Sprint("b", i), 3)...)
						lock.Lock()
						fates[fmt.Sprint("answer", u, i)] = string(v.raw)
						lock.Unlock()
					}
				}
			})
		}
		all.Wait()
		return fates
	}
	one := run(1, 1)
	if other := run(1, 5); !maps.Equal(one, other) {
		t.Error("the same seed with another interleaving has other fates")
	}
	if maps.Equal(one, run(2, 1)) {
		t.Error("another seed has the same fates")
	}
}

func TestSharesAreWhatTheySay(t *testing.T) {
	c := Config{Seed: 3, Faults: Faults{Shares: map[string]float64{"code:30006": 0.2, "code:30008": 0.1, "http:502": 0.05, "items:30007": 0.02}, APIs: NewSet(apiImport)}}
	a := startPiped(t, c)
	const n = 2500
	for i := range n {
		a.imports(fmt.Sprint("u", i%100), names("b", 5)...)
	}
	s := a.sim.Stats()
	near := func(what string, got int64, of, share float64) {
		if want := of * share; float64(got) < want*0.8 || float64(got) > want*1.2 {
			t.Errorf("%s: %d, want about %.0f", what, got, want)
		}
	}
	near("30006", s.ByCode[30006], n, 0.2)
	near("30008", s.ByCode[30008], n, 0.1)
	near("HTTP 502", s.ByStatus[502], n, 0.05)
	near("items 30007", s.ItemsByCode[30007], n*0.65*5, 0.02)
	for range 50 {
		a.post(apiCheck, `{"From_Account":"a","To_Account":["b"],"CheckType":"CheckResult_Type_Single"}`).want(t, 0)
	}
}

// What passes by itself passes at the next call; what doesn't is a property of the edge.
func TestItemFaultsStickOrPass(t *testing.T) {
	a := start(t, Config{Faults: Faults{Shares: map[string]float64{"items:30006": 0.3, "items:30002": 0.3, "items:30007+applied": 0.2}}})
	first := a.imports("a", names("b", 50)...).want(t, 0).results
	again := a.imports("a", names("b", 50)...).want(t, 0).results
	passed := 0
	for to, code := range first {
		if (code == 30002) != (again[to] == 30002) {
			t.Errorf("%s: 30002 comes and goes", to)
		}
		if code == 30007 && !a.sim.Has("a", to) {
			t.Errorf("%s: applied and not there", to)
		}
		if code == 30006 && again[to] == 0 {
			passed++
		}
	}
	if passed == 0 {
		t.Error("30006 never passes")
	}
}

func TestHotAccounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := startPiped(t, Config{Faults: Faults{Hot: NewSet("a"), HotWindow: Window{0, time.Minute}}})
		a.imports("a", "b").want(t, 30008)
		a.imports("c", "b").want(t, 0)
		a.post(apiGet, `{"From_Account":"a","StartIndex":0}`).want(t, 0)
		time.Sleep(time.Minute)
		a.imports("a", "b").want(t, 0)
	})
}

// A whole-call 30001 says nothing about which item it is: only halving finds it.
func TestPoisonousEdgesRefuseTheirWholeCall(t *testing.T) {
	a := start(t, Config{Faults: Faults{Poison: NewSet("bad", "a->c"), PoisonInfo: "sensitive"}})
	if v := a.imports("a", "b", "bad", "d").want(t, 30001); v.info != "sensitive" || a.sim.friends("a") != 0 {
		t.Errorf("text %q, %d friends", v.info, a.sim.friends("a"))
	}
	a.imports("a", "c").want(t, 30001)
	a.imports("x", "c").want(t, 0)
	a.imports("a", "b", "d").want(t, 0)
	a.sim.Reconfigure(func(c *Config) { c.Poison, c.PoisonShare, c.PoisonInfo = nil, 1, "" })
	a.imports("a", "b").want(t, 30001)
}

// A custom tag never created in the console refuses every call that has it.
func TestCustomTagsNotCreated(t *testing.T) {
	a := start(t, Config{App: App{MissingTags: NewSet("Tag_SNS_Custom_B")}})
	for tag, code := range map[string]int{"A": 0, "B": 30001} {
		a.post(apiImport, itemBody("a", "b", `"CustomItem":[{"Tag":"Tag_SNS_Custom_`+tag+`","Value":"x"}]`)).want(t, code)
	}
}

func TestRedirectsThatAreFollowedShow(t *testing.T) {
	a := start(t, Config{Faults: Faults{Shares: map[string]float64{"http:307": 1}}})
	a.imports("a", "b")
	if s := a.sim.Stats(); s.Calls != 1 {
		t.Error("counted before anybody followed")
	}
	a.http.CheckRedirect = nil
	a.imports("a", "b")
	if s := a.sim.Stats(); s.ByAPI[""] == 0 {
		t.Errorf("stats: %+v", s)
	}
}

func TestUnknownKindsArePanicsAtOnce(t *testing.T) {
	for _, c := range []Config{{Faults: Faults{Shares: map[string]float64{"body:nope": 1}}}, {Faults: Faults{Shares: map[string]float64{"raw:nope": 1}}},
		{Faults: Faults{Outages: []Outage{{Fault: Fault{Kind: FaultBody, Name: "nope"}}}}}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("no panic for %+v", c.Faults)
				}
			}()
			New(c)
		}()
	}
}

func TestResetsAreResets(t *testing.T) {
	a := start(t, Config{Faults: Faults{Shares: map[string]float64{"reset": 1}}})
	if v := a.imports("a", "b"); v.err == nil || !strings.Contains(v.err.Error(), "reset") {
		t.Errorf("error %v", v.err)
	}
	a.sim.Reconfigure(func(c *Config) { c.Shares = map[string]float64{"close": 1} })
	if v := a.imports("a", "b"); v.err == nil || !strings.Contains(v.err.Error(), "EOF") || errors.Is(v.err, http.ErrHandlerTimeout) {
		t.Errorf("error %v", v.err)
	}
}
