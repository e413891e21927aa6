package lab

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// MemoryLimits says why containers can't be limited in memory on this machine; nil: they can.
func MemoryLimits() error {
	if err := Containers(); err != nil {
		return err
	}
	if _, err := os.Stat("/sys/fs/cgroup/memory/memory.limit_in_bytes"); err == nil {
		return nil
	}
	controllers, err := os.ReadFile("/sys/fs/cgroup/cgroup.controllers")
	if err != nil || !strings.Contains(" "+strings.TrimSpace(string(controllers))+" ", " memory ") {
		return errors.New("there is no memory controller")
	}
	return nil
}

// Memory is what a container has used at most, in bytes, as far as was seen before it ended.
type Memory struct {
	Resident int64 // by its process
	Charged  int64 // by its cgroup, with the page cache, which is given back where the limit is near
	Limit    int64 // of the cgroup
	Killed   int64 // times that the kernel found no room and killed
}

// WatchMemory watches the program of a container until it ends.
func (p *Process) WatchMemory() (m Memory) {
	if p.inside == nil {
		Check(errors.New("it had ended before it was looked at"))
	}
	// What the container sees as the root of its cgroups is its own. Version 1 has other names.
	root := fmt.Sprintf("/proc/%d/root/sys/fs/cgroup", p.inside.Pid)
	peak, limit, events := "memory.peak", "memory.max", "memory.events"
	if _, err := os.Stat(filepath.Join(root, "memory")); err == nil {
		root = filepath.Join(root, "memory")
		peak, limit, events = "memory.max_usage_in_bytes", "memory.limit_in_bytes", "memory.oom_control"
	}
	for {
		// The process may just have gone: then nothing new is seen.
		m.Resident = max(m.Resident, 1024*field(fmt.Sprintf("/proc/%d/status", p.inside.Pid), "VmHWM:"))
		m.Charged = max(m.Charged, field(filepath.Join(root, peak), ""))
		m.Limit = max(m.Limit, field(filepath.Join(root, limit), ""))
		m.Killed = max(m.Killed, field(filepath.Join(root, events), "oom_kill "))
		select {
		case <-p.done:
			if m.Resident == 0 || m.Charged == 0 || m.Limit == 0 {
				Check(fmt.Errorf("its memory could not be seen: %+v, it ended as %+v", m, p.result()))
			}
			return m
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// field is the number behind a name at the beginning of a line of a file; without a name, the first
// number; 0: nothing is to be seen.
func field(path, name string) (n int64) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if rest, found := strings.CutPrefix(line, name); found {
			_, _ = fmt.Sscan(rest, &n)
			return n
		}
	}
	return 0
}
