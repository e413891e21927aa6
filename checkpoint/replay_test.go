package checkpoint

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// A model of maps and a journal that is opened again and again say the same, at every moment.
func TestStateSurvivesRestarts(t *testing.T) {
	for seed := range uint64(12) {
		rng := rand.New(rand.NewPCG(seed, 1))
		p := randomPlan(rng, 1+rng.IntN(25))
		fsys, m := newMemFS(), newModel(p)
		j := newTestJournal(t, fsys, testDir, p)
		for range 60 {
			if !m.step(t, rng, j) {
				break
			}
			if rng.IntN(4) == 0 {
				if err := j.Close(); err != nil {
					t.Fatal(err)
				}
				fsys = fsys.restart()
				j = openTestJournal(t, fsys, testDir)
			}
			if d := m.differs(j); d != "" {
				t.Fatalf("seed %d: %s", seed, d)
			}
		}
		m.settleAll(t, rng, j)
	}
}

// history is a small journal of which every state is known by the length that the file had.
type history struct {
	data   []byte
	ends   []int // length of the file after each frame
	states []*model
}

// smallHistory has settlements of every kind, a run and a reopening.
func smallHistory(t *testing.T, seed uint64) history {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 2))
	p := plan{3, 1, 9, 2, 5, 4}
	fsys, m := newMemFS(), newModel(p)
	j := newTestJournal(t, fsys, testDir, p)
	var h history
	note := func() {
		if size := len(fsys.content(journalName)); len(h.ends) == 0 || h.ends[len(h.ends)-1] != size {
			h.ends, h.states = append(h.ends, size), append(h.states, m.clone())
		}
	}
	note()
	if err := j.BeginRun(RunStart{Workers: 3}); err != nil {
		t.Fatal(err)
	}
	note()
	for k := 0; k < 14 && m.step(t, rng, j); k++ {
		note()
	}
	if err := j.EndRun(RunEnd{Code: 4}); err != nil {
		t.Fatal(err)
	}
	note()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	h.data = fsys.content(journalName)
	return h
}

// at is the number of frames within the first n bytes, less one, or -1.
func (h *history) at(n int) int {
	k, found := slices.BinarySearch(h.ends, n)
	if found {
		return k
	}
	return k - 1
}

func openBytes(t *testing.T, data []byte) (*Journal, *memFS, error) {
	t.Helper()
	fsys := newMemFS()
	fsys.put(journalName, data)
	j, err := Open(fsys, testDir)
	if err == nil {
		t.Cleanup(func() { _ = j.Close() })
	} else if got := fsys.content(journalName); !bytes.Equal(got, data) {
		t.Fatalf("a refused file was changed: %v", err)
	}
	return j, fsys, err
}

// A kill during a write leaves any length of the file: every one gives the state of the last whole
// frame, and is of use.
func TestKilledAtEveryLength(t *testing.T) {
	for seed := range uint64(2) {
		h := smallHistory(t, seed)
		rng := rand.New(rand.NewPCG(seed, 3))
		for n := range len(h.data) + 1 {
			j, fsys, err := openBytes(t, h.data[:n])
			k := h.at(n)
			if k < 0 {
				mustDiffer(t, err, ErrDamaged)
				continue
			}
			if err != nil {
				t.Fatalf("seed %d, %d bytes: %v", seed, n, err)
			}
			m := h.states[k].clone()
			if d := m.differs(j); d != "" {
				t.Fatalf("seed %d, %d bytes: %s", seed, n, d)
			}
			if got := int(j.TornBytes()); got != n-h.ends[k] || len(fsys.content(journalName)) != h.ends[k] {
				t.Fatalf("seed %d, %d bytes: cut %d, want %d", seed, n, got, n-h.ends[k])
			}
			m.settleAll(t, rng, j)
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
			if d := m.differs(openTestJournal(t, fsys.restart(), testDir)); d != "" {
				t.Fatalf("seed %d, %d bytes, opened again: %s", seed, n, d)
			}
		}
	}
}

// A flipped byte is found wherever it is; in the last frame alone it can't be told from a torn
// write, which costs that frame and nothing else.
func TestEveryByteFlipped(t *testing.T) {
	h := smallHistory(t, 7)
	rng := rand.New(rand.NewPCG(7, 7))
	last := h.ends[len(h.ends)-2]
	for n := range h.data {
		for _, flip := range []byte{1, 0x80, 0xff, byte(1 + rng.IntN(255))} {
			data := slices.Clone(h.data)
			data[n] ^= flip
			j, _, err := openBytes(t, data)
			if n < last {
				mustDiffer(t, err, ErrDamaged)
				continue
			}
			if err != nil {
				mustDiffer(t, err, ErrDamaged)
			} else if d := h.states[len(h.states)-2].differs(j); d != "" {
				t.Fatalf("byte %d: %s", n, d)
			}
		}
	}
}

// A part of the file that is gone, or is there twice, is damage, although frames after it are good
// at another place.
func TestBytesMissingOrDoubled(t *testing.T) {
	h := smallHistory(t, 8)
	last := h.ends[len(h.ends)-2]
	for from := 0; from < last; from++ {
		for _, size := range []int{1, 7, 40, last - from} {
			if to := from + size; to <= last {
				_, _, err := openBytes(t, slices.Concat(h.data[:from], h.data[to:]))
				mustDiffer(t, err, ErrDamaged)
				if slices.Contains(h.ends, to) || from == 0 {
					_, _, err = openBytes(t, slices.Concat(h.data[:to], h.data[from:to], h.data[to:]))
					mustDiffer(t, err, ErrDamaged)
				}
			}
		}
	}
}

// Power cuts leave zeros where nothing was written yet, also after what was.
func TestZeroFilledTail(t *testing.T) {
	h := smallHistory(t, 9)
	for _, k := range []int{0, 3, len(h.ends) - 1} {
		for _, zeros := range []int{1, frameHeaderSize, 4096} {
			for _, torn := range []int{0, 5, 21} {
				part := h.data[h.ends[k]:min(h.ends[k]+torn, len(h.data))]
				j, _, err := openBytes(t, slices.Concat(h.data[:h.ends[k]], part, make([]byte, zeros)))
				if err != nil {
					t.Fatalf("%d zeros after frame %d: %v", zeros, k, err)
				}
				if d := h.states[k].differs(j); d != "" {
					t.Fatal(d)
				}
			}
		}
	}
	most := append(slices.Clone(h.data), make([]byte, maxPayload+frameHeaderSize)...)
	if _, _, err := openBytes(t, most); err != nil {
		t.Fatal(err)
	}
	_, _, err := openBytes(t, append(most, 0))
	mustDiffer(t, err, ErrDamaged) // so much can't be one write
}

// An empty or zeroed state file is no new job.
func TestEmptyOrZeroedFileIsNoNewJob(t *testing.T) {
	h := smallHistory(t, 10)
	for _, data := range [][]byte{nil, make([]byte, 1), make([]byte, 5000), h.data[:headerSize-1], h.data[:headerSize], h.data[:h.ends[0]-1], []byte("hello")} {
		_, _, err := openBytes(t, data)
		mustDiffer(t, err, ErrDamaged)
	}
	_, err := Open(newMemFS(), testDir)
	if err == nil || errors.Is(err, ErrDamaged) {
		t.Fatalf("no file at all: %v", err)
	}
}

// The frames of another journal, whole or cut, are never taken for ours, and never for a torn write
// of ours.
func TestSplicedFromAnotherJournal(t *testing.T) {
	a, b := smallHistory(t, 11), smallHistory(t, 11) // the same frames but for the file's id
	for k := range min(len(a.ends), len(b.ends)) - 1 {
		_, _, err := openBytes(t, slices.Concat(a.data[:a.ends[k]], b.data[b.ends[k]:]))
		mustDiffer(t, err, ErrDamaged)
		_, _, err = openBytes(t, slices.Concat(a.data[:a.ends[k]], b.data[b.ends[k]:b.ends[k+1]], a.data[a.ends[k+1]:]))
		mustDiffer(t, err, ErrDamaged)
	}
	for n := range min(len(a.data), b.ends[len(b.ends)-2]) {
		mixed := slices.Concat(a.data[:n], b.data[n:])
		if bytes.Equal(mixed, b.data) {
			continue // the head of a header
		}
		if _, _, err := openBytes(t, mixed); err == nil {
			t.Fatalf("%d bytes of one journal and the rest of another were taken", n)
		}
	}
}

// A frame that is missing leaves a gap in the numbers.
func TestSequenceGap(t *testing.T) {
	h := smallHistory(t, 12)
	for k := range len(h.ends) - 1 {
		_, _, err := openBytes(t, slices.Concat(h.data[:h.ends[k]], h.data[h.ends[k+1]:]))
		if k == len(h.ends)-2 {
			if err != nil {
				t.Fatal(err) // nothing comes after the missing one
			}
			continue
		}
		mustDiffer(t, err, ErrDamaged)
	}
}

// A newer format is told from damage, and so is a header that only looks newer.
func TestNewerVersion(t *testing.T) {
	h := smallHistory(t, 13)
	id := binary.LittleEndian.Uint64(h.data[12:])
	_, _, err := openBytes(t, append(appendHeader(nil, formatVersion+1, id), h.data[headerSize:]...))
	mustDiffer(t, err, ErrNewer)
	_, _, err = openBytes(t, append(appendHeader(nil, 0, id), h.data[headerSize:]...))
	mustDiffer(t, err, ErrDamaged)
	flipped := slices.Clone(h.data)
	flipped[8]++
	_, _, err = openBytes(t, flipped)
	mustDiffer(t, err, ErrDamaged)
}

// Frames that a bug or another program sealed well are refused as well.
func TestGoodChecksumOfNonsense(t *testing.T) {
	h := smallHistory(t, 14)
	id := binary.LittleEndian.Uint64(h.data[12:])
	whole := &settlement{ordinal: 0, n: 3, whole: true}
	settled := func(s *settlement) []byte { return (&record{kind: kindSettled, settlement: *s}).encode() }
	for name, records := range map[string][]byte{
		"unknown kind":     {99},
		"no such chunk":    settled(&settlement{ordinal: 6, n: 3, whole: true}),
		"settled twice":    slices.Concat(settled(whole), settled(whole)),
		"second identity":  (&record{kind: kindIdentity, json: []byte("{}")}).encode(),
		"end before begin": (&record{kind: kindEnd, json: []byte("{}")}).encode(),
		"no JSON":          (&record{kind: kindBegin, json: []byte("{")}).encode(),
		"no such span":     (&record{kind: kindMaybeSent, span: 1}).encode(),
		"empty chunk":      settled(&settlement{ordinal: 0, whole: true}),
		"cut record":       settled(whole)[:2],
	} {
		frame := append(make([]byte, frameHeaderSize), 0)
		frame = append(frame, records...)
		sealFrame(frame, 1, id)
		_, _, err := openBytes(t, append(slices.Clone(h.data[:h.ends[0]]), frame...))
		if !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// status, failures and explain look while the job runs: they see what is whole and change nothing.
func TestReadOnlyBesideAWriter(t *testing.T) {
	h := smallHistory(t, 15)
	for n := h.ends[0]; n <= len(h.data); n++ {
		fsys := newMemFS()
		fsys.put(journalName, h.data[:n])
		j, err := OpenReadOnly(fsys, testDir)
		if err != nil {
			t.Fatal(err)
		}
		if d := h.states[h.at(n)].differs(j); d != "" {
			t.Fatal(d)
		}
		s, _ := newModel(plan{3, 1, 9, 2, 5, 4}).randomSettlement(rand.New(rand.NewPCG(1, 1)))
		_, reopenErr := j.Reopen(t.Context(), nil)
		for _, err := range []error{j.Settle(t.Context(), s), reopenErr, j.BeginRun(RunStart{})} {
			mustDiffer(t, err, ErrReadOnly)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(fsys.content(journalName), h.data[:n]) {
			t.Fatal("reading changed the file")
		}
	}
}

// Create never writes over the truth.
func TestCreateTwice(t *testing.T) {
	fsys := newMemFS()
	p := plan{1}
	if err := Create(fsys, testDir, p.identity()); err != nil {
		t.Fatal(err)
	}
	before := fsys.content(journalName)
	if err := Create(fsys, testDir, p.identity()); err == nil {
		t.Fatal("a second journal was created")
	}
	if !bytes.Equal(before, fsys.content(journalName)) {
		t.Fatal("the journal was changed")
	}
	if there, err := Exists(fsys, testDir); err != nil || !there {
		t.Fatal(there, err)
	}
	if there, err := Exists(fsys, "elsewhere"); err != nil || there {
		t.Fatal(there, err)
	}
}

// Many inputs have many digests, more than other frames may hold.
func TestIdentityOfManyInputs(t *testing.T) {
	fsys, id := newMemFS(), plan{1}.identity()
	for i := range 100_000 {
		id.Inputs = append(id.Inputs, fmt.Sprintf("%064d", i))
	}
	if err := Create(fsys, testDir, id); err != nil {
		t.Fatal(err)
	}
	if words := openTestJournal(t, fsys, testDir).Identity().Differs(id); words != nil {
		t.Fatal(words)
	}
}

// Jobs outlive versions of the program: a journal of format 1 says the same for ever.
func TestFormat1StaysReadable(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("testdata", "format-1.journal"))
	if err != nil {
		t.Fatal(err)
	}
	golden, err := os.ReadFile(filepath.Join("testdata", "format-1.json"))
	if err != nil {
		t.Fatal(err)
	}
	j, _, err := openBytes(t, data)
	if err != nil {
		t.Fatal(err)
	}
	said := story(t, j)
	if said != string(golden) {
		t.Errorf("it says\n%s\nand said\n%s", said, golden)
	}
}

// story is all that a journal says.
func story(t *testing.T, j *Journal) string {
	t.Helper()
	var all struct {
		Identity    Identity
		Totals      Totals
		Runs        []Run
		Failures    []Failure
		Settlements []Settled
	}
	all.Identity, all.Totals, all.Runs = j.Identity(), j.Totals(), j.Runs()
	for f, err := range j.Failures() {
		if err != nil {
			t.Fatal(err)
		}
		f.At = f.At.UTC()
		all.Failures = append(all.Failures, f)
	}
	for s, err := range j.Settlements(0, j.Identity().Chunks) {
		if err != nil {
			t.Fatal(err)
		}
		s.At = s.At.UTC()
		all.Settlements = append(all.Settlements, s)
	}
	text, err := json.MarshalIndent(all, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text) + "\n"
}
