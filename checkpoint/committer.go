package checkpoint

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"friendmigrate/migrate"
	"friendmigrate/migrate/codec"
)

const (
	// maxTimeBytes is the most bytes that the time of a commit takes.
	maxTimeBytes = binary.MaxVarintLen64

	// maxRecord is the largest record that fits into a frame.
	maxRecord = maxPayload - maxTimeBytes

	// batchSize is the size in bytes at which the committer stops adding entries to a frame.
	batchSize = 1 << 20
)

// committer appends to the file. It takes all entries that wait, writes them as one frame, syncs
// once, changes the state and answers the callers.
type committer struct {
	j       *Journal
	next    uint32 // sequence number of the next frame
	carry   *entry // taken, but goes into the next batch
	frame   []byte
	batch   []*entry
	seen    map[int64]struct{} // subjects in the batch
	decoded record             // by checkEntry; its memory is reused
}

func (c *committer) run() {
	defer close(c.j.stopped)
	err := migrate.Guard(func() error {
		c.serve()
		return nil
	})
	if err == nil {
		return
	}
	// A panic is as final as a failed write, because we cannot know what it left in the file.
	// Current callers get the error, and so do later ones.
	err = c.j.fail(err)
	for _, e := range append(c.batch, c.carry) {
		if e != nil {
			e.done <- err
		}
	}
	for {
		select {
		case e := <-c.j.work:
			e.done <- err
		case <-c.j.stop:
			return
		}
	}
}

func (c *committer) serve() {
	for {
		first := c.carry
		if c.carry = nil; first == nil {
			select {
			case first = <-c.j.work:
			case <-c.j.stop:
				return
			}
		}
		c.gather(first)
		err := c.commit()
		for i, e := range c.batch {
			e.done <- err
			c.batch[i] = nil
		}
	}
}

// gather fills the batch with the entries that wait now. Two entries with the same subject never
// share a frame, so that each can be checked against the state before it is written. A reopening
// has a frame of its own, because failures in the same frame would be neither before nor after it.
func (c *committer) gather(first *entry) {
	c.batch = append(c.batch[:0], first)
	clear(c.seen)
	c.seen[first.subject()] = struct{}{}
	for size := len(first.bytes); first.kind != kindReopen && size < batchSize; {
		select {
		case e := <-c.j.work:
			if _, again := c.seen[e.subject()]; again || e.kind == kindReopen || size+len(e.bytes) > maxRecord {
				c.carry = e
				return
			}
			c.batch, size = append(c.batch, e), size+len(e.bytes)
			c.seen[e.subject()] = struct{}{}
		default:
			return
		}
	}
}

// commit writes and syncs the batch, then applies it to the state. After an error nothing more is
// written: we cannot know what a failed write or sync left in the file and in the system's cache.
// The next Open will find out.
func (c *committer) commit() error {
	j := c.j
	if err := j.failed(); err != nil {
		return err
	}
	now := time.Now().UnixMilli()
	if err := c.makeFrame(now); err != nil {
		return j.fail(err)
	}
	if len(c.frame) == 0 {
		return nil
	}
	// If the program dies during the write, any part of the frame may be in the file: a bad last
	// frame, which Open cuts off. No caller had an answer.
	if err := writeAll(j.file, c.frame); err != nil {
		return j.fail(err)
	}
	// If the machine dies here, the frame may be whole or not after the restart. Open accepts it or
	// cuts it off. Both are right: the calls of a settlement were made, and an announcement without
	// its calls does no harm.
	if err := j.file.Sync(); err != nil {
		return j.fail(err)
	}
	// If the program dies after this, the frame is durable.
	if err := c.apply(now); err != nil {
		return j.fail(err)
	}
	return nil
}

// makeFrame checks the batch and makes its frame, which is empty if there is nothing to write.
func (c *committer) makeFrame(now int64) error {
	j := c.j
	c.frame = c.frame[:0]
	if c.next == maxFrames {
		return errors.New("it holds as many frames as can be counted")
	}
	frame := append(c.frame, make([]byte, frameHeaderSize)...)
	// Only the committer changes the state, so it may read it without the lock.
	frame = binary.AppendVarint(frame, now-j.state.time)
	empty, settled := len(frame), j.state.counts.Settled()
	for _, e := range c.batch {
		if e.kind == kindMaybeSent && j.state.maybeSentNow.has(e.span) {
			continue // several callers waited for this span
		}
		if err := c.checkEntry(e); err != nil {
			return err
		}
		if e.kind == kindSettled {
			settled += int64(e.settlement.count())
		}
		frame = append(frame, e.bytes...)
	}
	if settled > j.state.id.Edges {
		return fmt.Errorf("%d edges would be settled of the job's %d", settled, j.state.id.Edges)
	}
	if len(frame) == empty {
		return nil
	}
	sealFrame(frame, c.next, j.fileID)
	c.frame = frame
	return nil
}

// checkEntry checks that the decoder and a replay will accept the entry. An error now is better
// than a journal that cannot be opened again.
func (c *committer) checkEntry(e *entry) error {
	d := coder{Cursor: codec.Cursor{Rest: e.bytes}}
	if err := d.read(&c.decoded); err != nil || d.more() || c.decoded.kind != e.kind {
		return errors.New("the record cannot be read back: a bug")
	}
	if e.kind == kindReopen {
		return nil // a reopening is known only once it is written
	}
	return c.j.state.check(c.next, &c.decoded)
}

// apply applies the batch to the state.
func (c *committer) apply(now int64) error {
	j := c.j
	seq, end := c.next, j.end+int64(len(c.frame))
	c.next++
	state := j.state
	if first := c.batch[0]; first.kind == kindReopen {
		var err error
		if state, err = j.reopened(seq, end, first.codes); err != nil {
			return err
		}
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.state, j.end = state, end
	for _, e := range c.batch {
		if e.kind != kindReopen {
			state.apply(seq, &e.record)
		}
	}
	state.time = now
	return nil
}
