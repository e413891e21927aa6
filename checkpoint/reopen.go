package checkpoint

import "slices"

// A reopening is one small record: every edge that is failed at that place of the file, with one of
// its codes, is pending again. So it is there whole or not at all, however many edges it moves, and
// whoever reads a failure knows by its place and code alone whether it still holds.
type reopening struct {
	seq   uint32 // of its frame
	codes []int  // none: every code
}

// reopens are all reopenings of a journal, in the order of the file.
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

// has reports whether the frame seq is a reopening of just these codes.
func (r reopens) has(seq uint32, codes []int) bool {
	return slices.ContainsFunc(r, func(o reopening) bool { return o.seq == seq && slices.Equal(o.codes, codes) })
}

// reopened is the state after the reopening in the frame seq, which ends the file: by the same
// replay that a restart would do here.
func (j *Journal) reopened(seq uint32, end int64, codes []int) (*state, error) {
	known := append(slices.Clone(j.state.reopens), reopening{seq: seq, codes: codes})
	p, _, err := replayOnce(j.file, end, known)
	if err != nil {
		return nil, err
	}
	if p.state.running() && !j.inRun {
		p.state.leaveRun() // as at Open
	}
	return p.state, nil
}
