package disk

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// broken is a disk on which one operation fails.
type broken struct {
	OS
	syncDir, write error
}

func (b broken) SyncDir(name string) error {
	if b.syncDir != nil {
		return b.syncDir
	}
	return b.OS.SyncDir(name)
}

func (b broken) OpenFile(name string, flag int, perm fs.FileMode) (File, error) {
	f, err := b.OS.OpenFile(name, flag, perm)
	return brokenFile{f, b.write}, err
}

type brokenFile struct {
	File
	write error
}

func (f brokenFile) Write(p []byte) (int, error) {
	if f.write != nil {
		return 0, f.write
	}
	return f.File.Write(p)
}

func TestOneFaultOfADiskIsOneError(t *testing.T) {
	for name, c := range map[string]struct {
		disk  broken
		want  error
		there bool
	}{
		"the folder cannot be synced": {broken{syncDir: syscall.EIO}, syscall.EIO, true},
		"no space":                    {broken{write: syscall.ENOSPC}, syscall.ENOSPC, false},
	} {
		file := filepath.Join(t.TempDir(), "list")
		err := WriteWhole(c.disk, file, func(w io.Writer) error {
			_, err := io.WriteString(w, strings.Repeat("x", 200_000))
			return err
		})
		if !errors.Is(err, c.want) || strings.Contains(err.Error(), "\n") || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Stat(file); (err == nil) != c.there {
			t.Errorf("%s: the file: %v", name, err)
		}
		if _, err := os.Stat(file + ".tmp"); err == nil {
			t.Errorf("%s: the temporary file stays", name)
		}
	}
}

// A person may ask for a report while the job writes its own.
func TestAFileWithSeveralWritersIsAlwaysWhole(t *testing.T) {
	file := filepath.Join(t.TempDir(), "report")
	var writers sync.WaitGroup
	for i := range 200 {
		writers.Go(func() {
			if err := WriteShared(OS{}, file, func(w io.Writer) error {
				_, err := io.WriteString(w, strings.Repeat(string(rune('a'+i%26)), 100_000))
				return err
			}); err != nil {
				t.Error(err)
			}
		})
	}
	writers.Wait()
	text, err := os.ReadFile(file)
	if err != nil || len(text) != 100_000 || strings.Trim(string(text), string(text[:1])) != "" {
		t.Errorf("%d bytes, %v", len(text), err)
	}
	if left, err := os.ReadDir(filepath.Dir(file)); len(left) != 1 {
		t.Error(left, err)
	}
}

func TestWaitEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	if n, err := Wait(ctx, func() (int, error) { return 3, io.EOF }); n != 3 || err != io.EOF {
		t.Error(n, err)
	}
	cause := errors.New("SIGTERM")
	cancel(cause)
	if _, err := Wait(ctx, func() (int, error) { select {} }); err != cause {
		t.Error(err)
	}
}
