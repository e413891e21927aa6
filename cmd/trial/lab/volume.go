package lab

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// Volume is a small separate file system that may be broken. It needs root.
type Volume struct {
	Folder string // where it is mounted
	image  string // empty: in memory
	mount  []string
}

// The kinds of volumes.
const (
	Ext4 = "ext4"
	XFS  = "xfs"
)

// Volumes makes a volume of a kind and returns why this machine cannot have one; nil: it can.
func Volumes(kind string) error {
	return Catch(func() {
		dir := Must(os.MkdirTemp(MemoryFolder(), "trial-volume-"))
		defer os.RemoveAll(dir)
		v := NewVolume(dir, kind)
		defer v.Close()
		v.Cut()
	})
}

// NewVolume makes and mounts a volume below dir. The file system keeps what was not synced in
// memory as long as possible: with its default settings ext4 would hide a missing sync before a
// rename.
func NewVolume(dir, kind string) *Volume {
	v := &Volume{Folder: filepath.Join(dir, "volume"), image: filepath.Join(dir, "image")}
	size := int64(48 << 20)
	options := "loop,commit=1000,noauto_da_alloc,errors=remount-ro"
	mkfs := []string{"mkfs.ext4", "-q", "-F", v.image}
	if kind == XFS {
		size, options, mkfs = 300<<20, "loop", []string{"mkfs.xfs", "-q", "-f", v.image}
	}
	Check(os.MkdirAll(v.Folder, 0o700))
	Check(errors.Join(os.WriteFile(v.image, nil, 0o600), os.Truncate(v.image, size)))
	command(mkfs...)
	v.mount = []string{"mount", "-t", kind, "-o", options, v.image, v.Folder}
	command(v.mount...)
	return v
}

// NewMemory makes and mounts a volume in memory with a size in kB.
func NewMemory(dir string, kB int) *Volume {
	v := &Volume{Folder: filepath.Join(dir, "volume")}
	Check(os.MkdirAll(v.Folder, 0o700))
	command("mount", "-t", "tmpfs", "-o", fmt.Sprintf("size=%dk,mode=700", kB), "tmpfs", v.Folder)
	return v
}

// Cut cuts the power: after this the volume accepts no writes, and what was not synced is lost.
func (v *Volume) Cut() { Check(shutdown(v.Folder)) }

// Again unmounts and mounts the volume, as after a restart of the machine. It must not be in use.
func (v *Volume) Again() {
	v.unmount()
	command(v.mount...)
}

// Remount changes the options of a mounted volume.
func (v *Volume) Remount(options string) { command("mount", "-o", "remount,"+options, v.Folder) }

// Fail makes the file system find an error in itself, so that it becomes read only while it is in
// use. It works for ext4 with errors=remount-ro.
func (v *Volume) Fail() {
	device := command("findmnt", "-n", "-o", "SOURCE", v.Folder)
	Check(os.WriteFile(filepath.Join("/sys/fs/ext4", filepath.Base(device), "trigger_fs_error"), []byte("1"), 0))
}

// Close unmounts and removes the volume.
func (v *Volume) Close() {
	v.unmount()
	if v.image != "" {
		Check(os.Remove(v.image))
	}
}

// unmount waits until the volume is no longer in use: a killed process may still be ending.
func (v *Volume) unmount() {
	for range 99 {
		if Catch(func() { command("umount", v.Folder) }) == nil {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	command("umount", v.Folder)
}

func command(words ...string) string { return Output(exec.Command(words[0], words[1:]...)) }
