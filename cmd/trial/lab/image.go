package lab

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Image is the program's image.
type Image struct {
	podman *Podman
	name   string
}

// BuildTime is when images say they were built.
const BuildTime = 1700000000

// Build builds the image of the module in a folder by its Dockerfile as it is, from nothing: no
// layer and no compiled package of an earlier build is used. What stands in for the registry and
// the module proxy comes from this machine.
func (p *Podman) Build(ctx context.Context, folder, name, version string) *Image {
	output(exec.CommandContext(ctx, "go", "mod", "download"))
	root := output(exec.CommandContext(ctx, "go", "env", "GOROOT"))
	modules := filepath.Join(output(exec.CommandContext(ctx, "go", "env", "GOMODCACHE")), "cache", "download")
	p.makeBuilder(ctx)
	args := []string{
		"build", "--no-cache", "--timestamp", fmt.Sprint(BuildTime), "--identity-label=false", "--network", "none",
		"--build-arg", "GO_IMAGE=" + builder, "--build-arg", "VERSION=" + version,
		"--volume", root + ":/usr/local/go:ro", "--volume", modules + ":/modules:ro", "--tag", name,
	}
	p.run(ctx, nil, append(append(args, limits...), folder)...)
	return &Image{podman: p, name: name}
}

// Shipped is what a registry would get.
type Shipped struct {
	Digest     string // of the manifest
	Compressed int64  // layers
	Unpacked   int64
	Entries    []string          // of all layers: mode, owner, path, and where it leads for links; once each
	Files      map[string][]byte // content by path
	Config     Config
}

// Config is the image's configuration, as far as it is looked at.
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

// descriptor is how an image refers to a part of itself.
type descriptor struct {
	Digest string
	Size   int64
}

func (d descriptor) in(dir string) string {
	return filepath.Join(dir, "blobs", strings.Replace(d.Digest, ":", "/", 1))
}

func readJSON(path string, into any) { Check(json.Unmarshal(Must(os.ReadFile(path)), into)) }

// unpack reads a layer.
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
