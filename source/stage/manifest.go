package stage

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"

	"friendmigrate/migrate/disk"
)

// ErrDamaged says that a stage was changed after it was sealed, or is of a version that this
// program does not read. It has to be made again from the input.
var ErrDamaged = errors.New("staged input is damaged")

const (
	manifestFormat  = "friendmigrate staged input"
	manifestVersion = 1
	maxManifest     = 256 << 20 // bytes; a segment takes about 60, for about 100 MB of input
)

// envelope is the manifest: a body and its checksum. Its rendering is canonical, so a file that is
// not equal to its own rendering was changed, even if it still decodes.
type envelope struct {
	Format  string          `json:"format"`
	Version int             `json:"version"`
	SHA256  string          `json:"sha256"` // of the bytes of Body
	Body    json.RawMessage `json:"body"`
}

// body is the content of a manifest.
type body struct {
	Totals   Totals          `json:"totals"`
	Files    []sealedName    `json:"files"`
	Segments []segment       `json:"segments"` // in plan order
	Meta     json.RawMessage `json:"meta,omitempty"`
}

// sealedName is a sealed file.
type sealedName struct {
	Name string `json:"name"`
	Size int64  `json:"size"`
}

// MarshalJSON writes a segment as its eight numbers.
func (g segment) MarshalJSON() ([]byte, error) {
	return json.Marshal([8]int64{int64(g.file), g.offset, g.blocks, g.index, int64(g.crc), g.rosters, g.chunks,
		g.edges})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (g *segment) UnmarshalJSON(b []byte) error {
	var v [8]int64
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	*g = segment{file: int(v[0]), offset: v[1], blocks: v[2], index: v[3], crc: uint32(v[4]), rosters: v[5],
		chunks: v[6], edges: v[7]}
	return nil
}

func render(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

func (b *body) manifest() ([]byte, error) {
	text, err := render(b)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(text)
	return render(envelope{Format: manifestFormat, Version: manifestVersion, SHA256: hex.EncodeToString(sum[:]),
		Body: text})
}

// writeManifest seals a stage, or seals it again with other meta data. A crash leaves the earlier
// manifest, if any.
func writeManifest(fsys disk.FS, dir string, b *body) error {
	text, err := b.manifest()
	if err != nil {
		return fmt.Errorf("render manifest: %w", err)
	}
	return disk.WriteWhole(fsys, filepath.Join(dir, manifestName), func(w io.Writer) error {
		_, err := w.Write(append(text, '\n'))
		return err
	})
}

// readManifest reads and checks a manifest. The error is fs.ErrNotExist if there is none, and
// ErrDamaged if it is not valid.
func readManifest(fsys disk.FS, dir string) (*body, error) {
	name := filepath.Join(dir, manifestName)
	f, err := disk.Open(fsys, name)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(f, maxManifest+1))
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("read %q: %w", name, err)
	}
	b, why := parseManifest(text)
	if why != "" {
		return nil, fmt.Errorf("read %q: %w: %s", name, ErrDamaged, why)
	}
	return b, nil
}

// parseManifest returns the body, or why the manifest is not valid.
func parseManifest(text []byte) (*body, string) {
	if len(text) > maxManifest {
		return nil, "it is too long"
	}
	var e envelope
	if err := json.Unmarshal(text, &e); err != nil {
		return nil, "it is not a manifest"
	}
	switch {
	case e.Format != manifestFormat:
		return nil, "it is not a manifest"
	case e.Version > manifestVersion:
		return nil, fmt.Sprintf("it is of version %d, which a newer friendmigrate wrote", e.Version)
	case e.Version != manifestVersion:
		return nil, fmt.Sprintf("it is of version %d, which this friendmigrate does not read", e.Version)
	}
	if sum := sha256.Sum256(e.Body); hex.EncodeToString(sum[:]) != e.SHA256 {
		return nil, "its checksum is wrong"
	}
	if again, err := render(e); err != nil || string(again)+"\n" != string(text) {
		return nil, "its checksum is wrong"
	}
	b := &body{}
	if err := json.Unmarshal(e.Body, b); err != nil {
		return nil, "it cannot be decoded"
	}
	return b, ""
}

// openFiles opens the sealed files and checks their sizes.
func openFiles(fsys disk.FS, dir string, names []sealedName) (files []disk.File, err error) {
	defer func() {
		if err != nil {
			for _, f := range files {
				err = errors.Join(err, f.Close())
			}
			files = nil
		}
	}()
	for _, n := range names {
		path := filepath.Join(dir, n.Name)
		f, err := disk.Open(fsys, path)
		if errors.Is(err, fs.ErrNotExist) {
			return files, fmt.Errorf("open %q: %w: it is gone", path, ErrDamaged)
		}
		if err != nil {
			return files, err
		}
		files = append(files, f)
		info, err := f.Stat()
		if err != nil {
			return files, err
		}
		if info.Size() != n.Size {
			return files, fmt.Errorf("open %q: %w: it has %d bytes and had %d", path, ErrDamaged, info.Size(), n.Size)
		}
	}
	return files, nil
}
