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
	packed  compression
	gzip    *gzip.Writer
	zstd    *zstd.Encoder
	pending bool // something was written since the last member ended
}

// NewPacker begins to write a file of that name to w.
func NewPacker(w io.Writer, name string) (*Packer, error) {
	_, packed := nameSays(name)
	p := &Packer{to: w, packed: packed}
	var err error
	switch packed {
	case compressionGzip:
		p.gzip = gzip.NewWriter(w)
	case compressionZstd:
		p.zstd, err = zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true))
	}
	return p, err
}

// Write packs b.
func (p *Packer) Write(b []byte) (int, error) {
	p.pending = p.pending || len(b) > 0
	switch p.packed {
	case compressionGzip:
		return p.gzip.Write(b)
	case compressionZstd:
		return p.zstd.Write(b)
	}
	return p.to.Write(b)
}

// EndMember brings everything that was written out to the underlying writer, as a whole. Nothing is
// written if nothing was since the last time.
func (p *Packer) EndMember() error {
	if !p.pending {
		return nil
	}
	p.pending = false
	switch p.packed {
	case compressionGzip:
		if err := p.gzip.Close(); err != nil {
			return err
		}
		p.gzip.Reset(p.to)
	case compressionZstd:
		if err := p.zstd.Close(); err != nil {
			return err
		}
		p.zstd.Reset(p.to)
	}
	return nil
}
