package checkpoint

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"friendmigrate/migrate"
	"friendmigrate/migrate/disk"
)

// Journal is the open journal of a job. Its methods are safe for concurrent use, but BeginRun,
// Reopen, EndRun and Close belong to the one goroutine that runs the job. It implements
// migrate.Journal.
type Journal struct {
	name      string
	file      disk.File
	readOnly  bool
	fileID    uint64
	identity  Identity
	frames    uint32 // at Open
	tornBytes int64  // of a torn write at Open

	// For the committer, the only goroutine that writes the file and changes the state.
	work    chan *entry
	stop    chan struct{} // closed by Close
	stopped chan struct{} // closed by the committer when it ends

	mu    sync.RWMutex // guards the fields below
	state *state
	end   int64 // of the last durable frame
	inRun bool  // between BeginRun and EndRun
	err   error // the first failure, after which nothing is written
}

var _ migrate.Journal = (*Journal)(nil)

// Begin creates the journal of a new job and opens it, as Create and Open do. It sets id.Created to
// the current time.
func Begin(fsys disk.FS, dir string, id Identity) (*Journal, error) {
	id.Created = time.Now().UTC()
	if err := Create(fsys, dir, id); err != nil {
		return nil, err
	}
	return Open(fsys, dir)
}

// Open replays the journal in the folder dir and opens it for writing. The caller holds the folder's
// lock.
//
// Open cuts off a write that was torn when the program or the machine died. Its errors are
// fs.ErrNotExist, ErrDamaged, ErrNewer, ErrLocked, and those of the file system. After any of them
// the file is unchanged, except that a torn write may have been cut off.
func Open(fsys disk.FS, dir string) (*Journal, error) {
	j, err := openFile(fsys, dir, os.O_RDWR)
	if err != nil {
		return nil, err
	}
	go (&committer{j: j, next: j.frames, seen: map[int64]struct{}{}}).run()
	return j, nil
}

// OpenReadOnly opens the journal only for reading, also while another process writes it. It needs no
// lock and changes nothing, not even a torn write. Frames that are appended later are not seen.
func OpenReadOnly(fsys disk.FS, dir string) (*Journal, error) {
	j, err := openFile(fsys, dir, os.O_RDONLY)
	if err != nil { // the writer may have cut off a torn write meanwhile; it does so once
		j, err = openFile(fsys, dir, os.O_RDONLY)
	}
	return j, err
}

// openFile opens and replays the file, and makes it ready for appending if it is for writing. After
// an error or a panic it closes the file, which releases its lock.
func openFile(fsys disk.FS, dir string, flag int) (j *Journal, err error) {
	name, readOnly := filepath.Join(dir, FileName), flag == os.O_RDONLY
	file, err := fsys.OpenFile(name, flag, 0)
	if err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	j = &Journal{name: name, file: file, readOnly: readOnly, work: make(chan *entry), stop: make(chan struct{}),
		stopped: make(chan struct{})}
	opened := false
	defer func() {
		if !opened {
			j, err = nil, errors.Join(fmt.Errorf("open journal %q: %w", name, err), closeLocked(file))
		}
	}()
	if readOnly {
		close(j.stopped)
	} else if err = lockJournal(file); err != nil {
		return j, err
	}
	if err = j.recover(); err == nil && !readOnly {
		err = fsys.SyncDir(filepath.Dir(name)) // Create may have died after the renaming
	}
	opened = err == nil
	return j, err
}

// recover replays the file and makes it ready for appending.
func (j *Journal) recover() error {
	info, err := j.file.Stat()
	if err != nil {
		return err
	}
	p, err := replay(j.file, info.Size())
	if err != nil {
		return err
	}
	j.state, j.fileID, j.identity = p.state, p.fileID, p.state.id
	j.frames, j.end, j.tornBytes = p.next, p.end, p.tornBytes
	if j.state.running() {
		j.state.leaveRun() // it was killed
	}
	if j.readOnly {
		return nil
	}
	// If the program dies between any two of these steps the frames are the same, so the next Open
	// does the same.
	if p.tornBytes > 0 {
		if err := j.file.Truncate(p.end); err != nil {
			return err
		}
	}
	if err := j.rewriteLast(p); err != nil {
		return err
	}
	return j.file.Sync()
}

// rewriteLast writes the last frame over itself, with the same bytes. After a failed fsync a frame
// may be good in the system's cache, where it counts as clean, and missing on the disk. A sync
// alone would not write it again, and the frame after it would make that damage.
func (j *Journal) rewriteLast(p replayed) error {
	if p.next > 1 { // the first frame was synced before it had this name
		frame := make([]byte, p.end-p.last)
		if _, err := j.file.ReadAt(frame, p.last); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if !wholeFrame(frame) {
			return fmt.Errorf("%w: the frame at offset %d changed while it was read", ErrDamaged, p.last)
		}
		if _, err := j.file.Seek(p.last, io.SeekStart); err != nil {
			return err
		}
		return writeAll(j.file, frame)
	}
	_, err := j.file.Seek(p.end, io.SeekStart)
	return err
}

// writeAll writes b and also returns an error for a short write without one.
func writeAll(w io.Writer, b []byte) error {
	n, err := w.Write(b)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	return err
}

// Identity returns the identity of the job that the journal belongs to.
func (j *Journal) Identity() Identity { return j.identity }

// Moved returns an error if the journal's file is no longer the one of its name: it was removed, or
// its folder was moved. What is settled then would be lost with the process.
func (j *Journal) Moved() error {
	if _, opened := j.file.(interface{ Fd() uintptr }); !opened {
		return nil // a file system of tests
	}
	open, err := j.file.Stat()
	if err != nil {
		return fmt.Errorf("look at the journal: %w", err)
	}
	if now, err := os.Stat(j.name); errors.Is(err, fs.ErrNotExist) || err == nil && !os.SameFile(open, now) {
		return fmt.Errorf("the journal %q was moved or removed while the job ran: put it back", j.name)
	}
	return nil
}

// TornBytes returns the number of bytes of a torn write that Open cut off, or skipped if it opened
// for reading. They were never acknowledged.
func (j *Journal) TornBytes() int64 { return j.tornBytes }

// Unsettled returns the edges of a chunk that are not settled. maybeSent is true if an earlier run
// was sending chunks of the same span (1024 ordinals) and was killed, or ended without
// RunEnd.AllAnswered. Unsettled implements migrate.Journal.
func (j *Journal) Unsettled(ordinal int64, n int) (open migrate.EdgeSet, maybeSent bool) {
	j.mu.RLock()
	defer j.mu.RUnlock()
	return j.state.unsettled(ordinal, n)
}

// MaybeSent returns how many chunks with open edges have maybeSent in Unsettled.
func (j *Journal) MaybeSent() int64 {
	j.mu.RLock()
	defer j.mu.RUnlock()
	return j.state.maybeSent()
}

// Announce records that the chunks of a chunk's span (1024 ordinals) may be sent, and returns once
// that is durable. Only the first call of a run for a span writes. After an error nothing may be
// sent, because a later run could not tell an edge that this run has sent from one that was there
// before. Announce implements migrate.Journal.
func (j *Journal) Announce(ordinal int64) error {
	span := ordinal / spanChunks
	j.mu.RLock()
	announced, err := !j.inRun || j.state.maybeSentNow.has(span), j.err
	j.mu.RUnlock()
	if err != nil || announced {
		return err
	}
	return j.submit(context.Background(), newEntry(record{kind: kindMaybeSent, span: span}))
}

// Done reports whether every edge of the given number of chunks from first on is settled.
func (j *Journal) Done(first int64, chunks int) bool {
	j.mu.RLock()
	defer j.mu.RUnlock()
	for i := range int64(chunks) {
		if !j.state.done.has(first + i) {
			return false
		}
	}
	return true
}

// Totals returns the totals of all durable records.
func (j *Journal) Totals() Totals {
	j.mu.RLock()
	defer j.mu.RUnlock()
	return j.state.totals()
}

// failed returns the error that keeps the journal from being written, or nil.
func (j *Journal) failed() error {
	if j.readOnly {
		return ErrReadOnly
	}
	j.mu.RLock()
	defer j.mu.RUnlock()
	return j.err
}

// fail makes err the final error, unless there is one already, and returns the final error.
func (j *Journal) fail(err error) error {
	if j.readOnly {
		return ErrReadOnly
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.err == nil {
		j.err = fmt.Errorf("journal %q takes nothing more: %w", j.name, err)
	}
	return j.err
}

// Settle implements migrate.Journal. It returns when the outcomes are durable. It refuses an
// outcome that is not final, an edge that does not exist or is already settled, and a chunk whose
// number of edges has changed. Each of these is a bug that would unbalance the sum, so like a
// failed write or sync it is final. A settlement of some 100 kB and more (a thousand failures of
// large edges) is recorded in pieces, so a crash may keep some of its edges and not the others.
//
// If ctx ends before the journal has accepted the settlement, Settle returns ctx's error, and
// nothing was recorded and nothing failed. After that it ignores ctx.
func (j *Journal) Settle(ctx context.Context, s migrate.Settlement) error {
	if len(s.Settled) == 0 {
		return j.failed()
	}
	list, err := settlementEntries(s, pieceSize)
	if err != nil {
		return j.fail(err)
	}
	for _, e := range list {
		if err := j.submit(ctx, e); err != nil {
			return err
		}
		ctx = context.WithoutCancel(ctx)
	}
	return nil
}

// Reopen moves every failed edge with one of these codes, or every failed edge if there are no
// codes, back to pending, and returns their number. On return that is durable. It happens for all
// of them or for none. While edges of an earlier reopening are still open it moves nothing and
// returns 0.
//
// Call it while nothing is being settled. It reads the file once.
func (j *Journal) Reopen(ctx context.Context, codes []int) (int64, error) {
	codes = slices.Compact(slices.Sorted(slices.Values(codes)))
	j.mu.RLock()
	count, open := j.state.failedWith(codes), j.state.reopened
	j.mu.RUnlock()
	if open > 0 || count == 0 {
		return 0, j.failed()
	}
	err := j.submit(ctx, newEntry(record{kind: kindReopen, codes: codes}))
	if err != nil {
		return 0, err
	}
	return count, nil
}

// BeginRun records that a run begins; it is durable on return. Chunks are sent only within a run,
// because Announce records nothing outside one.
func (j *Journal) BeginRun(r RunStart) error { return j.recordRun(kindBegin, r, true) }

// EndRun records that the run ended in order; it is durable on return. A run without it counts as
// killed.
func (j *Journal) EndRun(r RunEnd) error { return j.recordRun(kindEnd, r, false) }

func (j *Journal) recordRun(kind byte, fact any, begins bool) error {
	j.mu.RLock()
	inRun := j.inRun
	j.mu.RUnlock()
	switch {
	case inRun && begins:
		return errors.New("record a run: a run has already begun")
	case !inRun && !begins:
		return errors.New("record a run: no run has begun")
	}
	body, err := json.Marshal(fact)
	if err != nil {
		return fmt.Errorf("record a run: %w", err)
	}
	if len(body) > pieceSize {
		return fmt.Errorf("record a run: its record takes %d bytes", len(body))
	}
	if err := j.submit(context.Background(), newEntry(record{kind: kind, json: body})); err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.inRun = begins
	return nil
}

// Runs returns the runs of the job so far, the oldest first.
func (j *Journal) Runs() []Run {
	j.mu.RLock()
	defer j.mu.RUnlock()
	return slices.Clone(j.state.runs)
}

// Close stops the committer, waits for it and closes the file. Do not call Settle after it. A
// second Close does nothing.
func (j *Journal) Close() error {
	select {
	case <-j.stop:
		return nil
	default:
	}
	close(j.stop)
	<-j.stopped
	return closeLocked(j.file)
}
