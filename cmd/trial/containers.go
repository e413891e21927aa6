package main

import (
	"context"
	"crypto/x509"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"friendmigrate/cmd/trial/lab"
	"friendmigrate/sink/simulator"
)

// contained runs a job in containers, and kills it, signals it or starts a second container on its
// volume.
func contained(ctx context.Context, c *bench) {
	container := c.suite.image().NewContainer(c.dir)
	c.program, c.state = container, filepath.Join(container.Volume, "state")
	switch c.index % 3 {
	case 0:
		killed(ctx, c)
	case 1:
		signalled(ctx, c)
	case 2:
		c.secondContainer(container)
	}
}

// secondContainer starts a second container on the volume of one that is at work: it has to exit.
// Then it exports the list of an account to standard output. The export needs a temporary file, and
// can write it only to the volume.
func (c *bench) secondContainer(container *lab.Container) {
	c.begin("paced")
	const act = 0
	first := c.start(act)
	moment{kind: "sending", call: 1}.await(first, c.service)
	// On a busy machine the second takes longer to start than the job takes.
	latency := func(d time.Duration) {
		c.service.Sim.Reconfigure(func(s *simulator.Config) { s.Latency = d })
	}
	latency(2 * time.Second)
	second := container.Start(c.job, act, c.service, c.state).Wait(patience)
	latency(c.job.Service.Latency)
	if second.Code != 11 || !hinted(second) {
		c.audit.Fail("O8", "the second container ended with %d: %s", second.Code, second.Last)
	}
	end := first.Wait(patience)
	c.audit.Dead(end, false)
	c.audit.Finished(act, end)
	c.faults = 1

	one := c.job.SortedPairs()[0]
	container.Write("accounts.txt", one.From+"\n")
	container.Write("key", lab.Key)
	args := append([]string{"export", "--accounts", "accounts.txt"}, lab.Reach(c.service.URL)...)
	end = container.Run(nil, args...).Wait(patience)
	if end.Code != 0 || !strings.Contains(end.Out, one.To) {
		c.audit.Fail("O8", "an export ended with %d: %s", end.Code, end.Out)
	}
}

// limit is a memory limit of a container.
type limit struct {
	flag     string // of podman run --memory
	resident int64  // bytes that the job may have; 0: it has to be killed
	memory   string // --memory; "": the program finds out by itself
	edges    int64  // largest number of edges
	long     bool   // of 10 kB each, on a machine with many processors
}

// limits are limits that jobs keep, and one that is far too low: if no job is killed there, the
// limits are not in force and the other cases prove nothing.
var limits = []limit{
	{flag: "384m", resident: 256 << 20, memory: "256MiB", edges: 1 << 40},
	{flag: "384m", resident: 256 << 20, memory: "256MiB", edges: 30_000, long: true},
	{flag: "128m", resident: 128 << 20 * 7 / 10, edges: 1_000_000},
	{flag: "16m", edges: 1_000_000},
}

// limited sends up to a number of millions of edges from containers with limits.
func limited(ctx context.Context, s *suite, millions int) (runs int) {
	image := s.image()
	for _, l := range limits {
		l.edges = min(l.edges, int64(millions)*1_000_000)
		s.limit(ctx, image, l)
	}
	return len(limits)
}

func (s *suite) limit(ctx context.Context, image *lab.Image, l limit) {
	dir := s.podman.Folder("limited-") // on disk: a file in memory counts as its writer's memory
	defer func() { lab.Check(os.RemoveAll(dir)) }()
	c := image.NewContainer(dir)
	flags := []string{"--memory", l.flag, "--memory-swap", l.flag}
	if l.long {
		flags = append(flags, "--env", "GOMAXPROCS=8")
		c.Write("edges.csv", longEdges(l.edges))
	} else {
		largeInput(c.Volume, s.seed, l.edges)
	}
	c.Write("key", lab.Key)
	sim := simulator.New(simulator.Config{App: lab.TheApp, Compact: true})
	service := lab.Listen(sim)
	defer service.Close()
	args := append([]string{"import"}, lab.Reach(service.URL)...)
	args = append(args, "--rate", "1000000", "--workers", "50")
	if l.memory != "" {
		args = append(args, "--memory", l.memory)
	}
	p := c.Run(flags, append(args, "edges.csv")...)
	defer context.AfterFunc(ctx, func() { p.Signal(syscall.SIGKILL) })()
	peak := p.PeakMemory()
	end := p.Wait(time.Minute)
	s.say("  %d edges in a container of %s: %.1f s, %.0f MB resident at most", l.edges, l.flag, end.Took.Seconds(),
		megabytes(peak))
	s.judgeLimit(l, end, peak, sim.Stats().GraphEdges)
}

// longEdges returns rows of 30 accounts with 20 custom fields of the largest size.
func longEdges(n int64) string {
	var b strings.Builder
	b.WriteString("From_Account,To_Account,AddSource")
	for i := range 20 {
		fmt.Fprintf(&b, ",Tag_SNS_Custom_%c", 'A'+i)
	}
	fields := strings.Repeat(","+strings.Repeat("v", 500), 20)
	for i := range n {
		fmt.Fprintf(&b, "\nu%d,t%d,AddSource_Type_X%s", i%30, i, fields)
	}
	return b.String()
}

func (s *suite) judgeLimit(l limit, end lab.Ended, peak, there int64) {
	if l.resident == 0 {
		if end.Signal != syscall.SIGKILL {
			s.violated("%s: it ended with %d and was not killed, so the limit is not in force: %s", l.flag, end.Code,
				end.Last)
		}
		return
	}
	if end.Code != 0 || there != l.edges {
		s.violated("%s: it ended with %d (%v), %d of %d edges are in the service: %s", l.flag, end.Code, end.Signal,
			there, l.edges, end.Last)
	}
	if peak == 0 || peak > l.resident {
		s.violated("%s: %d bytes were resident", l.flag, peak)
	}
}

// Largest sizes of the image, and its version.
const (
	mostCompressed = 15 << 20
	mostUnpacked   = 25 << 20
	imageVersion   = "0.0.0-trial"
)

// imageEntries are the files and folders in the image: mode, owner, path.
var imageEntries = []string{
	"-rw-r--r-- 0:0 etc/ssl/certs/ca-certificates.crt",
	"-rwxr-xr-x 0:0 usr/local/bin/friendmigrate",
	"drwxr-xr-x 0:0 etc/",
	"drwxr-xr-x 0:0 etc/ssl/",
	"drwxr-xr-x 0:0 etc/ssl/certs/",
	"drwxr-xr-x 0:0 usr/",
	"drwxr-xr-x 0:0 usr/local/",
	"drwxr-xr-x 0:0 usr/local/bin/",
	"drwxr-xr-x 65532:65532 data/",
}

// build builds the image that is checked and run, in a new place for images.
func (s *suite) build(ctx context.Context) *lab.Image {
	s.podman = lab.NewPodman(ctx)
	return s.podman.Build(ctx, lab.ModuleFolder(ctx), "localhost/friendmigrate", imageVersion)
}

// shipped builds the image count times from nothing and judges it. All builds have to give the same
// digest: those after the first are made from a copy in another folder, whose files have other
// times and modes.
func shipped(ctx context.Context, s *suite, count int) (builds int) {
	image := s.image()
	first := image.Ship(ctx)
	for builds = 1; builds < count; builds++ {
		if again := s.buildAgain(ctx, fmt.Sprintf("again-%d", builds)); again.Digest != first.Digest {
			s.violated("two clean builds have the digests %s and %s", first.Digest, again.Digest)
		}
	}
	s.judgeImage(first)
	s.hardened(image)
	s.say("  image %s: %.2f MB compressed, %.2f MB unpacked, %d entries", first.Digest, megabytes(first.Compressed),
		megabytes(first.Unpacked), len(first.Entries))
	return builds
}

func megabytes(n int64) float64 { return float64(n) / 1e6 }

func (s *suite) buildAgain(ctx context.Context, name string) *lab.Shipped {
	folder := filepath.Join(s.dir, name)
	cp := exec.CommandContext(ctx, "sh", "-c",
		`umask 077; mkdir "$0"; cp -r Dockerfile .dockerignore go.* cmd migrate source sink checkpoint "$0"`, folder)
	cp.Dir = lab.ModuleFolder(ctx)
	lab.Output(cp)
	return s.podman.Build(ctx, folder, "localhost/"+name, imageVersion).Ship(ctx)
}

func (s *suite) judgeImage(i *lab.Shipped) {
	if i.Compressed > mostCompressed || i.Unpacked > mostUnpacked {
		s.violated("it takes %d bytes compressed and %d unpacked", i.Compressed, i.Unpacked)
	}
	if got := slices.Sorted(slices.Values(i.Entries)); !slices.Equal(got, imageEntries) {
		s.violated("it holds %q", got)
	}
	if !x509.NewCertPool().AppendCertsFromPEM(i.Files["etc/ssl/certs/ca-certificates.crt"]) {
		s.violated("there is no certificate in its list of them")
	}
	c := i.Config.Config
	runs := fmt.Sprintf("%q %q as %q in %q, with volumes %v", c.Entrypoint, c.Cmd, c.User, c.WorkingDir, c.Volumes)
	if runs != `["/usr/local/bin/friendmigrate"] [] as "65532:65532" in "/data", with volumes map[]` {
		s.violated("it runs %s", runs)
	}
	if want := time.Unix(lab.BuildTime, 0).UTC().Format(time.RFC3339); i.Config.Created != want {
		s.violated("it says that it was built at %s, not %s", i.Config.Created, want)
	}
	const label = "org.opencontainers.image."
	if len(c.Labels) != 3 || c.Labels[label+"title"] != "friendmigrate" || c.Labels[label+"version"] != imageVersion ||
		c.Labels[label+"description"] == "" {
		s.violated("its labels are %q", c.Labels)
	}
	for _, word := range c.Env {
		if name, _, _ := strings.Cut(word, "="); name != "PATH" && name != "TMPDIR" {
			s.violated("it sets %s", word)
		}
	}
}

// hardened runs commands in containers without any rights and without a network: each has to exit
// with 0.
func (s *suite) hardened(image *lab.Image) {
	c := image.NewContainer(filepath.Join(s.dir, "hardened"))
	c.Flags = []string{"--network", "none"}
	c.Write("friends.csv", "From_Account,To_Account,AddSource\na,b,AddSource_Type_Import\nb,a,AddSource_Type_Import\n")
	for _, line := range []struct{ args, says string }{
		{"version", "friendmigrate " + imageVersion + " "},
		{"help", "import"},
		{"plan friends.csv", "2"},
		{"import --rehearse friends.csv", "hint:"},
		{"status --state friendmigrate-rehearsal", "2"},
		{"failures --state friendmigrate-rehearsal --output-format csv", "From_Account"},
		{"explain --state friendmigrate-rehearsal a b", "imported"},
	} {
		end := c.Run(nil, strings.Fields(line.args)...).Wait(patience)
		if end.Code != 0 || !strings.Contains(end.Out, line.says) {
			s.violated("%q without any right ended with %d: %s", line.args, end.Code, end.Out)
		}
	}
}
