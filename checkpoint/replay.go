package checkpoint

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// replayed is the result of a replay.
type replayed struct {
	state     *state
	fileID    uint64
	next      uint32 // sequence number of the next frame
	last      int64  // offset of the last good frame
	end       int64  // where the next frame goes, after the last good one
	tornBytes int64  // of a torn write from end on
}

// replay reads a journal of size bytes from its beginning. It reads it a second time if edges were
// reopened, because only then it knows which failures still hold. It changes nothing. It takes the
// memory of the state and of one frame.
func replay(src io.ReaderAt, size int64) (replayed, error) {
	p, known, err := replayOnce(src, size, nil)
	if err != nil || len(known) == 0 {
		return p, err
	}
	torn := p.tornBytes
	p, _, err = replayOnce(src, p.end, known)
	p.tornBytes = torn
	return p, err
}

// replayOnce replays with the known reopenings. When it finds one that is not known, it only looks
// for further ones from there on.
func replayOnce(src io.ReaderAt, size int64, known reopens) (p replayed, found reopens, err error) {
	frames, err := openFrames(src, size)
	if err != nil {
		return p, nil, err
	}
	p.fileID = frames.fileID
	var r record
	for {
		payload, seq, err := frames.read()
		if err == io.EOF {
			break
		}
		if errors.Is(err, errBadFrame) {
			if err := frames.checkTail(); err != nil {
				return p, nil, err
			}
			p.tornBytes = size - frames.off
			break
		}
		if err != nil {
			return p, nil, err
		}
		if p.state == nil {
			p.state, err = replayIdentity(payload, known)
		} else {
			found, err = p.state.replay(seq, payload, &r, found)
		}
		if err != nil {
			return p, nil, fmt.Errorf("frame %d at offset %d: %w", seq, frames.last, err)
		}
	}
	if p.state == nil {
		return p, nil, fmt.Errorf("%w: it ends before its identity", ErrDamaged)
	}
	p.next, p.last, p.end = frames.next, frames.last, frames.off
	return p, found, nil
}

// replay applies one frame. It adds the reopenings that were not known to found, and applies
// nothing after the first of them.
func (s *state) replay(seq uint32, payload []byte, r *record, found reopens) (reopens, error) {
	d, elapsed, err := openPayload(payload, false)
	if err != nil {
		return found, err
	}
	s.time += elapsed
	for d.more() {
		if err := d.read(r); err != nil {
			return found, err
		}
		if r.kind == kindReopen && !s.reopens.has(seq, r.codes) {
			found = append(found, reopening{seq: seq, codes: append([]int(nil), r.codes...)})
		}
		if len(found) > 0 {
			continue
		}
		if err := s.check(seq, r); err != nil {
			return found, fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		s.apply(seq, r)
	}
	return found, nil
}

// replayIdentity reads the first frame.
func replayIdentity(payload []byte, known reopens) (*state, error) {
	d, elapsed, err := openPayload(payload, false)
	if err != nil {
		return nil, err
	}
	var r record
	if err := d.read(&r); err != nil {
		return nil, err
	}
	if r.kind != kindIdentity || d.more() {
		return nil, fmt.Errorf("%w: it does not begin with an identity", ErrDamaged)
	}
	var id Identity
	if err := json.Unmarshal(r.json, &id); err != nil {
		return nil, fmt.Errorf("%w: its identity cannot be read: %w", ErrDamaged, err)
	}
	if err := id.check(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	s := newState(id, known)
	s.time = elapsed
	return s, nil
}

// A reopening is one small record: every edge that is failed at that point of the file, with one of
// its codes, is pending again. So it is written wholly or not at all, however many edges it moves.
// The position and the code of a failure say whether it still holds.
type reopening struct {
	seq   uint32 // of its frame
	codes []int  // none: every code
}

// reopens holds all reopenings of a journal, in the order of the file.
type reopens []reopening

// after reports whether a failure with this code in the frame seq was taken back later.
func (r reopens) after(seq uint32, code int) bool {
	for i := len(r) - 1; i >= 0 && r[i].seq > seq; i-- {
		if len(r[i].codes) == 0 || slices.Contains(r[i].codes, code) {
			return true
		}
	}
	return false
}

// has reports whether the frame seq is a reopening of exactly these codes.
func (r reopens) has(seq uint32, codes []int) bool {
	return slices.ContainsFunc(r, func(o reopening) bool { return o.seq == seq && slices.Equal(o.codes, codes) })
}

// reopened returns the state after the reopening in the frame seq, which ends the file. It uses the
// same replay as a restart.
func (j *Journal) reopened(seq uint32, end int64, codes []int) (*state, error) {
	known := append(slices.Clone(j.state.reopens), reopening{seq: seq, codes: codes})
	p, _, err := replayOnce(j.file, end, known)
	if err != nil {
		return nil, err
	}
	if p.state.running() && !j.inRun {
		p.state.leaveRun() // as Open does
	}
	return p.state, nil
}
