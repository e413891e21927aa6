package stage

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"

	"friendmigrate/migrate"
)

// Find has to name the very chunks that a pass over the plan names, for small and large rosters at
// any place, and nothing for accounts without one.
func TestFindAgreesWithThePlan(t *testing.T) {
	for _, g := range []graph{{seed: 1, rows: 6, accounts: 4, plain: true}, {seed: 2, rows: 4000, accounts: 900}, {seed: 3, rows: 9000, accounts: 3000, hot: 70, plain: true}} {
		for _, l := range []limits{tiny(), roomy(2)} {
			s, _, _ := build(t, g.edges(), Options{Lanes: 2}, l, nil, 5)
			there := map[string]bool{}
			for want, err := range s.Rosters(t.Context(), nil) {
				if err != nil {
					t.Fatal(err)
				}
				there[want.From] = true
				got, ok, err := s.Find(want.From)
				if err != nil || !ok || got.First != want.First || got.Chunks != want.Chunks || got.Edges != want.Edges || got.From != want.From {
					t.Fatalf("%q: found %+v, %v, %v; want %+v", want.From, got, ok, err, want)
				}
				wanted, err1 := want.Load(want.Chunks - 1)
				found, err2 := got.Load(got.Chunks - 1)
				if err1 != nil || err2 != nil || !reflect.DeepEqual(found, wanted) {
					t.Fatalf("%q: the chunk is another one (%v, %v)", want.From, err1, err2)
				}
			}
			for i := range 300 {
				name := fmt.Sprint("nobody", i)
				if _, ok, err := s.Find(name); ok || err != nil || there[name] {
					t.Fatalf("%q: %v, %v", name, ok, err)
				}
			}
		}
	}
}

func TestFindInNothingAndInDamage(t *testing.T) {
	s, _, _ := build(t, nil, Options{Lanes: 1}, tiny(), nil, 1)
	if _, ok, err := s.Find("a"); ok || err != nil {
		t.Errorf("empty stage: %v, %v", ok, err)
	}
	s, _, _ = build(t, []migrate.Edge{{From: "a", To: "b", AddSource: "AddSource_Type_A"}}, Options{Lanes: 1}, tiny(), nil, 1)
	s.body.Segments[0].crc++
	if _, _, err := s.Find("a"); !errors.Is(err, ErrDamaged) {
		t.Errorf("damaged index: %v", err)
	}
}

// UpdateMeta puts another manifest in place while others read it; the race detector fails this test
// where one of them reads it without the lock.
func TestTheManifestIsReadUnderItsLock(t *testing.T) {
	s, _, _ := build(t, []migrate.Edge{{From: "a", To: "b", AddSource: "AddSource_Type_A"}}, Options{Lanes: 1}, tiny(), nil, 1)
	var readers sync.WaitGroup
	for _, read := range []func() bool{
		func() bool { return s.Totals().Edges == 1 },
		func() bool { _, ok, err := s.Find("a"); return ok && err == nil },
		func() bool {
			n := 0
			for range s.Rosters(t.Context(), nil) {
				n++
			}
			return n == 1
		},
	} {
		readers.Go(func() {
			for range 50 {
				if !read() {
					t.Error("the roster is not there")
				}
			}
		})
	}
	for i := range 50 {
		if err := s.UpdateMeta(json.RawMessage(fmt.Sprint(i))); err != nil {
			t.Error(err)
		}
	}
	readers.Wait()
}
