package lab

import (
	"archive/tar"
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"debug/elf"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Podman runs containers with runc. It has its own images and containers in a temporary folder on
// disk: a file in memory would count as a container's own memory.
type Podman struct {
	dir    string
	driver string // of its storage
}

// Files of this machine that the builder's base image contains.
const (
	busybox      = "/bin/busybox"
	certificates = "/etc/ssl/certs/ca-certificates.crt"
)

// Containers returns why this machine cannot run containers, or nil if it can.
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

// static returns why a program cannot run without other files, or nil if it can.
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

// NewPodman creates a place for images and containers.
func NewPodman(ctx context.Context) *Podman {
	p := &Podman{dir: Must(os.MkdirTemp("/var/tmp", "trial-podman-")), driver: "overlay"}
	info := func() { p.run(ctx, nil, "info") }
	if Catch(info) != nil {
		p.driver = "vfs" // slower, but works on every file system
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
	for _, name := range []string{"overlay", "vfs", ""} { // the storage bind-mounts itself, to be private
		err = errors.Join(err, detach(filepath.Join(p.dir, "root", name)))
	}
	Check(errors.Join(err, os.RemoveAll(p.dir)))
}

// command returns a podman command. Only runc and cgroupfs work everywhere that the suite runs:
// crun and systemd need more of the machine.
func (p *Podman) command(ctx context.Context, args ...string) *exec.Cmd {
	global := []string{
		"--root", filepath.Join(p.dir, "root"), "--runroot", filepath.Join(p.dir, "run"),
		"--tmpdir", filepath.Join(p.dir, "libpod"), "--storage-driver", p.driver, "--runtime", "runc",
		"--cgroup-manager", "cgroupfs", "--events-backend", "none", "--log-level", "error",
	}
	c := exec.CommandContext(ctx, "podman", append(global, args...)...)
	c.Dir = p.dir // conmon writes a file here when memory runs out
	return c
}

func (p *Podman) run(ctx context.Context, in io.Reader, args ...string) {
	c := p.command(ctx, args...)
	c.Stdin = in
	Output(c)
}

// limits are those of the sandboxes in which the suite runs. No container starts there with
// podman's own limits, which are higher.
var limits = []string{"--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"}

// builder is the image in which the program is built: a shell and the certificates. Go and the
// modules are mounted into it, so that it needs no network.
const builder = "localhost/builder"

// makeBuilder makes the builder's base image, since none is downloaded.
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

// Image is the program's image.
type Image struct {
	podman *Podman
	name   string
}

// BuildTime is the time at which images say they were built, in Unix seconds.
const BuildTime = 1700000000

// Build builds the image of the module in a folder by its Dockerfile as it is, from nothing: no
// layer and no compiled package of an earlier build is used. The builder's base image and the
// modules come from this machine, not from a registry and the module proxy.
func (p *Podman) Build(ctx context.Context, folder, name, version string) *Image {
	Output(exec.CommandContext(ctx, "go", "mod", "download"))
	root := Output(exec.CommandContext(ctx, "go", "env", "GOROOT"))
	modules := filepath.Join(Output(exec.CommandContext(ctx, "go", "env", "GOMODCACHE")), "cache", "download")
	p.makeBuilder(ctx)
	args := []string{
		"build", "--no-cache", "--timestamp", fmt.Sprint(BuildTime), "--identity-label=false", "--network", "none",
		"--build-arg", "GO_IMAGE=" + builder, "--build-arg", "VERSION=" + version,
		"--volume", root + ":/usr/local/go:ro", "--volume", modules + ":/modules:ro", "--tag", name,
	}
	p.run(ctx, nil, append(append(args, limits...), folder)...)
	return &Image{podman: p, name: name}
}

// Shipped is an image as a registry would get it.
type Shipped struct {
	Digest     string // of the manifest
	Compressed int64  // layers
	Unpacked   int64
	Entries    []string          // distinct ones of all layers: mode, owner, path, target of a link
	Files      map[string][]byte // content by path
	Config     Config
}

// Config is the part of the image's configuration that is checked.
type Config struct {
	Created string
	Config  struct {
		User       string
		Env        []string
		Entrypoint []string
		Cmd        []string
		WorkingDir string
		Labels     map[string]string
		Volumes    map[string]any
	}
}

// Ship writes the image as a registry would get it, and reads it.
func (i *Image) Ship(ctx context.Context) *Shipped {
	dir := i.podman.Folder("shipped-")
	i.podman.run(ctx, nil, "push", "--quiet", "--format", "oci", i.name, "oci:"+dir+":image")
	s := &Shipped{Files: map[string][]byte{}}
	var index struct{ Manifests []descriptor }
	readJSON(filepath.Join(dir, "index.json"), &index)
	if len(index.Manifests) != 1 {
		Check(fmt.Errorf("%d images were written", len(index.Manifests)))
	}
	s.Digest = index.Manifests[0].Digest
	var manifest struct {
		Config descriptor
		Layers []descriptor
	}
	readJSON(index.Manifests[0].in(dir), &manifest)
	readJSON(manifest.Config.in(dir), &s.Config)
	for _, layer := range manifest.Layers {
		s.Compressed += layer.Size
		s.unpack(layer.in(dir))
	}
	return s
}

// descriptor is a reference to a part of an image.
type descriptor struct {
	Digest string
	Size   int64
}

func (d descriptor) in(dir string) string {
	return filepath.Join(dir, "blobs", strings.Replace(d.Digest, ":", "/", 1))
}

func readJSON(path string, into any) { Check(json.Unmarshal(Must(os.ReadFile(path)), into)) }

func (s *Shipped) unpack(path string) {
	raw := Must(io.ReadAll(Must(gzip.NewReader(bytes.NewReader(Must(os.ReadFile(path)))))))
	s.Unpacked += int64(len(raw))
	t := tar.NewReader(bytes.NewReader(raw))
	for {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		Check(err)
		entry := fmt.Sprintf("%v %d:%d %s", h.FileInfo().Mode(), h.Uid, h.Gid, h.Name)
		if h.Linkname != "" {
			entry += " -> " + h.Linkname
		}
		if !slices.Contains(s.Entries, entry) {
			s.Entries = append(s.Entries, entry)
		}
		if h.Typeflag == tar.TypeReg {
			s.Files[h.Name] = Must(io.ReadAll(t))
		}
	}
}

// Program runs acts of a job. It is the built binary, or a container of its image.
type Program interface {
	Start(j *Job, act int, s *Service, state string) *Process
}

// Container is the image as it is meant to be run: the root is read only, there is no file system
// in memory, no capability and no way to get one, the image's own user, and one folder to write to.
// It uses the host's network, so that it reaches a service on loopback.
type Container struct {
	Image  *Image
	Volume string   // host folder, for /data
	Flags  []string // of podman run
}

// nobody is the user of the image.
const nobody = 65532

// NewContainer returns a container with a new volume below dir.
func (i *Image) NewContainer(dir string) *Container {
	volume := filepath.Join(dir, "volume")
	Check(errors.Join(os.MkdirAll(volume, 0o700), os.Chown(volume, nobody, nobody)))
	return &Container{Image: i, Volume: volume, Flags: []string{"--network", "host"}}
}

// Write writes a file into the volume that the program can read.
func (c *Container) Write(name, text string) {
	path := filepath.Join(c.Volume, name)
	Check(errors.Join(os.WriteFile(path, []byte(text), 0o600), os.Chown(path, nobody, nobody)))
}

// Start starts a run of an act of a job in a container. state is in the volume.
func (c *Container) Start(j *Job, act int, s *Service, state string) *Process {
	// The user of the image has to own the job's files.
	Check(filepath.WalkDir(j.Dir, func(path string, _ fs.DirEntry, err error) error {
		return cmp.Or(err, os.Lchown(path, nobody, nobody))
	}))
	name := Must(filepath.Rel(c.Volume, state))
	return c.Run([]string{"--volume", j.Dir + ":/job:ro", "--workdir", "/job"},
		j.Args(act, s.URL, filepath.Join("/data", name))...)
}

// Run starts the program in a new container, and returns when it has begun. flags are further flags
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

// Exit codes of podman run itself.
const (
	podmanFailed = 125
	notFound     = 127
)

// awaitProgram waits until the program runs in its container, and returns its process, or nil if it
// has ended before. Until then the process is runc's.
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

// MemoryLimits returns why the memory of containers cannot be limited on this machine, or nil if it
// can.
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

// PeakMemory watches the program of a container until it ends, and returns the largest resident
// size that it saw, in bytes.
func (p *Process) PeakMemory() (peak int64) {
	if p.inside == nil {
		Check(errors.New("it had ended before it was looked at"))
	}
	for {
		// A process that has just ended gives 0.
		peak = max(peak, 1024*field(fmt.Sprintf("/proc/%d/status", p.inside.Pid), "VmHWM:"))
		select {
		case <-p.done:
			return peak
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// field returns the number after a name at the beginning of a line of a file; without a name, the
// first number; 0 if there is none.
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
