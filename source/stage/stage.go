package stage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/klauspost/compress/s2"

	"friendmigrate/migrate"
	"friendmigrate/migrate/disk"
)

// Stage is a sealed stage, open for reading. It is safe for concurrent use.
type Stage struct {
	fsys  disk.FS
	dir   string
	files []disk.File
	cache blockCache

	mu   sync.Mutex // guards the rest
	body *body
}

// Sealed reports whether there is a sealed stage in dir, sound or not.
func Sealed(dir string) bool {
	_, err := os.Lstat(filepath.Join(dir, manifestName))
	return err == nil
}

// Open opens a sealed stage. It reads the manifest and checks the sizes of the files; their content
// is checked when it is read. The error is fs.ErrNotExist if there is no sealed stage, and
// ErrDamaged if the stage is damaged, incomplete, or of another version.
func Open(dir string, fsys disk.FS) (*Stage, error) {
	if fsys == nil {
		fsys = disk.OS{}
	}
	b, err := readManifest(fsys, dir)
	if err != nil {
		return nil, fmt.Errorf("open stage: %w", err)
	}
	files, err := openFiles(fsys, dir, b.Files)
	if err != nil {
		return nil, fmt.Errorf("open stage: %w", err)
	}
	for _, f := range b.Files {
		b.Totals.Stored += f.Size
	}
	return &Stage{fsys: fsys, dir: dir, files: files, body: b}, nil
}

// Totals returns the totals that WriteRosters returned.
func (s *Stage) Totals() Totals { return s.manifest().Totals }

// manifest returns the current body. A body never changes; UpdateMeta replaces it.
func (s *Stage) manifest() *body {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.body
}

// Meta returns the meta data given to Seal or the last UpdateMeta, without white space between
// tokens.
func (s *Stage) Meta() json.RawMessage { return s.manifest().Meta }

// UpdateMeta replaces the manifest, whole and durably, by one with other meta data. After an error
// Meta returns the old meta data; on disk it may be either.
func (s *Stage) UpdateMeta(meta json.RawMessage) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := *s.body
	b.Meta = meta
	if err := writeManifest(s.fsys, s.dir, &b); err != nil {
		return fmt.Errorf("update stage: %w", err)
	}
	s.body = &b
	return nil
}

// MarkDamaged renames the manifest. A later Open finds no sealed stage, so the next run makes it
// again from the input. Call it after a Load or Rosters that failed with ErrDamaged.
func (s *Stage) MarkDamaged() error {
	err := s.fsys.Rename(filepath.Join(s.dir, manifestName), filepath.Join(s.dir, damagedName))
	if err == nil {
		err = s.fsys.SyncDir(s.dir)
	}
	if err != nil {
		return fmt.Errorf("mark stage as damaged: %w", err)
	}
	return nil
}

// Close closes the files. A later Load fails.
func (s *Stage) Close() error {
	var err error
	for _, f := range s.files {
		err = errors.Join(err, f.Close())
	}
	return err
}

// Rosters yields the rosters in plan order. Chunk ordinals begin at 0 and have no gaps. skip
// reports whether a run of the plan (first ordinal, number of chunks) is left out because all its
// chunks are done. It is called for smaller and smaller runs, at the end for single rosters. skip
// may be nil. An error ends the sequence: the context's, ErrDamaged, or one of the disk. The edges
// of large rosters are not read.
func (s *Stage) Rosters(ctx context.Context, skip func(first int64, chunks int) bool) iter.Seq2[migrate.Roster, error] {
	return func(yield func(migrate.Roster, error) bool) {
		w := walk{stage: s, skip: skip, yield: yield}
		segments := s.manifest().Segments
		for i := range segments {
			g := &segments[i]
			if !w.skipped(g.chunks) && !w.segment(ctx, g) {
				return
			}
		}
	}
}

// readIndex reads the index of a segment.
func (s *Stage) readIndex(g *segment) ([]indexEntry, error) {
	offset := g.offset + g.blocks
	b := make([]byte, g.index)
	if err := s.readAt(g.file, offset, b); err != nil {
		return nil, err
	}
	if crc32.Checksum(b, castagnoli) != g.crc {
		return nil, s.damaged(g.file, offset, "checksum of an index")
	}
	entries, err := decodeIndex(g, b)
	if err != nil {
		return nil, s.damaged(g.file, offset, err.Error())
	}
	return entries, nil
}

// readBlock takes a block from the cache, or reads, checks and unpacks it.
func (s *Stage) readBlock(file int, b *block) ([]byte, error) {
	if raw := s.cache.get(file, b.offset); raw != nil {
		return raw, nil
	}
	stored := make([]byte, b.stored)
	if err := s.readAt(file, b.offset, stored); err != nil {
		return nil, err
	}
	raw, why := openBlock(b, stored)
	if why != "" {
		return nil, s.damaged(file, b.offset, why)
	}
	s.cache.put(file, b.offset, raw)
	return raw, nil
}

// openBlock checks and unpacks a block. why says what is wrong with it, or is "".
func openBlock(b *block, stored []byte) (raw []byte, why string) {
	if crc32.Checksum(stored, castagnoli) != b.crc {
		return nil, "checksum of a block"
	}
	if n, err := s2.DecodedLen(stored); err != nil || n != b.raw {
		return nil, "length of a block"
	}
	raw, err := s2.Decode(nil, stored)
	if err != nil {
		return nil, "malformed block"
	}
	return raw, ""
}

func (s *Stage) readAt(file int, offset int64, b []byte) error {
	_, err := s.files[file].ReadAt(b, offset)
	if errors.Is(err, io.EOF) {
		return s.damaged(file, offset, "the file ends")
	}
	if err != nil {
		return fmt.Errorf("read rosters %q at %d: %w", s.files[file].Name(), offset, err)
	}
	return nil
}

func (s *Stage) damaged(file int, offset int64, why string) error {
	return fmt.Errorf("read rosters %q at %d: %w: %s", s.files[file].Name(), offset, ErrDamaged, why)
}

// cachedBlock is an unpacked block and its place.
type cachedBlock struct {
	file   int
	offset int64
	raw    []byte
}

const (
	cacheBlocks = 64
	cacheBytes  = 4 << 20
)

// blockCache keeps the most recently used blocks, because the rosters of one block are loaded one
// after the other, and each chunk of a large roster soon after the one before. Blocks are never
// changed, so readers share them.
type blockCache struct {
	mu     sync.Mutex
	blocks []cachedBlock // most recently used first
	bytes  int
}

func (c *blockCache) get(file int, offset int64) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.IndexFunc(c.blocks, func(b cachedBlock) bool { return b.file == file && b.offset == offset })
	if i < 0 {
		return nil
	}
	found := c.blocks[i]
	copy(c.blocks[1:], c.blocks[:i])
	c.blocks[0] = found
	return found.raw
}

// put adds a block. If there are too many, the least recently used ones go.
func (c *blockCache) put(file int, offset int64, raw []byte) {
	if len(raw) > cacheBytes {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.blocks = slices.Insert(c.blocks, 0, cachedBlock{file, offset, raw})
	for c.bytes += len(raw); c.bytes > cacheBytes || len(c.blocks) > cacheBlocks; {
		last := len(c.blocks) - 1
		c.bytes -= len(c.blocks[last].raw)
		c.blocks[last] = cachedBlock{}
		c.blocks = c.blocks[:last]
	}
}
