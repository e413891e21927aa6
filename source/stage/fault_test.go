package stage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"

	"friendmigrate/migrate"
)

// attempt makes a stage from rows. It returns the first error.
func attempt(m *memory, rows []migrate.Edge) error {
	w, err := create(Options{Dir: "staged", FS: m, Lanes: 1}, tiny())
	if err != nil {
		return err
	}
	for i := range rows {
		if _, err := w.Lane(0).Add(&rows[i]); err != nil {
			if _, again := w.Lane(0).Add(&rows[i]); again == nil {
				return errors.New("a lane that had failed went on")
			}
			if _, sealed := w.WriteRosters(context.Background(), nil); sealed == nil {
				return errors.New("a stage that had failed was sealed")
			}
			return err
		}
	}
	if _, err := w.WriteRosters(context.Background(), nil); err != nil {
		if w.Seal(nil) == nil {
			return errors.New("a stage that had failed was finished")
		}
		return err
	}
	return w.Seal(json.RawMessage(`{}`))
}

// Every file operation in turn fails, once and for good: the error comes out, and what is sealed
// all the same is whole.
func TestEveryFileOperationThatFails(t *testing.T) {
	rows := graph{seed: 9, rows: 900, accounts: 2000, hot: 60, plain: true}.edges()
	operations := map[string]bool{}
	total := 0
	m := newMemory()
	m.fault = func(op, _ string) error { operations[op] = true; total++; return nil }
	if err := attempt(m, rows); err != nil {
		t.Fatal(err)
	}
	for _, op := range []string{"mkdir", "open", "create", "write", "read", "close", "remove", "sync", "rename", "syncdir"} {
		if !operations[op] {
			t.Errorf("no %s in the whole run", op)
		}
	}
	want, _, _, err := readAll(m)
	if err != nil {
		t.Fatal(err)
	}
	for _, forGood := range []bool{false, true} {
		for n := 1; n <= total; n += 1 + n/60 {
			t.Run(fmt.Sprint(n, forGood), func(t *testing.T) {
				m := newMemory()
				count, failed := 0, ""
				m.fault = func(op, name string) error {
					if count++; count == n || forGood && count > n {
						if failed == "" {
							failed = op + " " + name
						}
						return syscall.EIO
					}
					return nil
				}
				err := attempt(m, rows)
				if err == nil && failed != "" || err != nil && !errors.Is(err, syscall.EIO) {
					t.Errorf("%s failed: %v", failed, err)
				}
				m.fault = nil
				got, _, _, err := readAll(m)
				if err == nil && !reflect.DeepEqual(got, want) {
					t.Errorf("%s failed: something else was sealed", failed)
				}
				if err != nil && !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("%s failed: %v", failed, err)
				}
			})
		}
	}
}

// A full disk: the write that doesn't fit ends the stage, whichever it is.
func TestDiskFull(t *testing.T) {
	rows := graph{seed: 10, rows: 900, accounts: 2000, hot: 60, plain: true}.edges()
	for _, prefix := range []string{rawPrefix, sealedPrefix, manifestName} {
		m := newMemory()
		m.fault = func(op, name string) error {
			if op == "write" && strings.HasPrefix(name, prefix) {
				return syscall.ENOSPC
			}
			return nil
		}
		if err := attempt(m, rows); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("%s: %v", prefix, err)
		}
		if _, err := Open("staged", m); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: open: %v", prefix, err)
		}
	}
}

// A power cut right after the manifest's rename must find everything that the manifest speaks of on
// the disk.
func TestSealedDataIsSyncedBeforeTheManifest(t *testing.T) {
	rows := graph{seed: 12, rows: 900, accounts: 200}.edges()
	m := newMemory()
	folder, renamed := false, false
	m.fault = func(op, name string) error {
		switch op {
		case "create", "write":
			folder = strings.HasPrefix(name, manifestName) && folder
		case "syncdir":
			folder = true
		case "rename":
			renamed = true
			for name, c := range m.files {
				if !c.synced {
					t.Errorf("%q is not synced when the manifest is renamed", name)
				}
			}
			if !folder {
				t.Error("the folder is not synced when the manifest is renamed")
			}
			folder = false
		}
		return nil
	}
	if err := attempt(m, rows); err != nil {
		t.Fatal(err)
	}
	if !renamed || !folder {
		t.Errorf("manifest renamed %v, folder synced %v", renamed, folder)
	}
}

func TestErrorOfTheCallerEndsWriteRosters(t *testing.T) {
	w, err := create(Options{Dir: "staged", FS: newMemory(), Lanes: 2}, tiny())
	if err != nil {
		t.Fatal(err)
	}
	addAll(t, w, graph{seed: 13, rows: 900, accounts: 10}.edges(), 1)
	full := errors.New("list is full")
	if _, err := w.WriteRosters(context.Background(), func(_, _ *migrate.Edge, _ bool) error { return full }); !errors.Is(err, full) {
		t.Errorf("write rosters: %v", err)
	}
}

func listed(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// A crash before the manifest leaves files of an unsealed stage: they are no stage, and the next
// one clears them away and nothing else.
func TestLeftoversOfACrashAreCleared(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "staged")
	rows := graph{seed: 14, rows: 900, accounts: 100}.edges()
	w, err := create(Options{Dir: dir, Lanes: 2}, tiny())
	if err != nil {
		t.Fatal(err)
	}
	addAll(t, w, rows, 1)
	if len(raw(listed(t, dir))) == 0 {
		t.Fatal("nothing was spilled")
	}
	for _, name := range []string{"rosters-1", "raw-0-17", "manifest.json.tmp", "of somebody else"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Open(dir, nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("open: %v", err)
	}
	o := Options{Dir: dir, Lanes: 2}
	if w, err = create(o, tiny()); err != nil {
		t.Fatal(err)
	}
	if left := listed(t, dir); !slices.Equal(left, []string{"of somebody else"}) {
		t.Errorf("left: %q", left)
	}
	addAll(t, w, rows, 2)
	if _, err := w.WriteRosters(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	if err := w.Seal(nil); err != nil {
		t.Fatal(err)
	}
	if err := w.Abort(); err != nil {
		t.Error(err)
	}
	if left := listed(t, dir); len(raw(left)) > 0 || !slices.Contains(left, manifestName) || !slices.Contains(left, "of somebody else") {
		t.Errorf("sealed: %q", left)
	}
	checkSealedLife(t, o, rows)
}

// checkSealedLife takes a sealed stage through the rest of its life.
func checkSealedLife(t *testing.T, o Options, rows []migrate.Edge) {
	if _, err := create(o, tiny()); !errors.Is(err, fs.ErrExist) {
		t.Errorf("create over a sealed stage: %v", err)
	}
	s, err := Open(o.Dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	if s.Meta() != nil {
		t.Errorf("meta %s", s.Meta())
	}
	if err := s.UpdateMeta(json.RawMessage(`{"inputs": [1, 2]}`)); err != nil {
		t.Fatal(err)
	}
	want := model(rows, o, nil).rosters
	if got := read(t, s); !reflect.DeepEqual(got, want) {
		t.Error("another plan came back")
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if s, err = Open(o.Dir, nil); err != nil || string(s.Meta()) != `{"inputs":[1,2]}` {
		t.Fatalf("open after an update: %s, %v", s.Meta(), err)
	}
	if err := s.MarkDamaged(); err != nil {
		t.Error(err)
	}
	s.Close()
	if _, err := Open(o.Dir, nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("open after it was marked: %v", err)
	}
	w, err := create(o, tiny())
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Abort(); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(filepath.Join(o.Dir, manifestName), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := create(o, tiny()); err != nil {
		t.Errorf("create over a damaged stage: %v", err)
	}
	if err := Remove(o.Dir, nil); err != nil {
		t.Error(err)
	}
	if left := listed(t, o.Dir); !slices.Equal(left, []string{"of somebody else"}) {
		t.Errorf("left: %q", left)
	}
	if err := Remove(filepath.Join(o.Dir, "nowhere"), nil); err != nil {
		t.Errorf("remove what isn't there: %v", err)
	}
}
