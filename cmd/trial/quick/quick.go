// Package quick makes the tests of a package cheaper, whatever they test.
package quick

import (
	"os"
	"runtime/debug"

	"friendmigrate/migrate/disk"
)

// Tests is what a test binary runs, a *testing.M.
type Tests interface{ Run() int }

// On returns tests that collect garbage less often and have their temporary files in memory.
//
// Tests make much garbage and keep little of it, so most collections find next to nothing. And
// thousands of small files cost a disk more than what is tested with them. They are gone when their
// test ends, and no test sees what a disk would have kept of them: power cuts are for cmd/trial.
func On(m Tests) Tests { return quick{m} }

type quick struct{ Tests }

// inMemory is a folder in memory, where a system has one.
const inMemory = "/dev/shm"

// enough is the free memory that is asked for. The tests of the command, which have the most, need
// less than a tenth of it at once.
const enough = 1 << 30

func (q quick) Run() int {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
	if dir := folder(); dir != "" {
		defer os.RemoveAll(dir)
		if err := os.Setenv("TMPDIR", dir); err != nil {
			panic(err)
		}
	}
	return q.Tests.Run()
}

// folder makes a folder in memory, unless there is none or another one was asked for.
func folder() string {
	if os.Getenv("TMPDIR") != "" {
		return ""
	}
	if free, err := disk.Free(inMemory); err != nil || free < enough {
		return ""
	}
	dir, err := os.MkdirTemp(inMemory, "friendmigrate-test-")
	if err != nil {
		return ""
	}
	return dir
}
