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

// partition is a set of records: pages in memory, and perhaps a file of further pages.
type partition struct {
	pages   [][]byte
	file    *rawFile
	records int64
	raw     int64
}

// cost estimates the bytes that the partition takes when it is loaded: the records, two index
// entries each, the accounts, the table of duplicates.
func (p *partition) cost() int64 { return p.raw + 80*p.records }

// add adds the pages of one goroutine to the partition.
func (p *partition) add(b *buffer) {
	p.pages = append(p.pages, b.full...)
	if len(b.page) > 0 {
		p.pages = append(p.pages, b.page)
	}
	p.records += b.records
	for _, page := range b.full {
		p.raw += int64(len(page))
	}
	p.raw += int64(len(b.page))
}

// close adds the records of the file to the partition. Nothing may be written to the file any more.
func (p *partition) close(f *rawFile) {
	if f.exists {
		p.file = f
		p.records += f.records
		p.raw += f.raw
	}
}

// each calls f with every page. f may not keep it.
func (p *partition) each(f func(page []byte) error) error {
	for _, page := range p.pages {
		if err := f(page); err != nil {
			return err
		}
	}
	if p.file == nil {
		return nil
	}
	return p.file.each(f)
}

// eachRecord calls f with every record. f may not keep its texts.
func (p *partition) eachRecord(f func(r *record[[]byte]) error) error {
	return p.each(func(page []byte) error {
		var st pageState
		var r record[[]byte]
		for len(page) > 0 {
			if page = st.next(page, &r); page == nil {
				return p.malformed()
			}
			if err := f(&r); err != nil {
				return err
			}
		}
		return nil
	})
}

func (p *partition) malformed() error {
	if p.file == nil {
		return errRaw
	}
	return fmt.Errorf("read partition %q: %w", p.file.name, errRaw)
}

// drop frees the pages and removes the file.
func (p *partition) drop() error {
	p.pages = nil
	if p.file == nil {
		return nil
	}
	return p.file.remove()
}

// buffer holds the records of one partition from one goroutine.
type buffer struct {
	full    [][]byte // full pages
	page    []byte   // the one that is being filled
	state   pageState
	records int64 // in full and page
}

// spill partitions the records of one goroutine. When its pages take more than budget bytes, it
// moves all of them to the files. Other goroutines may write to the same files.
type spill struct {
	buffers []buffer
	files   []*rawFile
	budget  int64
	page    int // bytes of a full page
	batch   int // bytes of blocks written at once

	held   int64    // bytes of pages in use
	free   [][]byte // pages to be used again
	blocks rawBlocks
}

const firstPage = 1 << 10 // a buffer begins small, so that a small job stays small

// add appends a record to partition i.
func add[T codec.Text](s *spill, i int, r *record[T]) error {
	b := &s.buffers[i]
	if room := r.room(); cap(b.page)-len(b.page) < room {
		if err := s.grow(b, room); err != nil {
			return err
		}
	}
	b.page = appendRecord(b.page, &b.state, r)
	b.records++
	return nil
}

// grow makes room bytes in the page of b.
func (s *spill) grow(b *buffer, room int) error {
	size := max(s.page, room)
	if c := cap(b.page); c < s.page && len(s.free) == 0 {
		size = max(firstPage, 4*c, len(b.page)+room)
		if size <= s.page && s.held+int64(size-c) <= s.budget {
			s.held += int64(size - c)
			b.page = append(make([]byte, 0, size), b.page...)
			return nil
		}
		size = max(s.page, room)
	}
	if s.held+int64(size) > s.budget {
		if err := s.flush(); err != nil {
			return err
		}
	} else {
		b.retire()
	}
	b.page = s.take(size)
	s.held += int64(cap(b.page))
	return nil
}

// retire adds the current page to the full ones.
func (b *buffer) retire() {
	if len(b.page) > 0 {
		b.full = append(b.full, b.page)
	}
	b.page, b.state = nil, pageState{}
}

func (s *spill) take(size int) []byte {
	if n := len(s.free); n > 0 && size <= s.page {
		p := s.free[n-1]
		s.free = s.free[:n-1]
		return p
	}
	return make([]byte, 0, size)
}

// flush moves everything to the files.
func (s *spill) flush() error {
	for i := range s.buffers {
		if err := s.flushBuffer(&s.buffers[i], s.files[i]); err != nil {
			return err
		}
	}
	s.held = 0
	return nil
}

func (s *spill) flushBuffer(b *buffer, f *rawFile) error {
	b.retire()
	for _, page := range b.full {
		s.blocks.add(page)
		if len(s.blocks.b) >= s.batch {
			if err := s.blocks.flush(f, 0); err != nil {
				return err
			}
		}
		if cap(page) == s.page {
			s.free = append(s.free, page[:0])
		}
	}
	records := b.records
	clear(b.full)
	*b = buffer{full: b.full[:0]}
	return s.blocks.flush(f, records)
}

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

// rawBlocks gathers blocks for one raw file.
type rawBlocks struct {
	b   []byte
	raw int64
}

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

// flush appends the gathered blocks to f. records is added to the number of records in f; it may
// cover earlier flushes.
func (k *rawBlocks) flush(f *rawFile, records int64) error {
	if len(k.b) == 0 && records == 0 {
		return nil
	}
	err := f.append(k.b, records, k.raw)
	k.b, k.raw = k.b[:0], 0
	return err
}

// errRaw says that the content of a raw file is not what this process wrote.
var errRaw = errors.New("partition file was changed by another program or by the disk")

// rawWindow is how many bytes of a raw file are read at a time. Any block fits.
const rawWindow = 256 << 10

// each calls do with every page. do may not keep it.
func (f *rawFile) each(do func(page []byte) error) (err error) {
	file, err := disk.Open(f.fsys, f.name)
	if err != nil {
		return fmt.Errorf("open partition: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	r := bufio.NewReaderSize(file, rawWindow)
	var page []byte
	for left := f.size; left > 0; {
		head, err := r.Peek(rawHeader)
		if err != nil {
			return fmt.Errorf("read partition %q: %w", f.name, err)
		}
		c := codec.Cursor{Rest: head}
		raw, stored, crc := int(c.Uint32()), int(c.Uint32()), c.Uint32()
		if stored > rawWindow-rawHeader {
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
