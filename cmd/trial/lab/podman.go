package lab

import (
	"archive/tar"
	"bytes"
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Podman runs containers with runc, with images and containers of its own in a temporary folder on
// disk: what is written to a folder in memory would count as a container's own memory.
type Podman struct {
	dir    string
	driver string // of its storage
}

// Where the builder's base image takes what it holds from.
const (
	busybox      = "/bin/busybox"
	certificates = "/etc/ssl/certs/ca-certificates.crt"
)

// Containers says why this machine can't run containers; nil: it can.
func Containers() error {
	if os.Geteuid() != 0 {
		return errors.New("it takes root")
	}
	for _, tool := range []string{"podman", "runc"} {
		if _, err := exec.LookPath(tool); err != nil {
			return err
		}
	}
	if _, err := os.Stat(certificates); err != nil {
		return err
	}
	return static(busybox)
}

// static says why a program can't run where there is nothing but itself.
func static(path string) error {
	f, err := elf.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			return fmt.Errorf("%s is not static", path)
		}
	}
	return nil
}

// NewPodman makes room for images and containers.
func NewPodman(ctx context.Context) *Podman {
	p := &Podman{dir: Must(os.MkdirTemp("/var/tmp", "trial-podman-")), driver: "overlay"}
	info := func() { p.run(ctx, nil, "info") }
	if Catch(info) != nil {
		p.driver = "vfs" // slower, and works on every file system
		if err := Catch(info); err != nil {
			Check(errors.Join(err, os.RemoveAll(p.dir)))
		}
	}
	return p
}

// Folder makes a folder on disk.
func (p *Podman) Folder(pattern string) string { return Must(os.MkdirTemp(p.dir, pattern)) }

// Close removes everything.
func (p *Podman) Close() {
	err := Catch(func() { p.run(context.Background(), nil, "rm", "--all", "--force", "--time", "0") })
	for _, name := range []string{"overlay", "vfs", ""} { // the storage mounts itself, to be private
		err = errors.Join(err, detach(filepath.Join(p.dir, "root", name)))
	}
	Check(errors.Join(err, os.RemoveAll(p.dir)))
}

// command is a podman command. Only runc and cgroupfs work everywhere that the suite runs: crun and
// systemd need more of the machine.
func (p *Podman) command(ctx context.Context, args ...string) *exec.Cmd {
	global := []string{
		"--root", filepath.Join(p.dir, "root"), "--runroot", filepath.Join(p.dir, "run"),
		"--tmpdir", filepath.Join(p.dir, "libpod"), "--storage-driver", p.driver, "--runtime", "runc",
		"--cgroup-manager", "cgroupfs", "--events-backend", "none", "--log-level", "error",
	}
	c := exec.CommandContext(ctx, "podman", append(global, args...)...)
	c.Dir = p.dir // conmon leaves a file where it is when memory ran out
	return c
}

// run runs a podman command.
func (p *Podman) run(ctx context.Context, in io.Reader, args ...string) {
	c := p.command(ctx, args...)
	c.Stdin = in
	output(c)
}

// limits are those that the sandboxes have which the suite runs in: podman's own are higher, and
// then nothing starts.
var limits = []string{"--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"}

// builder is the image in which the program is built: a shell and the certificates. Go and the
// modules are mounted into it, so that it does without a network.
const builder = "localhost/builder"

// makeBuilder makes the builder's base image, since none is fetched.
func (p *Podman) makeBuilder(ctx context.Context) {
	var b bytes.Buffer
	t := tar.NewWriter(&b)
	folders := "bin/ etc/ etc/ssl/ etc/ssl/certs/ tmp/ root/ usr/ usr/local/ usr/local/go/ modules/"
	for _, dir := range strings.Fields(folders) {
		Check(t.WriteHeader(&tar.Header{Name: dir, Mode: 0o755, Typeflag: tar.TypeDir}))
	}
	for name, from := range map[string]string{"bin/busybox": busybox, certificates[1:]: certificates} {
		content := Must(os.ReadFile(from))
		Check(t.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(content)), Typeflag: tar.TypeReg}))
		Must(t.Write(content))
	}
	for _, tool := range []string{"sh", "mkdir", "cp", "chmod"} {
		Check(t.WriteHeader(&tar.Header{Name: "bin/" + tool, Linkname: "busybox", Typeflag: tar.TypeSymlink}))
	}
	Check(t.Close())
	p.run(ctx, &b, "import", "--change", "ENV PATH=/usr/local/go/bin:/bin", "--change", "ENV GOPROXY=file:///modules",
		"--change", "ENV GOSUMDB=off", "--change", "ENV GOTOOLCHAIN=local", "-", builder)
}
