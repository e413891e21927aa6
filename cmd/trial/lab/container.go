package lab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Program is what runs acts of a job: the built binary, or a container of its image.
type Program interface {
	Start(j *Job, act int, s *Service, state string) *Process
}

// Container is the image as it is meant to be run: root read only and no file system in memory
// anywhere, no capability and no way to get one, the image's own user, one folder to write to. Its
// network is the host's, so that it reaches a service on loopback.
type Container struct {
	Image  *Image
	Volume string   // host folder, for /data
	Flags  []string // of podman run
}

// nobody is the user of the image.
const nobody = 65532

// NewContainer makes a volume below dir.
func (i *Image) NewContainer(dir string) *Container {
	volume := filepath.Join(dir, "volume")
	Check(errors.Join(os.MkdirAll(volume, 0o700), os.Chown(volume, nobody, nobody)))
	return &Container{Image: i, Volume: volume, Flags: []string{"--network", "host"}}
}

// Write writes a file of the volume that the program can read.
func (c *Container) Write(name, text string) {
	path := filepath.Join(c.Volume, name)
	Check(errors.Join(os.WriteFile(path, []byte(text), 0o600), os.Chown(path, nobody, nobody)))
}

// Start starts a run of an act of a job in a container. state lies in the volume.
func (c *Container) Start(j *Job, act int, s *Service, state string) *Process {
	// The job's files become those of the user of the image.
	Check(filepath.WalkDir(j.Dir, func(path string, _ fs.DirEntry, err error) error {
		return cmp.Or(err, os.Lchown(path, nobody, nobody))
	}))
	name := Must(filepath.Rel(c.Volume, state))
	return c.Run([]string{"--volume", j.Dir + ":/job:ro", "--workdir", "/job"},
		j.Args(act, s.URL, filepath.Join("/data", name))...)
}

// Run starts the program in a new container, and returns when it has begun. flags are further ones
// of podman run.
func (c *Container) Run(flags []string, args ...string) *Process {
	pidFile := filepath.Join(c.Image.podman.Folder("container-"), "pid")
	words := []string{
		"run", "--rm", "--log-driver", "none", "--pidfile", pidFile, "--read-only", "--read-only-tmpfs=false",
		"--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--volume", c.Volume + ":/data",
	}
	words = slices.Concat(words, limits, c.Flags, flags, []string{c.Image.name}, args)
	p := begin(c.Image.podman.command(context.Background(), words...))
	if p.contained, p.inside = true, awaitProgram(pidFile, p.done); p.inside != nil {
		p.Began = time.Now()
		return p
	}
	<-p.done // it has ended already, or never began
	if e := p.result(); e.Code >= podmanFailed && e.Code <= notFound {
		Check(fmt.Errorf("podman run ended with %d: %s", e.Code, e.Out))
	}
	return p
}

// The exit codes of podman run that are its own.
const (
	podmanFailed = 125
	notFound     = 127
)

// awaitProgram waits until the program runs in its container, and returns its process; nil: it has
// ended before. Before it, the process is runc's.
func awaitProgram(pidFile string, done <-chan struct{}) *os.Process {
	for {
		pid := field(pidFile, "") // 0: not written yet
		if path, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid)); err == nil &&
			filepath.Base(path) == "friendmigrate" {
			return Must(os.FindProcess(int(pid)))
		}
		select {
		case <-done:
			return nil
		case <-time.After(300 * time.Microsecond):
		}
	}
}

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

// PeakMemory watches the program of a container until it ends, and returns what was resident of it
// at most, in bytes, as far as was seen.
func (p *Process) PeakMemory() (peak int64) {
	if p.inside == nil {
		Check(errors.New("it had ended before it was looked at"))
	}
	for {
		// The process may just have gone: then nothing new is seen.
		peak = max(peak, 1024*field(fmt.Sprintf("/proc/%d/status", p.inside.Pid), "VmHWM:"))
		select {
		case <-p.done:
			return peak
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
