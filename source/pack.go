package source

import (
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Packer writes a file that is compressed as its name says (.gz, .zst, or not at all), in members
// that stand for themselves: what was written up to an EndMember is a whole file, also if
// everything behind it is lost or cut off, and more members may follow. Readers take them for one
// stream; so does Stage.
type Packer struct {
	to      io.Writer
	packer  resetter // nil: the file is not compressed
	pending bool     // something was written since the last member ended
}

// resetter is what the writers of all compressions are.
type resetter interface {
	io.WriteCloser
	Reset(to io.Writer)
}

// NewPacker begins to write a file of that name to w.
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

// EndMember brings everything that was written out to the underlying writer, as a whole. Nothing is
// written if nothing was since the last time.
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
