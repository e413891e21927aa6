package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"friendmigrate/migrate/disk"
	"friendmigrate/source/stage"
)

const journalFile = "checkpoint.journal"

// readState reads all files of a state folder that a run depends on, by their path in it.
func durableFiles(t testing.TB, folder string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	names, err := filepath.Glob(filepath.Join(folder, "staged", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(names, filepath.Join(folder, journalFile)) {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		short, err := filepath.Rel(folder, name)
		if err != nil {
			t.Fatal(err)
		}
		files[short] = content
	}
	return files
}

// rostersOf is the one file with rosters: which goroutine wrote it, and so its name, is chance.
func rostersOf(t testing.TB, files map[string][]byte) string {
	t.Helper()
	for name := range files {
		if strings.Contains(name, "rosters-") {
			return name
		}
	}
	t.Fatal("there are no rosters")
	return ""
}

// damages yields each way in which one file is damaged: cut at each length and flipped at each
// byte.
func damages(content []byte, stride int, yield func(what string, damaged []byte) bool) {
	masks := []byte{0x01, 0x20, 0xff}
	for at := 0; at < len(content); at += stride {
		flipped := slices.Clone(content)
		flipped[at] ^= masks[at%len(masks)]
		if !yield(fmt.Sprintf("flipped at %d", at), flipped) || !yield(fmt.Sprintf("cut at %d", at), content[:at]) {
			return
		}
	}
	_ = yield("zeroed", make([]byte, len(content))) && yield("longer", append(slices.Clone(content), 0)) && yield("twice", append(slices.Clone(content), content...))
}

// A state that is damaged anywhere is repaired from the input, or refused with a word of what to do
// and nothing sent; never half read, never lost in silence.
func TestDamageAnywhereInTheState(t *testing.T) {
	t.Parallel()
	j := newSmallJob(t, 0)
	l := &j.lives[1]
	stride := samples(31)
	if *sweepWhole {
		stride = 1
	}
	sweep(t, func(yield func(string, func(testing.TB, string)) bool) {
		for name, content := range durableFiles(t, l.folder) {
			damages(content, stride, func(what string, damaged []byte) bool {
				return yield(name+" "+what, func(t testing.TB, dir string) { damage(t, j, l, dir, name, damaged) })
			})
		}
	})
}

// damage runs the job on a state of which one file is damaged.
func damage(t testing.TB, j *smallJob, l *life, dir, name string, damaged []byte) {
	state := filepath.Join(dir, "state")
	j.copy(t, l, state)
	if err := os.WriteFile(filepath.Join(state, name), damaged, 0o600); err != nil {
		t.Error(err)
		return
	}
	repairedOrRefused(t, j, l, state, name == journalFile)
}

// repairedOrRefused is what may become of a damaged state. A refusal leaves the journal as it was,
// for somebody who knows more.
func repairedOrRefused(t testing.TB, j *smallJob, l *life, state string, mayRefuse bool) {
	s := j.serve(l)
	before, _ := os.ReadFile(filepath.Join(state, journalFile))
	code, out := s.run(disk.OS{}, state, l.flags...)
	if strings.Contains(out, "a bug") {
		t.Errorf("it panicked\n%s", out)
	}
	if code == 1 && strings.Contains(out, "the next run builds it again from the input") { // a block is looked at when its turn comes
		code, out = s.run(disk.OS{}, state, l.flags...)
	}
	if code == l.code || !mayRefuse {
		l.ended(t, s, state, code, out)
		return
	}
	last := out[strings.LastIndex(strings.TrimRight(out, "\n"), "\n")+1:]
	if code != 1 || !strings.Contains(last, "--fresh") || !strings.Contains(last, "; hint: ") {
		t.Errorf("exit code %d: %s", code, out)
	}
	if calls := s.sim.Stats().Calls; calls > 0 {
		t.Errorf("%d calls were made before it was refused", calls)
	}
	if after, _ := os.ReadFile(filepath.Join(state, journalFile)); !bytes.Equal(before, after) {
		t.Error("the refused journal was changed")
	}
}

// Whole files that are gone, empty, of another job, of another time or of another version.
func TestOtherFilesInTheState(t *testing.T) {
	t.Parallel()
	j, other := newSmallJob(t, 0), newSmallJob(t, 1)
	l := &j.lives[1]
	files, others := durableFiles(t, l.folder), durableFiles(t, other.lives[1].folder)
	finished := durableFiles(t, filepath.Join(j.dir, "after-new"))
	version := func(content []byte, by string) []byte {
		return bytes.Replace(content, []byte(`"version":1`), []byte(`"version":`+by), 1)
	}
	manifest, rosters := filepath.Join("staged", "manifest.json"), rostersOf(t, files)
	var m struct{ Version int }
	if err := json.Unmarshal(files[manifest], &m); err != nil || m.Version != 1 || files[rosters] == nil {
		t.Fatalf("the small job's manifest has version %d (%v), and its files are %d", m.Version, err, len(files))
	}
	newer := slices.Clone(files[journalFile])
	newer[len("friendmigrate")]++ // tried below: whatever byte it is, it may not be read on
	for _, c := range []struct {
		what    string
		change  map[string][]byte // nil: removed
		refused bool
	}{
		{"journal gone", map[string][]byte{journalFile: nil}, true},
		{"journal empty", map[string][]byte{journalFile: {}}, true},
		{"journal of another job", map[string][]byte{journalFile: others[journalFile]}, true},
		{"journal of another version", map[string][]byte{journalFile: newer}, true},
		{"stage gone", map[string][]byte{manifest: nil, rosters: nil}, false},
		{"manifest gone", map[string][]byte{manifest: nil}, false},
		{"manifest empty", map[string][]byte{manifest: {}}, false},
		{"manifest of another job", map[string][]byte{manifest: others[manifest]}, true},
		{"manifest of a newer version", map[string][]byte{manifest: version(files[manifest], "2")}, false},
		{"manifest of an older version", map[string][]byte{manifest: version(files[manifest], "0")}, false},
		{"inputs in a newer version", map[string][]byte{manifest: otherMeta(t, l.folder, `"version":2`)}, false},
		{"inputs in an older version", map[string][]byte{manifest: otherMeta(t, l.folder, `"version":0`)}, false},
		{"inputs in no version", map[string][]byte{manifest: otherMeta(t, l.folder, `"other":1`)}, false},
		{"rosters gone", map[string][]byte{rosters: nil}, false},
		{"rosters empty", map[string][]byte{rosters: {}}, false},
		{"rosters of another job", map[string][]byte{rosters: others[rostersOf(t, others)]}, false},
		{"stage of another job", map[string][]byte{manifest: others[manifest], rosters: others[rostersOf(t, others)]}, true},
		{"both gone but the journal empty", map[string][]byte{manifest: nil, rosters: nil, journalFile: {}}, true},
		{"journal and manifest gone", map[string][]byte{manifest: nil, journalFile: nil}, false},
		{"journal and rosters swapped", map[string][]byte{journalFile: files[rosters], rosters: files[journalFile]}, true},
	} {
		t.Run(c.what, func(t *testing.T) {
			state := filepath.Join(t.TempDir(), "state")
			j.copy(t, l, state)
			for name, content := range c.change {
				path := filepath.Join(state, name)
				if content == nil {
					if err := os.Remove(path); err != nil {
						t.Fatal(err)
					}
				} else if err := os.WriteFile(path, content, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			repairedOrRefused(t, j, l, state, c.refused)
		})
	}
	t.Run("journal of a later time", func(t *testing.T) { // it says that all is done, and it is right to
		state := filepath.Join(t.TempDir(), "state")
		j.copy(t, l, state)
		if err := os.WriteFile(filepath.Join(state, journalFile), finished[journalFile], 0o600); err != nil {
			t.Fatal(err)
		}
		if code, out := j.serve(l).run(disk.OS{}, state); code != 3 || !strings.Contains(out, "nothing to do") {
			t.Errorf("%d\n%s", code, out)
		}
	})
}

// otherMeta is the manifest of a state with another version of what it says of its inputs, soundly
// sealed.
func otherMeta(t *testing.T, state, version string) []byte {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "staged")
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(state, "staged"))); err != nil {
		t.Fatal(err)
	}
	s, err := stage.Open(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	meta := bytes.Replace(s.Meta(), []byte(`"version":1`), []byte(version), 1)
	if err := s.UpdateMeta(meta); err != nil || !bytes.Contains(meta, []byte(version)) {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// A stage that is damaged is no trouble while the input is there; without it the job says so and
// sends nothing.
func TestDamagedStageWithoutItsInput(t *testing.T) {
	t.Parallel()
	j := newSmallJob(t, 0)
	l := &j.lives[1]
	for what, spoil := range map[string]func(state string) error{
		"damaged": func(state string) error {
			return os.Truncate(filepath.Join(state, rostersOf(t, durableFiles(t, state))), 10)
		},
		"newer": func(state string) error {
			return os.WriteFile(filepath.Join(state, "staged", "manifest.json"), otherMeta(t, state, `"version":2`), 0o600)
		},
	} {
		state := filepath.Join(t.TempDir(), "state")
		j.copy(t, l, state)
		if err := spoil(state); err != nil {
			t.Fatal(err)
		}
		before := durableFiles(t, state)
		aside := j.input + ".aside"
		if err := os.Rename(j.input, aside); err != nil {
			t.Fatal(err)
		}
		s := j.serve(l)
		code, out := s.run(disk.OS{}, state)
		if code != 1 || !strings.Contains(out, "cannot be built again") || !strings.Contains(out, "gone") || s.sim.Stats().Calls > 0 {
			t.Errorf("%s: %d, %d calls\n%s", what, code, s.sim.Stats().Calls, out)
		}
		if !maps.EqualFunc(before, durableFiles(t, state), bytes.Equal) {
			t.Errorf("%s: the refused state was changed", what)
		}
		if err := os.Rename(aside, j.input); err != nil {
			t.Fatal(err)
		}
		code, out = s.run(disk.OS{}, state)
		l.ended(t, s, state, code, out)
	}
}
