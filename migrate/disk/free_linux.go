package disk

import (
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
	if blocks := uint64(math.MaxInt64) / uint64(fs.Bsize); fs.Bavail > blocks {
		return math.MaxInt64, nil
	}
	return int64(fs.Bavail) * fs.Bsize, nil
}

// OpenFiles returns how many files and connections this process may have open at the same time.
func OpenFiles() (int, error) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0, fmt.Errorf("ask for the limit of open files: %w", err)
	}
	return int(min(limit.Cur, math.MaxInt32)), nil
}
