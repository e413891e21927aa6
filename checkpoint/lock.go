//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package checkpoint

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"friendmigrate/migrate/disk"
)

// LockName is the name of the lock in the state folder. The file stays when the lock is released;
// only the kernel's lock on it counts.
const LockName = "lock"

const holderPrefix = "process " // begins the file

// Lock is the exclusive right to a state folder. The kernel releases it when the process dies,
// however it dies.
//
// The folder is locked along with the file, because people delete lock files that look stale. Open
// locks the journal too, for volumes on which folders cannot be locked.
type Lock struct{ file, folder *os.File }

// TryLock takes the lock of the state folder dir, which it makes if need be. It never waits: if
// another process holds the lock the error wraps ErrLocked and says who, as far as that process
// wrote it down.
//
// It is flock(2) on a file of its own. The volume has to support it between all machines that mount
// it: a local disk does, NFS does from version 4 on; a volume that refuses is an error here, but
// one that only pretends can't be told.
func TryLock(dir string) (*Lock, error) {
	for range 3 { // the folder may be renamed (--fresh) between opening and locking
		if err := os.MkdirAll(dir, disk.FolderMode); err != nil {
			return nil, fmt.Errorf("lock state folder: %w", err)
		}
		file, err := os.OpenFile(filepath.Join(dir, LockName), os.O_RDWR|os.O_CREATE, disk.FileMode)
		if err != nil {
			return nil, fmt.Errorf("lock state folder: %w", err)
		}
		err = flock(file, syscall.LOCK_EX)
		switch {
		case errors.Is(err, syscall.EWOULDBLOCK):
			err = fmt.Errorf("lock state folder %q: %w%s", dir, ErrLocked, readHolder(file))
		case err != nil:
			err = fmt.Errorf("lock state folder %q: the volume does not give locks: %w", dir, err)
		case !isCurrent(file):
			if err := file.Close(); err != nil {
				return nil, err
			}
			continue
		default:
			var folder *os.File
			if folder, err = lockDir(dir); err == nil {
				writeHolder(file)
				return &Lock{file, folder}, nil
			}
		}
		return nil, errors.Join(err, file.Close())
	}
	return nil, fmt.Errorf("lock state folder %q: %w: it is being moved", dir, ErrLocked)
}

// lockDir locks the folder itself, where its volume can do that, and sees that nobody has the
// journal open for writing.
func lockDir(dir string) (*os.File, error) {
	busy, err := held(filepath.Join(dir, FileName), os.O_RDWR)
	folder, openErr := os.Open(dir)
	if err = errors.Join(err, openErr); err != nil {
		return nil, fmt.Errorf("lock state folder: %w", err)
	}
	if busy || errors.Is(flock(folder, syscall.LOCK_EX), syscall.EWOULDBLOCK) {
		err := fmt.Errorf("lock state folder %q: %w (its lock file was deleted)", dir, ErrLocked)
		return nil, errors.Join(err, folder.Close())
	}
	return folder, nil
}

// lockJournal keeps other processes from writing the journal for as long as it is open.
func lockJournal(file disk.File) error {
	f, ok := file.(interface{ Fd() uintptr })
	if ok && errors.Is(flock(f, syscall.LOCK_EX), syscall.EWOULDBLOCK) {
		return ErrLocked
	}
	return nil
}

// Locked reports whether somebody holds the lock of a folder. It writes nothing, and is for telling
// only: the answer is old when it is there.
func Locked(dir string) (bool, error) {
	file, err := held(filepath.Join(dir, LockName), os.O_RDWR) // NFS wants a lock's file open for writing
	if file || err != nil {
		return file, err
	}
	return held(dir, os.O_RDONLY)
}

// LockFile reports whether the folder has a lock file. A file of that name which is not ours is an
// error: taking the lock would write over it.
func LockFile(dir string) (bool, error) {
	content, err := os.ReadFile(filepath.Join(dir, LockName))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err == nil && len(content) > 0 && !strings.HasPrefix(string(content), holderPrefix) {
		err = errors.New("it is not the lock of a job")
	}
	if err != nil {
		return false, fmt.Errorf("look at %q: %w", filepath.Join(dir, LockName), err)
	}
	return true, nil
}

// held reports whether somebody has locked a file or folder; one that is not there nobody has.
// The shared lock that it tries does not disturb others who only look.
func held(name string, flag int) (bool, error) {
	file, err := os.OpenFile(name, flag, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look at the lock of %q: %w", name, err)
	}
	busy := errors.Is(flock(file, syscall.LOCK_SH), syscall.EWOULDBLOCK)
	return busy, file.Close()
}

// Release gives the lock back. A second Release does nothing. Closing the file alone would leave the
// lock to a child process that is being started at this moment, until it becomes another program.
func (l *Lock) Release() error {
	for _, file := range []*os.File{l.folder, l.file} {
		err := flock(file, syscall.LOCK_UN)
		if err = errors.Join(err, file.Close()); err != nil && !errors.Is(err, os.ErrClosed) {
			return fmt.Errorf("release the lock of the state folder: %w", err)
		}
	}
	return nil
}

func flock(file interface{ Fd() uintptr }, how int) error {
	for {
		err := syscall.Flock(int(file.Fd()), how|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

// isCurrent reports whether the locked file is still the one that others find under its name.
func isCurrent(file *os.File) bool {
	mine, err := file.Stat()
	if err != nil {
		return false
	}
	theirs, err := os.Stat(file.Name())
	return err == nil && os.SameFile(mine, theirs)
}

// writeHolder writes down who holds the lock. That is for a message only: a full disk must not keep a job
// from being resumed.
func writeHolder(file *os.File) {
	host, err := os.Hostname()
	if err != nil {
		host = "an unknown host"
	}
	line := fmt.Sprintf(holderPrefix+"%d on %s since %s\n", os.Getpid(), host, time.Now().UTC().Format(time.RFC3339))
	if file.Truncate(0) == nil {
		_, _ = file.WriteAt([]byte(line), 0)
	}
}

// readHolder reads who holds the lock, as words to append.
func readHolder(file *os.File) string {
	line, err := io.ReadAll(io.LimitReader(file, 256))
	name := strings.TrimSpace(strings.ToValidUTF8(string(line), "?"))
	if err != nil || name == "" {
		return ""
	}
	return fmt.Sprintf(" (%q)", name)
}
