//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package checkpoint

import (
	"errors"
	"fmt"

	"friendmigrate/migrate/disk"
)

// LockName is the name of the lock in the state folder.
const LockName = "lock"

// Lock is the exclusive right to a state folder.
type Lock struct{}

// TryLock refuses: without a lock that the kernel releases, two processes could write one journal.
func TryLock(dir string) (*Lock, error) {
	return nil, fmt.Errorf("lock state folder %q: %w", dir, errors.ErrUnsupported)
}

// Locked returns false: there are no locks.
func Locked(string) (bool, error) { return false, nil }

// Writing returns false: there are no locks.
func Writing(string) (bool, error) { return false, nil }

// LockFile returns false: there are no lock files.
func LockFile(string) (bool, error) { return false, nil }

// Release does nothing.
func (l *Lock) Release() error { return nil }

func lockJournal(disk.File) error { return nil }

func closeLocked(file disk.File) error { return file.Close() }
