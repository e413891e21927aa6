package disk

import (
	"math"
	"syscall"
	"testing"
)

func TestFreeIsInTheUnitOfTheFileSystem(t *testing.T) {
	for name, c := range map[string]struct {
		fs   syscall.Statfs_t
		want int64 // -1: not known
	}{
		"usual":                       {syscall.Statfs_t{Blocks: 9, Bavail: 3, Bsize: 4096, Frsize: 4096}, 3 << 12},
		"a larger block for transfer": {syscall.Statfs_t{Blocks: 9, Bavail: 3, Bsize: 1 << 20, Frsize: 4096}, 3 << 12},
		"no block for transfer":       {syscall.Statfs_t{Blocks: 9, Bavail: 3, Frsize: 4096}, 3 << 12},
		"an old kernel":               {syscall.Statfs_t{Blocks: 9, Bavail: 3, Bsize: 4096}, 3 << 12},
		"no unit":                     {syscall.Statfs_t{Blocks: 9, Bavail: 3}, -1},
		"no size":                     {syscall.Statfs_t{Bsize: 4096, Frsize: 4096}, -1},
		"full":                        {syscall.Statfs_t{Blocks: 9, Bsize: 4096, Frsize: 4096}, 0},
		"without an end":              {syscall.Statfs_t{Blocks: 9, Bavail: math.MaxUint64, Bsize: 4096}, math.MaxInt64 &^ 4095},
	} {
		got, err := freeBytes(&c.fs)
		if err != nil {
			got = -1
		}
		if got != c.want {
			t.Errorf("%s: got %d, %v, want %d", name, got, err, c.want)
		}
	}
}
