package stage

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"

	"github.com/klauspost/compress/s2"

	"friendmigrate/migrate/codec"
	"friendmigrate/migrate/disk"
)

// A sealed file is a sequence of segments. A segment is a sequence of blocks followed by an index.
// For each block the index has its length, its CRC32C, and what it holds. The CRC32C of the index
// is in the manifest. So every byte of a sealed file is covered, and a block in the place of
// another one is detected.
//
// A block is the s2 form of whole chunks: of several small rosters, or some chunks of one large
// roster.
const (
	kindBundle = 0
	kindLarge  = 1
)

// maxBlock is more than the bytes of any block before compression: of an almost full bundle and one
// chunk of the largest edges.
const maxBlock = (1000 + 64) * (MaxEdgeBytes + 64)

// sealedFile is a file of segments that is being written. It is created at the first write.
type sealedFile struct {
	fsys disk.FS
	name string // within the stage's folder
	path string
	f    disk.File
	w    *bufio.Writer
	off  int64 // bytes appended so far
}

const sealedBatch = 256 << 10

func (f *sealedFile) append(b []byte) error {
	if f.f == nil {
		file, err := f.fsys.OpenFile(f.path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, disk.FileMode)
		if err != nil {
			return fmt.Errorf("create rosters: %w", err)
		}
		f.f, f.w = file, bufio.NewWriterSize(file, sealedBatch)
	}
	f.off += int64(len(b))
	if _, err := f.w.Write(b); err != nil {
		return fmt.Errorf("write rosters %q: %w", f.path, err)
	}
	return nil
}

// finish makes the file durable and closes it. No manifest may name the file before.
func (f *sealedFile) finish() error {
	if f.f == nil {
		return nil
	}
	err := f.w.Flush()
	if err == nil {
		err = f.f.Sync()
	}
	if err = errors.Join(err, f.close()); err != nil {
		return fmt.Errorf("sync rosters %q: %w", f.path, err)
	}
	return nil
}

func (f *sealedFile) close() error {
	if f.f == nil {
		return nil
	}
	return f.f.Close()
}

// segment is the place and the sizes of a segment.
type segment struct {
	file   int // index in body.Files
	offset int64
	blocks int64 // bytes
	index  int64 // bytes
	crc    uint32

	rosters, chunks, edges int64

	unit int64 // while a stage is made: segments are in plan order if sorted by it, stably
}

// segmentWriter writes one segment after the other to a file.
type segmentWriter struct {
	file   *sealedFile
	now    segment
	count  int // blocks in now
	index  []byte
	stored []byte
}

func (w *segmentWriter) begin() {
	w.now = segment{offset: w.file.off}
	w.index, w.count = w.index[:0], 0
}

// writeBlock writes a block and appends its sizes and checksum to an index.
func (w *segmentWriter) writeBlock(index, raw []byte) ([]byte, error) {
	if len(raw) > maxBlock {
		return index, fmt.Errorf("write rosters: block of %d bytes", len(raw))
	}
	if n := s2.MaxEncodedLen(len(raw)); cap(w.stored) < n {
		w.stored = make([]byte, n)
	}
	stored := s2.Encode(w.stored[:cap(w.stored)], raw)
	index = binary.AppendUvarint(index, uint64(len(stored)))
	index = binary.AppendUvarint(index, uint64(len(raw)))
	index = binary.LittleEndian.AppendUint32(index, crc32.Checksum(stored, castagnoli))
	w.now.blocks += int64(len(stored))
	w.count++
	return index, w.file.append(stored)
}

func (w *segmentWriter) writeBundle(raw []byte, rosters, chunks, edges int64) (err error) {
	w.index = append(w.index, kindBundle)
	if w.index, err = w.writeBlock(w.index, raw); err != nil {
		return err
	}
	w.index = binary.AppendUvarint(w.index, uint64(rosters))
	w.index = binary.AppendUvarint(w.index, uint64(chunks))
	w.holds(rosters, chunks, edges)
	return nil
}

func (w *segmentWriter) holds(rosters, chunks, edges int64) {
	w.now.rosters += rosters
	w.now.chunks += chunks
	w.now.edges += edges
}

// addLarge adds a large roster to the index. Its blocks were written just before.
func (w *segmentWriter) addLarge(from []byte, edges, chunks, memory int64, blocks int, index []byte) {
	w.index = append(w.index, kindLarge)
	w.index = codec.AppendText(w.index, from)
	w.index = binary.AppendUvarint(w.index, uint64(edges))
	w.index = binary.AppendUvarint(w.index, uint64(memory))
	w.index = binary.AppendUvarint(w.index, uint64(blocks))
	w.index = append(w.index, index...)
	w.holds(1, chunks, edges)
}

// end closes the segment. ok is false if it is empty.
func (w *segmentWriter) end() (_ segment, ok bool, err error) {
	if w.now.rosters == 0 {
		return segment{}, false, nil
	}
	w.now.index = int64(len(w.index))
	w.now.crc = crc32.Checksum(w.index, castagnoli)
	return w.now, true, w.file.append(w.index)
}
