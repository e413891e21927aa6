package settings

import (
	"io/fs"
	"math"
	"path"
	"strconv"
	"strings"
)

// DefaultMemory is what --memory is where nothing else says so.
const DefaultMemory = 256 << 20

// leastMemory is what the program needs: below it, it would do nothing but collect garbage.
const leastMemory = 64 << 20

// cgroupShare is what may be used of a container's limit. The rest is for the page cache and what
// the runtime does not count.
const cgroupShare = 0.7

// RuntimeLimit is the limit that Go's runtime is given to stay under memory bytes. The rest is for
// what the runtime does not count: the program itself, stacks of the kernel.
func RuntimeLimit(memory int64) int64 { return memory - memory/10 }

// ContainerLimit is the least memory limit of a container in which memory bytes may be used.
func ContainerLimit(memory int64) int64 { return int64(math.Ceil(float64(memory) / cgroupShare)) }

// memoryOr is the memory that was given or, if that is 0, DefaultMemory or 70 % of the limit of the
// cgroup this process is in. root is the root of the file system.
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

// cgroupLimit is the least memory limit on the way from this process's cgroup to the root, of
// version 2 or version 1; 0: there is none.
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
			const unlimited = 1 << 60 // version 1 says so with a number close to 1<<63; version 2 says "max"
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
