//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package checkpoint

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"friendmigrate/cmd/trial/quick"
	"friendmigrate/migrate/disk"
)

// lockFolder is the variable that makes the test binary a process that holds a lock until it is
// killed.
const lockFolder = "CHECKPOINT_TEST_LOCK_FOLDER"

func TestMain(m *testing.M) {
	dir := os.Getenv(lockFolder)
	if dir == "" {
		os.Exit(quick.On(m).Run())
	}
	_, err := TryLock(dir)
	fmt.Println("locked", err)
	_, _ = os.Stdin.Read(make([]byte, 1)) // until the parent lets go or kills
}

// Kubernetes may start a pod twice: the second is told at once and by whom, and when the first is
// killed the lock is free.
func TestTwoProcesses(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "state")
	other := exec.Command(os.Args[0])
	other.Env = append(os.Environ(), lockFolder+"="+dir)
	if _, err := other.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := other.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "locked <nil>\n" {
		t.Fatal(line, err)
	}
	_, err = TryLock(dir)
	mustDiffer(t, err, ErrLocked)
	if want := fmt.Sprintf("process %d on ", other.Process.Pid); !strings.Contains(err.Error(), want) {
		t.Errorf("%q does not say %q", err, want)
	}
	if err := other.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = other.Wait() // it was killed, which is an error
	lock, err := TryLock(dir)
	if err != nil {
		t.Fatal(err)
	}
	_, err = TryLock(dir)
	mustDiffer(t, err, ErrLocked) // the same process counts as another
	for range 2 {
		if err := lock.Release(); err != nil {
			t.Fatal(err)
		}
	}
	if lock, err = TryLock(dir); err != nil {
		t.Fatal(err)
	}
	if err := lock.Release(); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, LockName))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info, err)
	}
	if info, err = os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Error(info, err)
	}
}

// --fresh renames the folder that is locked: whoever comes then gets the lock of the new one.
func TestLockedFolderRenamed(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	old, err := TryLock(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(dir, dir+".old"); err != nil {
		t.Fatal(err)
	}
	if isCurrent(old.file) {
		t.Error("the lock of a renamed folder counts as the folder's")
	}
	lock, err := TryLock(dir)
	if err != nil {
		t.Fatal(err)
	}
	_, err = TryLock(dir + ".old")
	mustDiffer(t, err, ErrLocked)
	for _, l := range []*Lock{old, lock} {
		if err := l.Release(); err != nil {
			t.Error(err)
		}
	}
}

func TestFolderThatCannotBeLocked(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := TryLock(filepath.Join(file, "state")); err == nil {
		t.Error("a folder below a file was locked")
	}
}

// People delete lock files that look stale. The folder is locked too, from the start, and the
// journal where a volume's folders cannot be: then nobody else may write it.
func TestWithoutTheLockFileNobodyElseComesIn(t *testing.T) {
	dir := t.TempDir()
	lock, err := TryLock(dir)
	if err != nil {
		t.Fatal(err)
	}
	refused := func() {
		t.Helper()
		if err := os.Remove(filepath.Join(dir, LockName)); err != nil {
			t.Fatal(err)
		}
		_, err := TryLock(dir)
		mustDiffer(t, err, ErrLocked)
		if busy, err := Locked(dir); err != nil || !busy {
			t.Errorf("locked: %t %v", busy, err)
		}
	}
	refused()
	if err := Create(disk.OS{}, dir, Identity{}); err != nil {
		t.Fatal(err)
	}
	j, err := Open(disk.OS{}, dir)
	if err != nil {
		t.Fatal(err)
	}
	refused()
	if err := lock.folder.Close(); err != nil { // as on a volume whose folders cannot be locked
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, LockName)); err != nil {
		t.Fatal(err)
	}
	_, err = TryLock(dir)
	mustDiffer(t, err, ErrLocked)
	_, err = Open(disk.OS{}, dir)
	mustDiffer(t, err, ErrLocked)
	reader, err := OpenReadOnly(disk.OS{}, dir)
	if err != nil {
		t.Errorf("for reading: %v", err)
	} else if err := reader.Close(); err != nil {
		t.Error(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if lock, err = TryLock(dir); err != nil {
		t.Fatal(err)
	}
	if err := lock.Release(); err != nil {
		t.Fatal(err)
	}
}

// A child process that is just being started has the parent's files until it executes its program.
// A duplicate of the file stands for it here.
func TestCloseReleasesTheLockThoughAChildHasTheFile(t *testing.T) {
	dir := t.TempDir()
	j, err := Begin(disk.OS{}, dir, Identity{Edges: 2, Chunks: 1})
	if err != nil {
		t.Fatal(err)
	}
	child, err := syscall.Dup(int(j.file.(*os.File).Fd()))
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(child)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	l, err := TryLock(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Release(); err != nil {
		t.Error(err)
	}
	if j, err = Open(disk.OS{}, dir); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Error(err)
	}
}

func TestAFileOfAnotherProgramIsNoLock(t *testing.T) {
	dir := t.TempDir()
	for content, is := range map[string]bool{"": true, "process 7": true, strings.Repeat("\x00", 45): true, "yarn": false} {
		if err := os.WriteFile(filepath.Join(dir, LockName), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if there, err := LockFile(dir); there != is || (err == nil) != is {
			t.Errorf("%q: %v, %v", content, there, err)
		}
	}
}
