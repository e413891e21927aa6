package stage

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"slices"
	"sync"

	"github.com/klauspost/compress/s2"

	"friendmigrate/migrate/codec"
	"friendmigrate/migrate/disk"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// A raw file is a sequence of blocks: the sizes of a page and of its s2 form, the CRC32C of the s2
// form (each 4 bytes, little endian), the s2 form. It lives within one run of the process and is
// never synced.
const rawHeader = 12

// rawFile holds pages of one partition. It is open only while it is written to or read from, so
// that no number of partitions takes more than a few file descriptors. It may be appended to from
// several goroutines.
type rawFile struct {
	fsys disk.FS
	name string

	mu      sync.Mutex // guards the rest while it is written
	exists  bool
	size    int64
	records int64
	raw     int64 // bytes of its pages
}

// append writes whole blocks to the end.
func (f *rawFile) append(blocks []byte, records, raw int64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	flag := os.O_WRONLY | os.O_CREATE | os.O_APPEND
	if !f.exists {
		flag |= os.O_TRUNC
	}
	file, err := f.fsys.OpenFile(f.name, flag, disk.FileMode)
	if err != nil {
		return fmt.Errorf("open partition: %w", err)
	}
	f.exists = true
	_, err = file.Write(blocks)
	if err = errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("write partition %q: %w", f.name, err)
	}
	f.size += int64(len(blocks))
	f.records += records
	f.raw += raw
	return nil
}

// remove deletes the file.
func (f *rawFile) remove() error {
	if !f.exists {
		return nil
	}
	f.exists = false
	if err := f.fsys.Remove(f.name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove partition: %w", err)
	}
	return nil
}

// rawBlocks gathers blocks for one raw file.
type rawBlocks struct {
	b   []byte
	raw int64
}

// add appends a page as a block.
func (k *rawBlocks) add(page []byte) {
	start := len(k.b)
	need := rawHeader + s2.MaxEncodedLen(len(page))
	k.b = slices.Grow(k.b, need)
	stored := s2.Encode(k.b[start+rawHeader:start+need], page)
	h := k.b[start : start+rawHeader]
	binary.LittleEndian.PutUint32(h, uint32(len(page)))
	binary.LittleEndian.PutUint32(h[4:], uint32(len(stored)))
	binary.LittleEndian.PutUint32(h[8:], crc32.Checksum(stored, castagnoli))
	k.b = k.b[:start+rawHeader+len(stored)]
	k.raw += int64(len(page))
}

// flush appends what was gathered to f; records are those that f holds more, now or since the flush
// before.
func (k *rawBlocks) flush(f *rawFile, records int64) error {
	if len(k.b) == 0 && records == 0 {
		return nil
	}
	err := f.append(k.b, records, k.raw)
	k.b, k.raw = k.b[:0], 0
	return err
}

// rawReader reads the pages of a raw file one after the other, through a window that is refilled
// whole.
type rawReader struct {
	f      *rawFile
	off    int64 // of the file, behind the window
	window []byte
	at     int
}

// errRaw says that a raw file is not what this process wrote to it.
var errRaw = errors.New("partition file was changed by another program or by the disk")

// next appends the next page to dst; at the end it returns ok false.
func (r *rawReader) next(dst []byte, window int) (_ []byte, ok bool, err error) {
	if r.at == len(r.window) && r.off == r.f.size {
		return dst, false, nil
	}
	if err := r.fill(rawHeader, window); err != nil {
		return dst, false, err
	}
	c := codec.Cursor{Rest: r.window[r.at : r.at+rawHeader]}
	raw, stored := int(c.Uint32()), int(c.Uint32())
	crc := c.Uint32()
	r.at += rawHeader
	if err := r.fill(stored, window); err != nil {
		return dst, false, err
	}
	block := r.window[r.at : r.at+stored]
	r.at += stored
	if n, err := s2.DecodedLen(block); err != nil || n != raw || crc32.Checksum(block, castagnoli) != crc {
		return dst, false, fmt.Errorf("read partition %q: %w", r.f.name, errRaw)
	}
	start := len(dst)
	if cap(dst)-start < raw {
		dst = append(make([]byte, 0, start+raw), dst...)
	}
	if _, err := s2.Decode(dst[start:start+raw], block); err != nil {
		return dst[:start], false, fmt.Errorf("read partition %q: %w", r.f.name, errRaw)
	}
	return dst[:start+raw], true, nil
}

// fill makes sure that the window holds n unread bytes.
func (r *rawReader) fill(n, window int) error {
	unread := len(r.window) - r.at
	if unread >= n {
		return nil
	}
	if int64(n-unread) > r.f.size-r.off {
		return fmt.Errorf("read partition %q: %w", r.f.name, errRaw)
	}
	size := int(min(int64(max(window, n)), int64(unread)+r.f.size-r.off))
	b := r.window
	if cap(b) < size {
		b = make([]byte, size)
	}
	b = b[:size]
	copy(b, r.window[r.at:])
	if err := r.read(b[unread:]); err != nil {
		return err
	}
	r.off += int64(size - unread)
	r.window, r.at = b, 0
	return nil
}

func (r *rawReader) read(b []byte) error {
	file, err := disk.Open(r.f.fsys, r.f.name)
	if err != nil {
		return fmt.Errorf("open partition: %w", err)
	}
	_, err = file.ReadAt(b, r.off)
	if err = errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("read partition %q: %w", r.f.name, err)
	}
	return nil
}
