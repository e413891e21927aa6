package checkpoint

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
)

// errBadFrame: what begins at the reader's offset is no frame of this file at this place. Whether
// that is a torn write or damage is for judgeTail to say.
var errBadFrame = errors.New("bad frame")

// frameReader reads the frames of a journal one after the other, up to a fixed end. It holds one
// frame in memory.
type frameReader struct {
	src    io.ReaderAt
	ahead  *bufio.Reader // of src, up to end
	end    int64         // nothing from here on is read, since another goroutine or process may be appending
	fileID uint64

	next  uint32 // sequence number that the next frame must have
	off   int64  // of the next frame
	last  int64  // offset of the frame read last
	frame []byte
}

// readAhead is what one read takes from the file.
const readAhead = 256 << 10

// openFrames reads the header. The first read returns the first frame.
func openFrames(src io.ReaderAt, end int64) (*frameReader, error) {
	r := &frameReader{src: src, end: end, ahead: bufio.NewReaderSize(io.NewSectionReader(src, 0, end), readAhead)}
	header := make([]byte, min(headerSize, end))
	if err := r.fill(header); err != nil {
		return nil, err
	}
	var err error
	if r.fileID, err = parseHeader(header); err != nil {
		return nil, err
	}
	r.off = headerSize
	return r, nil
}

// read returns the payload of the next frame, which is good until the next call, and the frame's
// sequence number. At the end it returns io.EOF. After errBadFrame, off is where the bad frame
// begins, and nothing more is to be read.
func (r *frameReader) read() (payload []byte, seq uint32, err error) {
	left := r.end - r.off
	switch {
	case left == 0:
		return nil, 0, io.EOF
	case left < frameHeaderSize:
		return nil, 0, errBadFrame
	}
	r.frame = slices.Grow(r.frame[:0], frameHeaderSize)[:frameHeaderSize]
	if err := r.fill(r.frame); err != nil {
		return nil, 0, err
	}
	h := parseFrameHeader(r.frame)
	limit := uint32(maxPayload)
	if r.next == 0 {
		limit = maxIdentity
	}
	size := frameHeaderSize + int(h.length)
	if h.length == 0 || h.length > limit || h.seq != r.next || h.fileID != r.fileID || int64(size) > left {
		return nil, 0, errBadFrame
	}
	r.frame = slices.Grow(r.frame, int(h.length))[:size]
	if err := r.fill(r.frame[frameHeaderSize:]); err != nil {
		return nil, 0, err
	}
	if frameSum(r.frame) != h.crc {
		return nil, 0, errBadFrame
	}
	r.last = r.off
	r.off += int64(size)
	r.next++
	return r.frame[frameHeaderSize:], h.seq, nil
}

func (r *frameReader) fill(b []byte) error {
	_, err := io.ReadFull(r.ahead, b)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		err = fmt.Errorf("it became shorter while it was read: %w", io.ErrUnexpectedEOF)
	}
	return err
}

// judgeTail looks at what follows the last good frame, after errBadFrame. It returns nil if that
// can be the write during which the program or the machine died, and so nothing that was ever
// acknowledged. Anything else wraps ErrDamaged.
//
// Only one frame is ever unsynced, and it is the last: so a torn write is no longer than the
// largest frame, and no whole frame is to be found behind its first byte, of this file or of
// another one. A whole frame at that first byte, with a wrong number or of another file, is no torn
// write either.
func (r *frameReader) judgeTail() error {
	if r.next == 0 {
		return fmt.Errorf("%w: its identity cannot be read", ErrDamaged) // Create makes it appear whole
	}
	size := r.end - r.off
	if size > frameHeaderSize+maxPayload {
		return fmt.Errorf("%w: %d bytes from offset %d on are no frames, which is more than one write", ErrDamaged,
			size, r.off)
	}
	tail := make([]byte, size)
	if n, err := r.src.ReadAt(tail, r.off); n < len(tail) {
		return err
	}
	for i := range tail {
		if !wholeFrame(tail[i:]) {
			continue
		}
		if h := parseFrameHeader(tail[i:]); i == 0 && h.fileID == r.fileID {
			return fmt.Errorf("%w: at offset %d frame %d follows frame %d", ErrDamaged, r.off, h.seq, r.next-1)
		} else if h.fileID != r.fileID {
			return fmt.Errorf("%w: at offset %d there is a frame of another journal", ErrDamaged, r.off+int64(i))
		}
		return fmt.Errorf("%w: the frame at offset %d is bad and there are good ones behind it", ErrDamaged, r.off)
	}
	return nil
}
