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
	limit, limited := cgroupLimit(root)
	switch {
	case given > 0:
		return given
	case !limited:
		return DefaultMemory
	}
	return max(leastMemory, int64(cgroupShare*float64(limit)))
}

// cgroupLimit is the least memory limit on the way from this process's cgroup to the root, of
// version 2 or version 1.
func cgroupLimit(root fs.FS) (int64, bool) {
	if root == nil {
		return 0, false
	}
	membership, err := fs.ReadFile(root, "proc/self/cgroup")
	if err != nil {
		return 0, false
	}
	least, limited := int64(0), false
	for line := range strings.Lines(string(membership)) {
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3) // hierarchy-ID:controllers:path
		if len(fields) != 3 {
			continue
		}
		mount, file := "sys/fs/cgroup", "memory.max"
		if fields[1] != "" {
			if fields[1] != "memory" {
				continue
			}
			mount, file = "sys/fs/cgroup/memory", "memory.limit_in_bytes"
		}
		// In a container the path is often relative to another root: the files then lie at the
		// mount point itself.
		for folder := strings.Trim(fields[2], "/"); ; folder = path.Dir(folder) {
			if strings.HasPrefix(folder, "..") {
				folder = ""
			}
			if n, ok := readLimit(root, path.Join(mount, folder, file)); ok && (!limited || n < least) {
				least, limited = n, true
			}
			if folder == "" || folder == "." {
				break
			}
		}
	}
	return least, limited
}

func readLimit(root fs.FS, name string) (int64, bool) {
	if !fs.ValidPath(name) {
		return 0, false
	}
	text, err := fs.ReadFile(root, name)
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	const unlimited = 1 << 60 // version 1 says "no limit" with a number close to 1<<63; version 2 says "max"
	return n, err == nil && n > 0 && n < unlimited
}
