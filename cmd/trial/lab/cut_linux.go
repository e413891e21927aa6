package lab

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"unsafe"
)

// shutdown is ioctl FS_IOC_SHUTDOWN with the flag not to flush the log.
func shutdown(folder string) error {
	const (
		fsIocShutdown = 0x8004587d
		noLogFlush    = 2
	)
	d, err := os.Open(folder)
	if err != nil {
		return err
	}
	how := uint32(noLogFlush)
	_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, d.Fd(), fsIocShutdown, uintptr(unsafe.Pointer(&how)))
	if errno != 0 {
		err = fmt.Errorf("cut the power of %q: %w", folder, errno)
	}
	return errors.Join(err, d.Close())
}

// detach unmounts what is mounted at a folder, if anything, as soon as it is not in use.
func detach(folder string) error {
	err := syscall.Unmount(folder, syscall.MNT_DETACH)
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOENT) {
		return nil
	}
	return err
}

// MemoryFolder returns a folder in memory with room for the images of volumes, or "" if there is
// none.
func MemoryFolder() string {
	const folder, enough = "/dev/shm", 4 << 30
	var fs syscall.Statfs_t
	if err := syscall.Statfs(folder, &fs); err != nil || fs.Bavail*uint64(fs.Bsize) < enough {
		return ""
	}
	return folder
}
