package disk

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"syscall"
)

// Free returns how many bytes this user can still write to the volume of the folder name. It does
// not see quotas.
func Free(name string) (int64, error) {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(name, &fs); err != nil {
		return 0, fmt.Errorf("ask for the room on the volume of %q: %w", name, err)
	}
	free, err := freeBytes(&fs)
	if err != nil {
		return 0, fmt.Errorf("ask for the room on the volume of %q: %w", name, err)
	}
	return free, nil
}

// freeBytes counts in f_frsize, as df does: f_bsize is a size for transfers, and on some network
// file systems larger, or 0. A file system that reports no size has no answer.
func freeBytes(fs *syscall.Statfs_t) (int64, error) {
	unit := uint64(cmp.Or(fs.Frsize, fs.Bsize))
	if unit == 0 || fs.Blocks == 0 {
		return 0, errors.ErrUnsupported
	}
	return int64(min(fs.Bavail, math.MaxInt64/unit) * unit), nil
}

// OpenFiles returns how many files and connections this process may have open at the same time.
func OpenFiles() (int, error) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0, fmt.Errorf("ask for the limit of open files: %w", err)
	}
	return int(min(limit.Cur, math.MaxInt32)), nil
}
