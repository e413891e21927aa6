package lab

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
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
func (p *Podman) Build(ctx context.Context, folder, name, version string) (*Image, error) {
	root, modules, err := goFolders(ctx)
	if err != nil {
		return nil, err
	}
	if err := p.makeBuilder(ctx); err != nil {
		return nil, err
	}
	args := []string{
		"build", "--no-cache", "--timestamp", fmt.Sprint(BuildTime), "--identity-label=false", "--build-arg",
		"GO_IMAGE=" +
			builder, "--build-arg", "VERSION=" + version,
		"--network", "none", "--volume", root + ":/usr/local/go:ro", "--volume", modules + ":/modules:ro", "--tag",
		name,
	}
	if _, err := p.run(ctx, nil, append(append(args, limits()...), folder)...); err != nil {
		return nil, err
	}
	return &Image{podman: p, name: name}, nil
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
func (i *Image) Ship(ctx context.Context) (*Shipped, error) {
	dir, err := i.podman.Folder("shipped-")
	if err != nil {
		return nil, err
	}
	if _, err := i.podman.run(ctx, nil, "push", "--quiet", "--format", "oci", i.name, "oci:"+dir+":image"); err != nil {
		return nil, err
	}
	s := &Shipped{Files: map[string][]byte{}}
	var index struct{ Manifests []descriptor }
	if err := readJSON(filepath.Join(dir, "index.json"), &index); err != nil || len(index.Manifests) != 1 {
		return nil, errors.Join(err, fmt.Errorf("%d images were written", len(index.Manifests)))
	}
	s.Digest = index.Manifests[0].Digest
	var manifest struct {
		Config descriptor
		Layers []descriptor
	}
	if err := readJSON(index.Manifests[0].in(dir), &manifest); err != nil {
		return nil, err
	}
	if err := readJSON(manifest.Config.in(dir), &s.Config); err != nil {
		return nil, err
	}
	for _, layer := range manifest.Layers {
		s.Compressed += layer.Size
		if err := s.unpack(layer.in(dir)); err != nil {
			return nil, fmt.Errorf("read layer %s: %w", layer.Digest, err)
		}
	}
	return s, nil
}

// descriptor is how an image refers to a part of itself.
type descriptor struct {
	Digest string
	Size   int64
}

func (d descriptor) in(dir string) string {
	return filepath.Join(dir, "blobs", strings.Replace(d.Digest, ":", "/", 1))
}

func readJSON(path string, into any) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return json.Unmarshal(content, into)
}

// unpack reads a layer.
func (s *Shipped) unpack(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return err
	}
	raw := &countingReader{from: z}
	t := tar.NewReader(raw)
	for {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			_, err = io.Copy(io.Discard, raw)
			s.Unpacked += raw.n
			return err
		}
		if err != nil {
			return err
		}
		s.enter(h)
		if h.Typeflag != tar.TypeReg {
			continue
		}
		if s.Files[h.Name], err = io.ReadAll(t); err != nil {
			return err
		}
	}
}

func (s *Shipped) enter(h *tar.Header) {
	entry := fmt.Sprintf("%v %d:%d %s", h.FileInfo().Mode(), h.Uid, h.Gid, h.Name)
	if h.Linkname != "" {
		entry += " -> " + h.Linkname
	}
	for _, known := range s.Entries {
		if known == entry {
			return
		}
	}
	s.Entries = append(s.Entries, entry)
}

type countingReader struct {
	from io.Reader
	n    int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.n += int64(n)
	return n, err
}
