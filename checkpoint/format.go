package checkpoint

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
)

// The file is a header and frames, all integers little-endian:
//
//	header  magic [8], version uint32, file id uint64, CRC32C of the 20 bytes before it uint32
//	frame   length of the payload uint32, sequence number uint32, file id uint64,
//	        CRC32C of those 16 bytes and the payload uint32, payload
//
// The layout of the header is the same in every version, so that a newer file can be told from a
// damaged one.
const (
	magic           = "FMJRNL\r\n" // the line end reveals a copy in text mode
	formatVersion   = 1
	headerSize      = 24
	frameHeaderSize = 20
)

const (
	// maxPayload limits a frame, and so the memory that reading takes and the torn write that a
	// crash can leave.
	maxPayload = 4 << 20

	// maxIdentity limits the first frame, which has the digest of every input.
	maxIdentity = 64 << 20

	// maxFrames is the largest sequence number. At 200 commits a second it lasts 8 months.
	maxFrames = 1<<32 - 1
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func appendHeader(b []byte, version uint32, fileID uint64) []byte {
	start := len(b)
	b = append(b, magic...)
	b = binary.LittleEndian.AppendUint32(b, version)
	b = binary.LittleEndian.AppendUint64(b, fileID)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b[start:], castagnoli))
}

func parseHeader(b []byte) (uint64, error) {
	if len(b) < headerSize {
		return 0, fmt.Errorf("%w: %d bytes are too short for a header", ErrDamaged, len(b))
	}
	if string(b[:8]) != magic {
		return 0, fmt.Errorf("%w: it does not begin as a journal does", ErrDamaged)
	}
	if crc32.Checksum(b[:20], castagnoli) != binary.LittleEndian.Uint32(b[20:]) {
		return 0, fmt.Errorf("%w: the header's checksum is wrong", ErrDamaged)
	}
	switch version := binary.LittleEndian.Uint32(b[8:]); {
	case version > formatVersion:
		return 0, fmt.Errorf("%w: its format is %d, this program knows %d", ErrNewer, version, formatVersion)
	case version != formatVersion:
		return 0, fmt.Errorf("%w: there is no format %d", ErrDamaged, version)
	}
	return binary.LittleEndian.Uint64(b[12:]), nil
}

// frameHeader is the header of a frame as it is in the file, good or bad.
type frameHeader struct {
	length uint32
	seq    uint32
	fileID uint64
	crc    uint32
}

// parseFrameHeader needs frameHeaderSize bytes.
func parseFrameHeader(b []byte) frameHeader {
	return frameHeader{
		length: binary.LittleEndian.Uint32(b),
		seq:    binary.LittleEndian.Uint32(b[4:]),
		fileID: binary.LittleEndian.Uint64(b[8:]),
		crc:    binary.LittleEndian.Uint32(b[16:]),
	}
}

// frameSum returns the checksum of a frame: of its header without the checksum, and of its payload.
func frameSum(frame []byte) uint32 {
	return crc32.Update(crc32.Checksum(frame[:16], castagnoli), castagnoli, frame[frameHeaderSize:])
}

// sealFrame fills in the header of a frame, for which the frame begins with frameHeaderSize free
// bytes.
func sealFrame(frame []byte, seq uint32, fileID uint64) {
	binary.LittleEndian.PutUint32(frame, uint32(len(frame)-frameHeaderSize))
	binary.LittleEndian.PutUint32(frame[4:], seq)
	binary.LittleEndian.PutUint64(frame[8:], fileID)
	binary.LittleEndian.PutUint32(frame[16:], frameSum(frame))
}

// wholeFrame reports whether b begins with a frame that any journal sealed, at any position.
func wholeFrame(b []byte) bool {
	if len(b) <= frameHeaderSize {
		return false
	}
	h := parseFrameHeader(b)
	if h.length == 0 || int64(h.length) > int64(len(b)-frameHeaderSize) {
		return false
	}
	return frameSum(b[:frameHeaderSize+int(h.length)]) == h.crc
}

// The errors of a journal. They are wrapped with the file's name and the position.
var (
	// ErrDamaged: something other than this program or a crash of it changed the file.
	ErrDamaged = errors.New("the journal is damaged")

	// ErrNewer: a newer version of the program wrote the file.
	ErrNewer = errors.New("the journal was written by a newer version of friendmigrate")

	// ErrLocked: another process holds the lock of the state folder.
	ErrLocked = errors.New("the state folder is in use by another process")

	// ErrClosed: the journal was closed.
	ErrClosed = errors.New("the journal is closed")

	// ErrReadOnly: the journal was opened for reading.
	ErrReadOnly = errors.New("the journal is open for reading only")
)

// errBadFrame: there is no frame of this file at the reader's offset. checkTail decides whether
// that is a torn write or damage.
var errBadFrame = errors.New("bad frame")

// frameReader reads the frames of a journal one after the other, up to a fixed end. It holds one
// frame in memory.
type frameReader struct {
	src    io.ReaderAt
	ahead  *bufio.Reader // of src, up to end
	end    int64         // nothing after it is read, because a writer may be appending
	fileID uint64

	next  uint32 // sequence number that the next frame must have
	off   int64  // of the next frame
	last  int64  // offset of the frame read last
	frame []byte
}

// readAhead is the number of bytes of one read from a file that is longer.
const readAhead = 256 << 10

// openFrames reads the header. The first read returns the first frame.
func openFrames(src io.ReaderAt, end int64) (*frameReader, error) {
	ahead := bufio.NewReaderSize(io.NewSectionReader(src, 0, end), int(min(readAhead, end)))
	r := &frameReader{src: src, end: end, ahead: ahead}
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

// read returns the payload of the next frame, which is valid until the next call, and the frame's
// sequence number. At the end it returns io.EOF. After errBadFrame, off is the offset of the bad
// frame, and read must not be called again.
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

// checkTail checks the bytes after the last good frame, after errBadFrame. It returns nil if they
// can be the write during which the program or the machine died, which was never acknowledged. Any
// other error wraps ErrDamaged.
//
// Only the last frame is ever unsynced. So a torn write is no longer than the largest frame, and
// contains no whole frame of any file after its first byte. A whole frame at its first byte, with a
// wrong number or of another file, is no torn write either.
func (r *frameReader) checkTail() error {
	if r.next == 0 {
		return fmt.Errorf("%w: its identity cannot be read", ErrDamaged) // Create writes it atomically
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
		return fmt.Errorf("%w: the frame at offset %d is bad and there are good ones after it", ErrDamaged, r.off)
	}
	return nil
}
