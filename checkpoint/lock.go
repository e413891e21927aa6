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

// LockName is the name of the lock in the state folder. The file stays after the lock is released.
// Only the kernel's lock on it counts.
const LockName = "lock"

const holderPrefix = "process " // begins the file

// Lock is the exclusive right to use a state folder. The kernel releases it when the process ends,
// in whatever way.
//
// The folder itself is locked too, because people delete lock files that look stale. Open also
// locks the journal, for volumes on which folders cannot be locked.
type Lock struct{ file, folder *os.File }

// TryLock takes the lock of the state folder dir, and makes the folder if it does not exist. It
// never waits. If another process holds the lock the error wraps ErrLocked and names the process,
// if that process has written its name.
//
// It calls flock(2) on a file of its own. The volume must support that between all machines that
// mount it: a local disk does, and NFS does from version 4 on. A volume that refuses locks is an
// error here, but a volume that only pretends to lock cannot be detected.
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

// lockDir locks the folder itself, if its volume supports that, and checks that no process has the
// journal open for writing.
func lockDir(dir string) (*os.File, error) {
	busy, err := Writing(dir)
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

// lockJournal keeps other processes from writing the journal while file is open.
func lockJournal(file disk.File) error {
	f, ok := file.(interface{ Fd() uintptr })
	if ok && errors.Is(flock(f, syscall.LOCK_EX), syscall.EWOULDBLOCK) {
		return ErrLocked
	}
	return nil
}

// Locked reports whether a process holds the lock of a folder. It writes nothing. Use it only for
// messages, since the answer may be old at once.
func Locked(dir string) (bool, error) {
	file, err := held(filepath.Join(dir, LockName), os.O_RDWR) // NFS wants a lock's file open for writing
	if file || err != nil {
		return file, err
	}
	return held(dir, os.O_RDONLY)
}

// Writing reports whether a process has the journal in a folder open for writing. While a process
// only reads the journal, as verify does, it is false, though Locked is true.
func Writing(dir string) (bool, error) { return held(filepath.Join(dir, FileName), os.O_RDWR) }

// LockFile reports whether the folder has a lock file. If another program's file has that name it
// returns an error, because taking the lock would overwrite the file.
func LockFile(dir string) (bool, error) {
	content, err := os.ReadFile(filepath.Join(dir, LockName))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	// A power cut may leave NUL bytes of a lock file, which is never synced.
	if holder := strings.Trim(string(content), "\x00"); err == nil && holder != "" &&
		!strings.HasPrefix(holder, holderPrefix) {
		err = errors.New("it is not the lock of a job")
	}
	if err != nil {
		return false, fmt.Errorf("look at %q: %w", filepath.Join(dir, LockName), err)
	}
	return true, nil
}

// held reports whether a process has locked a file or folder. A name that does not exist is not
// locked. The shared lock that held tries does not disturb other readers.
func held(name string, flag int) (bool, error) {
	file, err := os.OpenFile(name, flag, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look at the lock of %q: %w", name, err)
	}
	busy := errors.Is(flock(file, syscall.LOCK_SH), syscall.EWOULDBLOCK)
	return busy, closeLocked(file)
}

// Release releases the lock. A second Release does nothing.
func (l *Lock) Release() error {
	for _, file := range []*os.File{l.folder, l.file} {
		if err := closeLocked(file); err != nil && !errors.Is(err, os.ErrClosed) {
			return fmt.Errorf("release the lock of the state folder: %w", err)
		}
	}
	return nil
}

// closeLocked releases the lock of a file, if it has one, and closes it. Closing it alone would
// leave the lock to a child process that is just being started, until it executes another program.
func closeLocked(file disk.File) error {
	if f, ok := file.(interface{ Fd() uintptr }); ok {
		_ = flock(f, syscall.LOCK_UN) // closing releases it too
	}
	return file.Close()
}

func flock(file interface{ Fd() uintptr }, how int) error {
	for tries := 1; ; {
		err := syscall.Flock(int(file.Fd()), how|syscall.LOCK_NB)
		switch {
		case errors.Is(err, syscall.EINTR):
		case how == syscall.LOCK_EX && errors.Is(err, syscall.EWOULDBLOCK) && tries < 3:
			tries++ // somebody who only asks, as status does, has the lock for microseconds
			time.Sleep(time.Millisecond)
		default:
			return err
		}
	}
}

// isCurrent reports whether the name of the locked file still leads to this file.
func isCurrent(file *os.File) bool {
	mine, err := file.Stat()
	if err != nil {
		return false
	}
	theirs, err := os.Stat(file.Name())
	return err == nil && os.SameFile(mine, theirs)
}

// writeHolder writes into the lock file which process holds it. That is only for messages: a full
// disk must not keep a job from being resumed, so errors are ignored.
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

// readHolder returns the process that holds the lock, as text to append to a message.
func readHolder(file *os.File) string {
	line, err := io.ReadAll(io.LimitReader(file, 256))
	name := strings.TrimSpace(strings.ToValidUTF8(string(line), "?"))
	if err != nil || name == "" {
		return ""
	}
	return fmt.Sprintf(" (%q)", name)
}
