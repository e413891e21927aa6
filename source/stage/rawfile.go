package stage

import (
	"bufio"
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

// A raw file is a sequence of blocks. A block has the sizes of a page and of its s2 form, the
// CRC32C of the s2 form (each 4 bytes, little endian), and the s2 form. The file is used by one
// process only and is never synced.
const rawHeader = 12

// rawFile holds pages of one partition. It is open only while it is being written or read, so that
// any number of partitions needs only a few file descriptors. Several goroutines may append to it.
type rawFile struct {
	fsys disk.FS
	name string

	mu      sync.Mutex // guards the rest while it is written
	exists  bool
	size    int64
	records int64
	raw     int64 // bytes of its pages
}

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

// appendBlock appends the block of a page to b.
func appendBlock(b, page []byte) []byte {
	start, need := len(b), rawHeader+s2.MaxEncodedLen(len(page))
	b = slices.Grow(b, need)
	stored := s2.Encode(b[start+rawHeader:start+need], page)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(page)))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(stored)))
	b = binary.LittleEndian.AppendUint32(b, crc32.Checksum(stored, castagnoli))
	return b[:len(b)+len(stored)]
}

// errRaw says that the content of a raw file is not what this process wrote.
var errRaw = errors.New("partition file was changed by another program or by the disk")

// rawWindow is how many bytes of a raw file are read at a time. Any block fits.
const rawWindow = 256 << 10

// readPages calls do with every page. do may not keep it.
func (f *rawFile) readPages(do func(page []byte) error) (err error) {
	file, err := disk.Open(f.fsys, f.name)
	if err != nil {
		return fmt.Errorf("open partition: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	r := bufio.NewReaderSize(file, int(min(rawWindow, f.size)))
	var page []byte
	for left := f.size; left > 0; {
		head, err := r.Peek(rawHeader)
		if err != nil {
			return fmt.Errorf("read partition %q: %w", f.name, err)
		}
		c := codec.Cursor{Rest: head}
		raw, stored, crc := int(c.Uint32()), int(c.Uint32()), c.Uint32()
		if int64(rawHeader+stored) > min(rawWindow, left) {
			return fmt.Errorf("read partition %q: %w", f.name, errRaw)
		}
		whole, err := r.Peek(rawHeader + stored)
		if err != nil {
			return fmt.Errorf("read partition %q: %w", f.name, err)
		}
		block := whole[rawHeader:]
		if n, err := s2.DecodedLen(block); err != nil || n != raw || crc32.Checksum(block, castagnoli) != crc {
			return fmt.Errorf("read partition %q: %w", f.name, errRaw)
		}
		page = slices.Grow(page[:0], raw)[:raw]
		if _, err := s2.Decode(page, block); err != nil {
			return fmt.Errorf("read partition %q: %w", f.name, errRaw)
		}
		if err := do(page); err != nil {
			return err
		}
		_, _ = r.Discard(len(whole)) // it is there
		left -= int64(len(whole))
	}
	return nil
}
