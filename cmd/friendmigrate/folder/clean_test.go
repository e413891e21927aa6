package folder

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"friendmigrate/checkpoint"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/migrate"
	"friendmigrate/migrate/disk"
)

// made makes up a state: a journal of a job with so many pending edges, and files.
func made(t *testing.T, dir string, pending int64, files ...string) {
	t.Helper()
	chunks := min(pending, 1)
	if err := checkpoint.Create(disk.OS{}, dir, checkpoint.Identity{Rows: pending, Edges: pending, Chunks: chunks}); err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		name = filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o700), os.WriteFile(name, []byte("personal"), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
}

func there(names ...string) bool {
	_, err := os.Lstat(filepath.Join(names...))
	return err == nil
}

func places(t *testing.T, base string) []Place {
	t.Helper()
	found, err := Find(base)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestOnlyStagedInputGoes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a[b]*")
	made(t, dir, 0, "staged/rosters-0", "staged/manifest.json", "failed.csv", "rejected.csv.spool", "report.html", "report.html.tmp12", "old-20260102-030405/staged/rosters-0")
	cleaned, aside, err := Clean(places(t, dir))
	if err != nil || len(cleaned) != 1 || len(aside) != 1 {
		t.Fatalf("%q, %q, %v", cleaned, aside, err)
	}
	if there(dir, "staged") || there(dir, "rejected.csv.spool") || there(dir, "report.html.tmp12") || !there(dir, "failed.csv") || !there(dir, "report.html") || !there(dir, "checkpoint.journal") || !there(aside[0], "staged/rosters-0") {
		t.Error("another set of files is left")
	}
	if cleaned, _, err := Clean(places(t, dir)); err != nil || len(cleaned) != 0 {
		t.Errorf("again: %q, %v", cleaned, err)
	}
}

func TestAFileThatIsNotOursStays(t *testing.T) {
	dir := t.TempDir()
	made(t, dir, 0, "staged/rosters-0", "staged/notes.txt", "mine.spool", "starting-over/staged/rosters-0", "starting-over/notes.txt")
	if _, _, err := Clean(places(t, dir)); err != nil || !there(dir, "staged/notes.txt") || there(dir, "staged/rosters-0") {
		t.Errorf("%v", err)
	}
	if !there(dir, "mine.spool") || !there(dir, "starting-over/notes.txt") || there(dir, "starting-over/staged") {
		t.Error("another set of files is left")
	}
}

// One shard with pending edges, or in use, keeps the others from being cleaned.
func TestItIsAllShardsOrNone(t *testing.T) {
	base := t.TempDir()
	var dirs []string
	for i, pending := range []int64{0, 5} {
		dirs = append(dirs, Of(base, settings.Shard{Index: i, Count: 2}))
		made(t, dirs[i], pending, "staged/rosters-0")
	}
	if _, _, err := Clean(places(t, base)); !errors.Is(err, ErrUnfinished) || !strings.Contains(err.Error(), fmt.Sprintf("%q is not finished: 5 edges are pending", dirs[1])) {
		t.Errorf("an unfinished shard: %v", err)
	}
	lock, err := checkpoint.TryLock(dirs[1])
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := Clean(places(t, base)); !errors.Is(err, checkpoint.ErrLocked) {
		t.Errorf("a shard in use: %v", err)
	}
	if !there(dirs[0], "staged/rosters-0") || !there(dirs[1], "staged/rosters-0") {
		t.Error("refused, but something was removed")
	}
	if err := lock.Release(); err != nil {
		t.Fatal(err)
	}
}

// --retry-failed of an undo needs the staged input, also after everything was tried once.
func TestAnUndoWithFailedEdgesIsNotFinished(t *testing.T) {
	dir := t.TempDir()
	made(t, dir, 0, "staged/rosters-0")
	made(t, filepath.Join(dir, Undo), 1)
	journal, err := checkpoint.Open(disk.OS{}, filepath.Join(dir, Undo))
	if err != nil {
		t.Fatal(err)
	}
	chunk := migrate.Chunk{From: "a", Edges: []migrate.Edge{{From: "a", To: "b"}}}
	failed := migrate.Settled{Outcome: migrate.Outcome{Kind: migrate.Failed, Code: 30003}, Attempts: 1}
	err = errors.Join(journal.BeginRun(checkpoint.RunStart{}), journal.Announce(0),
		journal.Settle(t.Context(), migrate.Settlement{Chunk: chunk, Settled: []migrate.Settled{failed}}), journal.Close())
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := Clean(places(t, dir)); !errors.Is(err, ErrUnfinished) || !strings.Contains(err.Error(), "1 edge could not be deleted") {
		t.Errorf("%v", err)
	}
}

func TestAJobThatHasNoJournalYetIsNotFinished(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "staged"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Clean(places(t, dir)); !errors.Is(err, ErrUnfinished) {
		t.Errorf("%v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "checkpoint.journal"), []byte("not one"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Clean(places(t, dir)); !errors.Is(err, checkpoint.ErrDamaged) {
		t.Errorf("a damaged journal: %v", err)
	}
}
