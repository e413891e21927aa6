package checkpoint

import "context"

// entry is a record to be written, and the channel on which its caller waits.
type entry struct {
	record
	bytes []byte     // the record, encoded
	done  chan error // has room for one answer
}

func newEntry(r record) *entry { return &entry{record: r, bytes: r.encode()} }

// subject returns a value that is equal for entries that must be checked one after the other.
// Entries with different subjects do not affect each other.
func (e *entry) subject() int64 {
	switch e.kind {
	case kindSettled:
		return e.settlement.ordinal
	case kindMaybeSent:
		return -1 - e.span
	}
	return -1 << 63
}

// submit gives an entry to the committer and waits until it is durable. ctx can end only the wait
// for the committer to take it.
func (j *Journal) submit(ctx context.Context, e *entry) error {
	if err := j.failed(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	e.done = make(chan error, 1)
	select {
	case j.work <- e:
		return <-e.done // the committer always answers
	case <-ctx.Done():
		return ctx.Err()
	case <-j.stop:
		return ErrClosed
	}
}
