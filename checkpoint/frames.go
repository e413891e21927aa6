package checkpoint

import (
	"errors"
	"fmt"
	"io"
)

// errBadFrame: what begins at the reader's offset is no frame of this file at this place. Whether
// that is a torn write or damage is for judgeTail to say.
var errBadFrame = errors.New("bad frame")

// frameReader reads the frames of a journal one after the other, up to a fixed end. It holds one
// window of the file in memory, never more than the largest frame and a read ahead.
type frameReader struct {
	src    io.ReaderAt
	end    int64 // nothing from here on is looked at, since another goroutine or process may be appending
	fileID uint64

	next uint32 // sequence number that the next frame must have
	off  int64  // of the next frame
	last int64  // offset of the frame read last

	window []byte // window[at:] is the file from off on
	at     int
}

// readAhead is what one read takes from the file.
const readAhead = 256 << 10

// openFrames reads the header and stands before the first frame.
func openFrames(src io.ReaderAt, end int64) (*frameReader, error) {
	r := &frameReader{src: src, end: end, off: 0}
	header, err := r.peek(headerSize)
	if err != nil {
		return nil, err
	}
	if r.fileID, err = parseHeader(header); err != nil {
		return nil, err
	}
	r.skip(headerSize)
	return r, nil
}

// read returns the payload of the next frame, which is good until the next call, and the frame's
// sequence number. At the end it returns io.EOF; errBadFrame leaves the reader where the bad frame
// begins.
func (r *frameReader) read() (payload []byte, seq uint32, err error) {
	head, err := r.peek(frameHeaderSize)
	switch {
	case err != nil:
		return nil, 0, err
	case len(head) == 0:
		return nil, 0, io.EOF
	case len(head) < frameHeaderSize:
		return nil, 0, errBadFrame
	}
	h := parseFrameHeader(head)
	limit := uint32(maxPayload)
	if r.next == 0 {
		limit = maxIdentity
	}
	if h.length == 0 || h.length > limit || h.seq != r.next || h.fileID != r.fileID {
		return nil, 0, errBadFrame
	}
	size := frameHeaderSize + int(h.length)
	frame, err := r.peek(size)
	if err != nil {
		return nil, 0, err
	}
	if len(frame) < size || frameSum(frame) != h.crc {
		return nil, 0, errBadFrame
	}
	r.last = r.off
	r.skip(size)
	r.next++
	return frame[frameHeaderSize:], h.seq, nil
}

// peek returns the next n bytes, or fewer where the file ends.
func (r *frameReader) peek(n int) ([]byte, error) {
	if have := len(r.window) - r.at; have < n {
		if err := r.fill(n, have); err != nil {
			return nil, err
		}
	}
	return r.window[r.at:min(r.at+n, len(r.window))], nil
}

// fill reads on so that the window holds n bytes from off, of which it has some already.
func (r *frameReader) fill(n, have int) error {
	want := int(min(int64(max(n, readAhead)), r.end-r.off))
	if want <= have {
		return nil
	}
	window := r.window[:0]
	if cap(window) < want {
		window = make([]byte, 0, want)
	}
	window = append(window, r.window[r.at:]...)[:want]
	got, err := r.src.ReadAt(window[have:], r.off+int64(have))
	if got < want-have {
		if err == nil || errors.Is(err, io.EOF) {
			err = fmt.Errorf("it became shorter while it was read: %w", io.ErrUnexpectedEOF)
		}
		return err
	}
	r.window, r.at = window, 0
	return nil
}

func (r *frameReader) skip(n int) {
	r.at += n
	r.off += int64(n)
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
	tail, err := r.peek(int(size))
	if err != nil {
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
