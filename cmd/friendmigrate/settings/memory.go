package settings

import (
	"io/fs"
	"math"
	"path"
	"strconv"
	"strings"
)

// DefaultMemory is --memory if neither a value nor a container's limit is set.
const DefaultMemory = 256 << 20

// leastMemory is the smallest --memory. With less the program would do little but collect garbage.
const leastMemory = 64 << 20

// cgroupShare is the part of a container's limit that may be used. The rest is for the page cache
// and for memory that the runtime does not count.
const cgroupShare = 0.7

// RuntimeLimit returns the limit for Go's runtime that keeps the process below memory bytes. The
// rest is for memory that the runtime does not count: some 17 MB of the program itself, and kernel
// stacks.
func RuntimeLimit(memory int64) int64 { return memory - max(memory/10, 18<<20) }

// ContainerLimit returns the lowest memory limit of a container in which memory bytes may be used.
func ContainerLimit(memory int64) int64 { return int64(math.Ceil(float64(memory) / cgroupShare)) }

// memoryOr returns given or, if that is 0, 70 % of the memory limit of this process's cgroup, or
// DefaultMemory if it has no limit. root is the root of the file system.
func memoryOr(given int64, root fs.FS) int64 {
	if given > 0 {
		return given
	}
	limit := cgroupLimit(root)
	if limit == 0 {
		return DefaultMemory
	}
	return max(leastMemory, int64(cgroupShare*float64(limit)))
}

// cgroupLimit returns the lowest memory limit of this process's cgroup and those above it, of
// version 2 or version 1, or 0 if there is none.
func cgroupLimit(root fs.FS) (least int64) {
	if root == nil {
		return 0
	}
	membership, _ := fs.ReadFile(root, "proc/self/cgroup")
	for line := range strings.Lines(string(membership)) {
		_, rest, _ := strings.Cut(strings.TrimSpace(line), ":") // hierarchy-ID:controllers:path
		mount, file := "sys/fs/cgroup", "memory.max"
		controllers, folder, _ := strings.Cut(rest, ":")
		switch controllers {
		case "": // version 2
		case "memory":
			mount, file = "sys/fs/cgroup/memory", "memory.limit_in_bytes"
		default:
			continue
		}
		// In a container the path is often relative to another root: the files then lie at the
		// mount point itself.
		for folder = path.Join("/", folder); ; folder = path.Dir(folder) {
			text, _ := fs.ReadFile(root, path.Join(mount, folder, file))
			n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
			// No limit is a number close to 1<<63 in version 1, and "max" in version 2.
			const unlimited = 1 << 60
			if err == nil && n > 0 && n < unlimited && (least == 0 || n < least) {
				least = n
			}
			if folder == "/" {
				break
			}
		}
	}
	return least
}
