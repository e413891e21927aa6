package source

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

var (
	magicGzip = []byte{0x1f, 0x8b}
	magicZstd = []byte{0x28, 0xb5, 0x2f, 0xfd}
	magicSkip = []byte{0x2a, 0x4d, 0x18} // of a zstd frame that holds no content, behind its first byte
)

// unpack finds out by name or magic bytes how the input is packed. A name that promises what the
// content isn't is refused rather than guessed at.
func (in *openInput) unpack(window int64) error {
	raw := bufio.NewReaderSize(in.raw, 128<<10)
	head, err := raw.Peek(len(magicZstd))
	if err != nil && err != io.EOF {
		return in.fault(err)
	}
	begins := beginsPacked(head)
	switch {
	case len(head) == 0: // whatever its name says, there is nothing in it
		in.content = raw
		return nil
	case in.packed != compressionNone && in.packed != begins:
		w := wrong{what: "is not " + in.packed.String() + ", as its name says", look: noText.look}
		if is := sniffBytes(head, true); is != nil {
			is := *is
			is.what = w.what + ": it " + is.what
			w = is
		}
		return w.error(in.Name, compressionNone)
	case begins == compressionGzip:
		in.packed = compressionGzip
		members := &gzipMembers{in: in, raw: raw}
		members.member, err = gzip.NewReader(raw)
		in.content = members
	case begins == compressionZstd:
		in.packed = compressionZstd
		in.zstd, err = zstd.NewReader(&zstdFrames{in: in, raw: raw}, zstd.WithDecoderConcurrency(1),
			zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(uint64(window)))
		in.content = in.zstd
	default:
		in.content = raw
		return nil
	}
	if err != nil {
		return in.fault(err)
	}
	return nil
}

// beginsPacked tells by its first bytes how something is packed.
func beginsPacked(head []byte) compression {
	switch {
	case bytes.HasPrefix(head, magicGzip):
		return compressionGzip
	case bytes.HasPrefix(head, magicZstd), len(head) >= 4 && head[0]>>4 == 5 && bytes.Equal(head[1:4], magicSkip):
		return compressionZstd
	}
	return compressionNone
}

// onward passes over the zero bytes behind a part of packed data, with which tapes and some stores
// fill up. It returns nil where another part follows, io.EOF at the end, and else says what follows
// where.
func (in *openInput) onward(raw *bufio.Reader) error {
	for {
		b, err := raw.Peek(1)
		if err != nil {
			return err
		}
		if b[0] != 0 {
			break
		}
		_, _ = raw.Discard(1) // it is there
	}
	if head, _ := raw.Peek(len(magicZstd)); beginsPacked(head) == in.packed {
		return nil
	}
	at := in.raw.n - int64(raw.Buffered())
	reason := fmt.Sprintf("something that is not %s follows the compressed data at byte %d", in.packed, at)
	whole := wrong{filter: fmt.Sprintf("head -c %d", at)}
	return &InputError{Name: in.Name, Reason: reason, Fix: whole.fix(in.Name, compressionNone)}
}

// gzipMembers unpacks the members of a gzip file. gzip.Reader would take what follows them for one
// that is damaged or cut short.
type gzipMembers struct {
	in     *openInput
	raw    *bufio.Reader
	member *gzip.Reader
}

func (g *gzipMembers) Read(p []byte) (int, error) {
	for {
		g.member.Multistream(false)
		n, err := g.member.Read(p)
		if err != io.EOF {
			return n, err
		}
		if n > 0 {
			return n, nil
		}
		if err := g.in.onward(g.raw); err != nil {
			return 0, err
		}
		if err := g.member.Reset(g.raw); err == io.EOF {
			return 0, io.ErrUnexpectedEOF
		} else if err != nil {
			return 0, err
		}
	}
}

// zstdFrames gives the frames of a zstd file to their decoder, which would take what follows the
// last one for one more. The lengths of all parts of a frame stand before them (RFC 8878, 3.1).
type zstdFrames struct {
	in       *openInput
	raw      *bufio.Reader
	left     int64 // bytes of the present part
	inside   bool  // a frame, of which another block follows
	checksum int64 // bytes behind its last block
}

func (f *zstdFrames) Read(p []byte) (int, error) {
	for f.left == 0 {
		if err := f.next(); err != nil {
			return 0, err
		}
	}
	n, err := f.raw.Read(p[:min(int64(len(p)), f.left)])
	f.left -= int64(n)
	return n, err
}

// next finds out how long the next part is. What is cut short is the decoder's to refuse.
func (f *zstdFrames) next() error {
	const longest = 18 // header of a frame
	f.left = math.MaxInt64
	if f.inside {
		head, _ := f.raw.Peek(3)
		if len(head) < 3 {
			return nil
		}
		block := int64(head[0]) | int64(head[1])<<8 | int64(head[2])<<16
		size := block >> 3
		if kind := block >> 1 & 3; kind == 1 { // one byte, repeated
			size = 1
		}
		f.left = 3 + size
		if last := block&1 == 1; last {
			f.left += f.checksum
			f.inside = false
		}
		return nil
	}
	if err := f.in.onward(f.raw); err != nil {
		return err
	}
	head, _ := f.raw.Peek(longest)
	switch {
	case !bytes.HasPrefix(head, magicZstd) && len(head) >= 8:
		f.left = 8 + int64(binary.LittleEndian.Uint32(head[4:]))
	case bytes.HasPrefix(head, magicZstd) && len(head) > 4:
		descriptor := head[4]
		single := descriptor >> 5 & 1
		f.left = 5 + int64(1-single) + []int64{0, 1, 2, 4}[descriptor&3] + []int64{int64(single), 2, 4,
			8}[descriptor>>6]
		f.inside, f.checksum = true, int64(descriptor&4)
	}
	return nil
}
