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
func (s *suite) build(ctx context.Context) (*lab.Image, error) {
	root, err := moduleFolder(ctx)
	if err == nil {
		s.podman, err = lab.NewPodman(ctx)
	}
	if err != nil {
		return nil, err
	}
	return s.podman.Build(ctx, root, "localhost/friendmigrate", imageVersion)
}

// shipped builds the image so many times from nothing, each time but the first from a copy in
// another folder, with other times and modes of its files, and judges it.
func shipped(ctx context.Context, s *suite, count int) (builds int, err error) {
	image, err := s.image()
	if err != nil {
		return 0, err
	}
	first, err := image.Ship(ctx)
	if err != nil {
		return 0, err
	}
	found := judgeImage(first)
	for builds = 1; builds < count; builds++ {
		again, err := s.buildAgain(ctx, fmt.Sprintf("again-%d", builds))
		if err != nil {
			return builds, err
		}
		if again.Digest != first.Digest {
			found = append(found, fmt.Sprintf("two clean builds have the digests %s and %s", first.Digest,
				again.Digest))
		}
	}
	wrong, err := s.hardened(image)
	for _, text := range append(found, wrong...) {
		s.violated("image", "%s", text)
	}
	s.say("  image %s: %.2f MB compressed, %.2f MB unpacked, %d entries", first.Digest, megabytes(first.Compressed),
		megabytes(first.Unpacked), len(first.Entries))
	return builds, err
}

func megabytes(n int64) float64 { return float64(n) / 1e6 }

func (s *suite) buildAgain(ctx context.Context, name string) (*lab.Shipped, error) {
	root, err := moduleFolder(ctx)
	if err != nil {
		return nil, err
	}
	folder := filepath.Join(s.dir, name)
	cp := exec.CommandContext(ctx, "sh", "-c",
		`umask 077; mkdir "$0"; cp -r Dockerfile .dockerignore go.* cmd migrate source sink checkpoint "$0"`, folder)
	cp.Dir = root
	if said, err := cp.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("copy the module: %w: %s", err, said)
	}
	image, err := s.podman.Build(ctx, folder, "localhost/"+name, imageVersion)
	if err != nil {
		return nil, err
	}
	return image.Ship(ctx)
}

// judgeImage holds the image against what it promises.
func judgeImage(i *lab.Shipped) (found []string) {
	fail := func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }
	if i.Compressed > mostCompressed || i.Unpacked > mostUnpacked {
		fail("it takes %d bytes compressed and %d unpacked", i.Compressed, i.Unpacked)
	}
	if got := slices.Sorted(slices.Values(i.Entries)); !slices.Equal(got, imageEntries) {
		fail("it holds %q", got)
	}
	if !x509.NewCertPool().AppendCertsFromPEM(i.Files["etc/ssl/certs/ca-certificates.crt"]) {
		fail("there is no certificate in its list of them")
	}
	c := i.Config.Config
	if c.User != "65532:65532" || c.WorkingDir != "/data" || !slices.Equal(c.Entrypoint,
		[]string{"/usr/local/bin/friendmigrate"}) || len(c.Cmd)+len(c.Volumes) > 0 {
		fail("it runs %q %q as %q in %q, with volumes %v", c.Entrypoint, c.Cmd, c.User, c.WorkingDir, c.Volumes)
	}
	if want := time.Unix(lab.BuildTime, 0).UTC().Format(time.RFC3339); i.Config.Created != want {
		fail("it says that it was built at %s, not %s", i.Config.Created, want)
	}
	const label = "org.opencontainers.image."
	if len(c.Labels) != 3 || c.Labels[label+"title"] != "friendmigrate" || c.Labels[label+"version"] != imageVersion ||
		c.Labels[label+"description"] == "" {
		fail("its labels are %q", c.Labels)
	}
	for _, word := range c.Env {
		if name, _, _ := strings.Cut(word, "="); name != "PATH" && name != "TMPDIR" {
			fail("it sets %s", word)
		}
	}
	return found
}

// hardened runs commands in containers that may do nothing, and that have no network: each has to
// end with 0.
func (s *suite) hardened(image *lab.Image) (found []string, err error) {
	dir := filepath.Join(s.dir, "hardened")
	c, err := image.NewContainer(dir)
	if err != nil {
		return nil, err
	}
	c.Flags = []string{"--network", "none"}
	const input = "From_Account,To_Account,AddSource\na,b,AddSource_Type_Import\nb,a,AddSource_Type_Import\n"
	if err := c.Write(filepath.Join(c.Volume, "friends.csv"), input); err != nil {
		return nil, err
	}
	for _, line := range []struct{ args, says string }{
		{"version", "friendmigrate " + imageVersion + " "},
		{"help", "import"},
		{"plan friends.csv", "2"},
		{"import --rehearse friends.csv", "hint:"},
		{"status --state friendmigrate-rehearsal", "2"},
		{"failures --state friendmigrate-rehearsal --output-format csv", "From_Account"},
		{"explain --state friendmigrate-rehearsal a b", "imported"},
	} {
		p, err := c.Run(nil, strings.Fields(line.args)...)
		if err != nil {
			return nil, err
		}
		if end := p.Wait(patience); end.Code != 0 || !strings.Contains(end.Out, line.says) {
			found = append(found, fmt.Sprintf("%q without any right ended with %d: %s", line.args, end.Code, end.Out))
		}
	}
	return found, nil
}
