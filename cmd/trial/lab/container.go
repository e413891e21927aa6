package lab

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Program is what runs acts of a job: the built binary, or a container of its image.
type Program interface {
	Start(j *Job, act int, s *Service, state string) (*Process, error)
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
func (i *Image) NewContainer(dir string) (*Container, error) {
	volume := filepath.Join(dir, "volume")
	if err := os.MkdirAll(volume, 0o700); err != nil {
		return nil, err
	}
	return &Container{Image: i, Volume: volume, Flags: []string{"--network", "host"}}, os.Chown(volume, nobody, nobody)
}

// Write writes a file of the volume that the program can read.
func (c *Container) Write(path, text string) error {
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return err
	}
	return os.Chown(path, nobody, nobody)
}

// Start starts a run of an act of a job in a container. state lies in the volume.
func (c *Container) Start(j *Job, act int, s *Service, state string) (*Process, error) {
	if err := giveAway(j.Dir); err != nil {
		return nil, err
	}
	name, err := filepath.Rel(c.Volume, state)
	if err != nil {
		return nil, err
	}
	return c.Run([]string{"--volume", j.Dir + ":/job:ro", "--workdir", "/job"},
		j.Args(act, s.URL, filepath.Join("/data", name))...)
}

// giveAway gives the files of a folder to the user of the image.
func giveAway(dir string) error {
	return filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, nobody, nobody)
	})
}

// Run starts the program in a new container, and returns when it has begun. flags are further ones
// of podman run.
func (c *Container) Run(flags []string, args ...string) (*Process, error) {
	dir, err := c.Image.podman.Folder("container-")
	if err != nil {
		return nil, err
	}
	pidFile := filepath.Join(dir, "pid")
	words := []string{
		"run", "--rm", "--log-driver", "none", "--pidfile", pidFile, "--read-only", "--read-only-tmpfs=false",
		"--cap-drop",
		"ALL",
		"--security-opt", "no-new-privileges", "--volume", c.Volume + ":/data",
	}
	words = append(append(append(words, limits()...), c.Flags...), flags...)
	p := &Process{contained: true, done: make(chan struct{}), Began: time.Now()}
	p.cmd = c.Image.podman.command(context.Background(), append(append(words, c.Image.name), args...)...)
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.err
	if err := p.begin(); err != nil {
		return nil, err
	}
	if p.inside = awaitProgram(pidFile, p.done); p.inside == nil { // it has ended already, or never began
		<-p.done
		if e := p.result(); e.Code >= podmanFailed && e.Code <= notFound {
			return nil, fmt.Errorf("podman run ended with %d: %s", e.Code, e.Out)
		}
		return p, nil
	}
	p.Began = time.Now()
	return p, nil
}

// The exit codes of podman run that are its own.
const (
	podmanFailed = 125
	notFound     = 127
)

// awaitProgram waits until the program runs in its container, and returns its process; nil: it has
// ended before. Before it, the process is runc's.
func awaitProgram(pidFile string, done <-chan struct{}) *os.Process {
	pid := 0
	for {
		if pid == 0 {
			if text, err := os.ReadFile(pidFile); err == nil {
				pid, _ = strconv.Atoi(strings.TrimSpace(string(text))) // 0: not written yet
			}
		}
		if pid != 0 {
			if path, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid)); err == nil &&
				filepath.Base(path) == "friendmigrate" {
				p, err := os.FindProcess(pid)
				if err != nil {
					return nil
				}
				return p
			}
		}
		select {
		case <-done:
			return nil
		case <-time.After(300 * time.Microsecond):
		}
	}
}

// PID is the program's process as this machine sees it; 0: it has ended.
func (p *Process) PID() int {
	if p.inside == nil {
		return 0
	}
	return p.inside.Pid
}
