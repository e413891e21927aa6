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
func NewPodman(ctx context.Context) (*Podman, error) {
	dir, err := os.MkdirTemp("/var/tmp", "trial-podman-")
	if err != nil {
		return nil, err
	}
	p := &Podman{dir: dir, driver: "overlay"}
	if _, err := p.run(ctx, nil, "info"); err != nil {
		p.driver = "vfs" // slower, and works on every file system
		if _, err := p.run(ctx, nil, "info"); err != nil {
			return nil, errors.Join(err, os.RemoveAll(dir))
		}
	}
	return p, nil
}

// Folder makes a folder on disk.
func (p *Podman) Folder(pattern string) (string, error) { return os.MkdirTemp(p.dir, pattern) }

// Close removes everything.
func (p *Podman) Close() error {
	_, err := p.run(context.Background(), nil, "rm", "--all", "--force", "--time", "0")
	for _, name := range []string{"overlay", "vfs", ""} { // the storage mounts itself, to be private
		err = errors.Join(err, detach(filepath.Join(p.dir, "root", name)))
	}
	return errors.Join(err, os.RemoveAll(p.dir))
}

// command is a podman command. Only runc and cgroupfs work everywhere that the suite runs: crun and
// systemd need more of the machine.
func (p *Podman) command(ctx context.Context, args ...string) *exec.Cmd {
	global := []string{
		"--root", filepath.Join(p.dir, "root"), "--runroot", filepath.Join(p.dir, "run"), "--tmpdir",
		filepath.Join(p.dir, "libpod"),
		"--storage-driver", p.driver, "--runtime", "runc", "--cgroup-manager", "cgroupfs", "--events-backend", "none",
		"--log-level", "error",
	}
	c := exec.CommandContext(ctx, "podman", append(global, args...)...)
	c.Dir = p.dir // conmon leaves a file where it is when memory ran out
	return c
}

// run runs a podman command and returns its standard output.
func (p *Podman) run(ctx context.Context, in io.Reader, args ...string) (string, error) {
	c := p.command(ctx, args...)
	var out, said bytes.Buffer
	c.Stdin, c.Stdout, c.Stderr = in, &out, &said
	if err := c.Run(); err != nil {
		return "", fmt.Errorf("podman %s: %w\n%s%s", args[0], err, out.String(), said.String())
	}
	return out.String(), nil
}

// limits are those that the sandboxes have which the suite runs in: podman's own are higher, and
// then nothing starts.
func limits() []string {
	return []string{"--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"}
}

// builder is the image in which the program is built: a shell and the certificates. Go and the
// modules are mounted into it, so that it does without a network.
const builder = "localhost/builder"

// makeBuilder makes the builder's base image, since none is fetched.
func (p *Podman) makeBuilder(ctx context.Context) error {
	var b bytes.Buffer
	t := tar.NewWriter(&b)
	for _, dir := range []string{"bin/", "etc/", "etc/ssl/", "etc/ssl/certs/", "tmp/", "root/", "usr/", "usr/local/",
		"usr/local/go/", "modules/"} {
		if err := t.WriteHeader(&tar.Header{Name: dir, Mode: 0o755, Typeflag: tar.TypeDir}); err != nil {
			return err
		}
	}
	for name, from := range map[string]string{"bin/busybox": busybox,
		"etc/ssl/certs/ca-certificates.crt": certificates} {
		content, err := os.ReadFile(from)
		if err != nil {
			return err
		}
		if err := t.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(content)),
			Typeflag: tar.TypeReg}); err != nil {
			return err
		}
		if _, err := t.Write(content); err != nil {
			return err
		}
	}
	for _, tool := range []string{"sh", "mkdir", "cp", "chmod"} {
		if err := t.WriteHeader(&tar.Header{Name: "bin/" + tool, Linkname: "busybox",
			Typeflag: tar.TypeSymlink}); err != nil {
			return err
		}
	}
	if err := t.Close(); err != nil {
		return err
	}
	args := []string{"import"}
	for _, word := range []string{"PATH=/usr/local/go/bin:/bin", "GOPROXY=file:///modules", "GOSUMDB=off",
		"GOTOOLCHAIN=local"} {
		args = append(args, "--change", "ENV "+word)
	}
	_, err := p.run(ctx, &b, append(args, "-", builder)...)
	return err
}

// goFolders are where Go and the files of fetched modules are.
func goFolders(ctx context.Context) (root, modules string, err error) {
	if out, err := exec.CommandContext(ctx, "go", "mod", "download").CombinedOutput(); err != nil {
		return "", "", fmt.Errorf("go mod download: %w\n%s", err, out)
	}
	out, err := exec.CommandContext(ctx, "go", "env", "GOROOT", "GOMODCACHE").Output()
	if err != nil {
		return "", "", fmt.Errorf("go env: %w", err)
	}
	words := strings.Fields(string(out))
	if len(words) != 2 {
		return "", "", fmt.Errorf("go env said %q", out)
	}
	return words[0], filepath.Join(words[1], "cache", "download"), nil
}
