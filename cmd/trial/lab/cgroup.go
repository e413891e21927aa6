package lab

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
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
func (p *Process) WatchMemory() (m Memory, err error) {
	pid := p.PID()
	if pid == 0 {
		return m, errors.New("it had ended before it was looked at")
	}
	group, second, err := memoryGroup(pid)
	if err != nil {
		return m, err
	}
	for {
		m.look(pid, group, second)
		select {
		case <-p.done:
			if m.Resident == 0 || m.Charged == 0 || m.Limit == 0 {
				return m, fmt.Errorf("its memory could not be seen in %q: %+v", group, m)
			}
			return m, nil
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// look takes in what is to be seen; the process or its cgroup may just have gone.
func (m *Memory) look(pid int, group string, second bool) {
	peak, limit, events := "memory.max_usage_in_bytes", "memory.limit_in_bytes", "memory.oom_control"
	if second {
		peak, limit, events = "memory.peak", "memory.max", "memory.events"
	}
	m.Resident = max(m.Resident, 1024*field(fmt.Sprintf("/proc/%d/status", pid), "VmHWM:"))
	m.Charged = max(m.Charged, field(filepath.Join(group, peak), ""))
	m.Limit = max(m.Limit, field(filepath.Join(group, limit), ""))
	m.Killed = max(m.Killed, field(filepath.Join(group, events), "oom_kill"))
}

// field is the number behind a name at the beginning of a line of a file; without a name, the first number.
func field(path, name string) int64 {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		if name != "" && (len(words) < 2 || words[0] != name) {
			continue
		}
		if name != "" {
			words = words[1:]
		}
		if len(words) > 0 {
			n, _ := strconv.ParseInt(words[0], 10, 64) // no number: nothing was seen
			return n
		}
	}
	return 0
}

// memoryGroup is the folder of the cgroup that a process' memory is charged to.
func memoryGroup(pid int) (folder string, second bool, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	if err != nil {
		return "", false, err
	}
	for line := range strings.Lines(string(text)) {
		words := strings.SplitN(strings.TrimSpace(line), ":", 3)
		switch {
		case len(words) < 3:
		case words[1] == "memory":
			return filepath.Join("/sys/fs/cgroup/memory", words[2]), false, nil
		case words[0] == "0" && words[1] == "":
			folder = filepath.Join("/sys/fs/cgroup", words[2])
		}
	}
	return folder, true, nil
}
