package main

import (
	"context"
	"crypto/x509"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"friendmigrate/cmd/trial/lab"
)

// What the image may take, and what is in it: whose, how, where.
const (
	mostCompressed = 15 << 20
	mostUnpacked   = 25 << 20
	imageVersion   = "0.0.0-trial"
)

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

// build makes room for images and builds the one that is looked at and run.
func (s *suite) build(ctx context.Context) *lab.Image {
	s.podman = lab.NewPodman(ctx)
	return s.podman.Build(ctx, lab.ModuleFolder(ctx), "localhost/friendmigrate", imageVersion)
}

// shipped builds the image so many times from nothing, each time but the first from a copy in
// another folder, with other times and modes of its files, and judges it.
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
	if said, err := cp.CombinedOutput(); err != nil {
		lab.Check(fmt.Errorf("copy the module: %w: %s", err, said))
	}
	return s.podman.Build(ctx, folder, "localhost/"+name, imageVersion).Ship(ctx)
}

// judgeImage holds the image against what it promises.
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

// hardened runs commands in containers that may do nothing, and that have no network: each has to
// end with 0.
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
