package source

import (
	"bufio"
	"bytes"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// compression is how the content of an input is packed.
type compression uint8

const (
	compressionNone compression = iota
	compressionGzip
	compressionZstd
)

// String names the program that packs and unpacks.
func (c compression) String() string { return [...]string{"", "gzip", "zstd"}[c] }

func (c compression) ext() string { return [...]string{"", ".gz", ".zst"}[c] }

// Packer writes a file that is compressed as its name says (.gz, .zst, or not at all). It writes
// independent members. The content up to an EndMember is a whole file, even if everything after it
// is lost or cut off, and more members may follow. Readers, including ReadInputs, read them as one
// stream.
type Packer struct {
	to      io.Writer
	packer  resetter // nil: the file is not compressed
	pending bool     // something was written since the last member ended
}

// resetter is implemented by the writers of all compressions.
type resetter interface {
	io.WriteCloser
	Reset(to io.Writer)
}

// NewPacker returns a Packer that writes a file of a name to w.
func NewPacker(w io.Writer, name string) (p *Packer, err error) {
	p = &Packer{to: w}
	switch _, packed := nameSays(name); packed {
	case compressionGzip:
		p.packer = gzip.NewWriter(w)
	case compressionZstd:
		p.packer, err = zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true))
	}
	return p, err
}

// Write packs b.
func (p *Packer) Write(b []byte) (int, error) {
	p.pending = p.pending || len(b) > 0
	if p.packer == nil {
		return p.to.Write(b)
	}
	return p.packer.Write(b)
}

// EndMember ends the member, and writes all of it to the underlying writer. It writes nothing if
// nothing was written since the last EndMember.
func (p *Packer) EndMember() error {
	if p.packer == nil || !p.pending {
		return nil
	}
	p.pending = false
	if err := p.packer.Close(); err != nil {
		return err
	}
	p.packer.Reset(p.to)
	return nil
}

var (
	magicGzip = []byte{0x1f, 0x8b}
	magicZstd = []byte{0x28, 0xb5, 0x2f, 0xfd}
	magicSkip = []byte{0x2a, 0x4d, 0x18} // of a zstd frame without content, after its first byte
)

// unpack finds out how the input is packed, by name or magic bytes. It refuses an input whose
// content is not packed as its name says.
func (in *openInput) unpack(window int64) error {
	raw := bufio.NewReaderSize(in.raw, 128<<10)
	head, err := raw.Peek(len(magicZstd))
	if err != nil && err != io.EOF {
		return in.fault(err)
	}
	begins := beginsPacked(head)
	switch {
	case len(head) == 0: // empty, whatever its name says
		in.content = raw
		return nil
	case in.packed != compressionNone && in.packed != begins:
		w := wrong{what: "is not " + in.packed.String() + ", as its name says", look: noText.look}
		if is := sniffBytes(head, true); is != nil {
			is := *is
			is.what = w.what + ": it " + is.what
			w = is
		}
		return w.error(in.Name, "", compressionNone)
	case begins == compressionGzip:
		in.packed = compressionGzip
		members := &gzipMembers{in: in, raw: raw}
		members.member, err = gzip.NewReader(raw)
		in.content = members
	case begins == compressionZstd:
		in.packed = compressionZstd
		var decoder *zstd.Decoder
		decoder, err = zstd.NewReader(raw, zstd.WithDecoderConcurrency(1),
			zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(uint64(window)))
		in.content = decoder
		if err == nil {
			in.closes = append(in.closes, decoder.Close)
		}
	default:
		in.content = raw
		return nil
	}
	if err != nil {
		return in.fault(err)
	}
	return nil
}

// beginsPacked returns the compression of content that begins with head.
func beginsPacked(head []byte) compression {
	switch {
	case bytes.HasPrefix(head, magicGzip):
		return compressionGzip
	case bytes.HasPrefix(head, magicZstd), len(head) >= 4 && head[0]>>4 == 5 && bytes.Equal(head[1:4], magicSkip):
		return compressionZstd
	}
	return compressionNone
}

// gzipMembers unpacks the members of a gzip file. gzip.Reader would treat bytes after them as
// another member that is damaged or cut short.
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
		if err := g.onward(); err != nil {
			return 0, err
		}
		if err := g.member.Reset(g.raw); err == io.EOF {
			return 0, io.ErrUnexpectedEOF
		} else if err != nil {
			return 0, err
		}
	}
}

// onward skips the zero bytes after a member, with which tapes and some stores pad files. It
// returns nil if another member follows, io.EOF at the end, and else an error that says what
// follows where.
func (g *gzipMembers) onward() error {
	for {
		b, err := g.raw.Peek(1)
		if err != nil {
			return err
		}
		if b[0] != 0 {
			break
		}
		_, _ = g.raw.Discard(1) // it is there
	}
	if head, _ := g.raw.Peek(len(magicGzip)); bytes.Equal(head, magicGzip) {
		return nil
	}
	at := g.in.raw.n - int64(g.raw.Buffered())
	reason := fmt.Sprintf("something that is not gzip follows the compressed data at byte %d", at)
	whole := wrong{filter: fmt.Sprintf("head -c %d", at)}
	return &InputError{Name: g.in.Name, Reason: reason, Fix: whole.fix(g.in.Name, compressionNone)}
}
