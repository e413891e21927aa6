package stage

import (
	"errors"
	"math/rand/v2"
	"reflect"
	"strconv"
	"sync"
	"testing"

	"friendmigrate/migrate"
)

func callBytes(e *migrate.Edge) int {
	return len(e.Remark) + len(e.AddWording) + int(e.AddTime%1000) + 7
}

// Rosters of one edge whose texts cannot be compressed take the most room for an edge.
func TestTheMeasuredSizeIsAnUpperBound(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var edges []migrate.Edge
	for i := range 20_000 {
		text := func() string {
			return strconv.FormatUint(random.Uint64(), 36) + strconv.FormatUint(random.Uint64(), 36)
		}
		edges = append(edges, migrate.Edge{From: text(), To: text(), Remark: text(), AddSource: "AddSource_Type_A",
			Position: migrate.Position{Line: int64(i)}})
	}
	_, sealed, _ := build(t, edges, Options{Lanes: 2}, roomy(2), nil, 1)
	w, err := create(Options{Lanes: 2, Dir: "staged", FS: newMemory(), Measure: &Measure{EdgeBytes: callBytes,
		Visit: func() Visitor { return func(string, []Friend) {} }}}, roomy(2))
	if err != nil {
		t.Fatal(err)
	}
	addAll(t, w, edges, 2)
	measured, err := w.WriteRosters(t.Context(), nil)
	if err = errors.Join(err, w.Abort()); err != nil {
		t.Fatal(err)
	}
	if measured.Stored < sealed.Stored {
		t.Errorf("it would take %d bytes at most, it takes %d", measured.Stored, sealed.Stored)
	}
}

// TestMeasuringAgreesWithSealing: totals and chunks are those of a sealed stage of the same rows,
// however small the memory, and what it would take on disk is not less than what it takes.
func TestMeasuringAgreesWithSealing(t *testing.T) {
	for name, l := range map[string]limits{"tiny": tiny(), "roomy": roomy(2)} {
		t.Run(name, func(t *testing.T) {
			edges := graph{seed: 11, rows: 20_000, accounts: 300, hot: 10, same: 3, inputs: 2}.edges()
			o := Options{Lanes: 2, Mutual: true, MaxFriends: 50}
			s, sealed, _ := build(t, edges, o, l, nil, 1)
			var mu sync.Mutex
			seen := map[string][]Friend{}
			o.Dir, o.FS = "staged", newMemory()
			o.Measure = &Measure{EdgeBytes: callBytes, Visit: func() Visitor {
				return func(from string, chunk []Friend) {
					mu.Lock()
					defer mu.Unlock()
					seen[from] = append(seen[from], chunk...)
				}
			}}
			w, err := create(o, l)
			if err != nil {
				t.Fatal(err)
			}
			addAll(t, w, edges, 2)
			measured, err := w.WriteRosters(t.Context(), nil)
			if err = errors.Join(err, w.Abort()); err != nil {
				t.Fatal(err)
			}
			if measured.Stored < sealed.Stored {
				t.Errorf("it would take %d bytes at most, it takes %d", measured.Stored, sealed.Stored)
			}
			measured.Stored, measured.PlanDigest = sealed.Stored, sealed.PlanDigest
			if !reflect.DeepEqual(measured, sealed) {
				t.Errorf("measured %+v\nsealed   %+v", measured, sealed)
			}
			for r, err := range s.Rosters(t.Context(), nil) {
				if err != nil {
					t.Fatal(err)
				}
				var want []Friend
				for i := range r.Chunks {
					c, err := r.Load(i)
					if err != nil {
						t.Fatal(err)
					}
					for _, e := range c.Edges {
						want = append(want, Friend{Hash: Hash(e.To), Bytes: callBytes(&e)})
					}
				}
				if !reflect.DeepEqual(seen[r.From], want) {
					t.Errorf("%q: %d edges were shown, %d are there, or they differ", r.From, len(seen[r.From]), len(want))
				}
				delete(seen, r.From)
			}
			if len(seen) > 0 {
				t.Errorf("%d rosters are not in the stage", len(seen))
			}
		})
	}
}
