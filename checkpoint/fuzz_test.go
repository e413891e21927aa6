package checkpoint

import (
	"bytes"
	"math/rand/v2"
	"reflect"
	"testing"

	"friendmigrate/migrate/codec"
)

// Whatever a payload holds, its decoder neither panics nor takes memory without end, a replay of it
// keeps the sum, and a settlement that it does read is written and read again as the same.
func FuzzPayload(f *testing.F) {
	p := plan{3, 1, 9, 1000}
	rng := rand.New(rand.NewPCG(1, 1))
	m := newModel(p)
	for range 8 {
		s, ok := m.randomSettlement(rng)
		if !ok {
			break
		}
		m.settle(s)
		list, err := settlementEntries(s, pieceSize)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(append([]byte{2}, list[0].bytes...))
	}
	f.Add(append([]byte{0}, (&record{kind: kindReopen, codes: []int{30003, -1}}).encode()...))
	f.Add(append([]byte{0}, (&record{kind: kindMaybeSent}).encode()...))
	f.Add(append([]byte{0}, (&record{kind: kindBegin, json: []byte(`{"workers":3}`)}).encode()...))
	f.Fuzz(func(t *testing.T, payload []byte) {
		s := newState(p.identity(), reopens{{seq: 5, codes: []int{30003}}})
		var r record
		_, _ = s.replay(1, payload, &r, nil)
		if got := s.totals(); got.Pending < 0 || got.Settled() > s.id.Edges || got.Reopened < 0 || got.Chunks > s.id.Chunks {
			t.Fatalf("%+v", got)
		}
		light, _, err := openPayload(payload, false)
		spelled, _, _ := openPayload(payload, true)
		for err == nil && spelled.more() {
			var again, l record
			r = record{}
			err = spelled.read(&r)
			if lightErr := light.read(&l); (err == nil) != (lightErr == nil) || len(light.Rest) != len(spelled.Rest) {
				t.Fatalf("with texts %v, without %v", err, lightErr)
			}
			if err != nil || r.kind != kindSettled {
				continue
			}
			d := coder{Cursor: codec.Cursor{Rest: r.encode()}, withTexts: true}
			if err := d.read(&again); err != nil || !reflect.DeepEqual(again.settlement, r.settlement) {
				t.Fatalf("%v: %+v, again %+v", err, r.settlement, again.settlement)
			}
		}
	})
}

// Whatever a file holds, it is refused or opened; an opened one is of use and opens as the same
// again.
func FuzzFile(f *testing.F) {
	fsys := newMemFS()
	if err := Create(fsys, testDir, plan{3, 2}.identity()); err != nil {
		f.Fatal(err)
	}
	f.Add(fsys.content(journalName))
	j := openTestJournal(f, fsys, testDir)
	for ordinal, n := range []int{3, 2} {
		if err := j.Settle(f.Context(), wholeChunk(int64(ordinal), n)); err != nil {
			f.Fatal(err)
		}
		f.Add(fsys.content(journalName))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if p, err := replay(bytes.NewReader(data), int64(len(data))); err == nil {
			again, err := replay(bytes.NewReader(data[:p.end]), p.end)
			if err != nil || again.tornBytes != 0 || !reflect.DeepEqual(again.state.totals(), p.state.totals()) {
				t.Fatalf("%v: %+v, again %+v", err, p.state.totals(), again.state.totals())
			}
		}
	})
}
