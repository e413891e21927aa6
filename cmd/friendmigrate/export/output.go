package export

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"friendmigrate/checkpoint"
	"friendmigrate/migrate/disk"
	"friendmigrate/source"
)

// How often what was written is made durable.
const (
	stepTime  = 2 * time.Second
	stepBytes = 8 << 20
)

// FailedHeader is the first line of the list of accounts that could not be read. It says that the
// file is an export's, so that a later one may replace it.
const FailedHeader = "From_Account,ResultCode,ResultInfo,Line"

// output is where rows go, in the order of the accounts.
type output struct {
	fsys        disk.FS
	destination string // "" is a stream
	folder      string // DESTINATION.export, or "" for a stream
	csv         bool

	lock     *checkpoint.Lock
	rows     disk.File // the destination, or what is collected for a CSV; nil: a stream that holds JSONL
	failures disk.File
	waiting  waiting

	turn    sync.Mutex // guards what follows; one entry is written at a time
	ready   map[int64]*entry
	packer  *source.Packer
	packed  *bufio.Writer
	counted *counter
	failed  *csv.Writer
	failing *counter
	last    time.Time
	broken  error // of a write: what lies behind the last step is not whole

	mu  sync.Mutex // guards now
	now Position   // durable after a step; in between it runs ahead
}

// counter counts what goes into a writer.
type counter struct {
	to io.Writer
	n  int64
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.to.Write(b)
	c.n += int64(n)
	return n, err
}

// openOutput opens the destination. What an earlier process wrote and did not make durable is cut
// off.
func openOutput(o *Options) (out *output, err error) {
	id := identity{SDKAppID: o.SDKAppID, Target: o.Target, Accounts: o.Accounts.Digest, Format: o.Format}
	out = &output{fsys: o.FS, destination: o.Destination, csv: o.Format == source.CSV, now: newPosition(id),
		ready: map[int64]*entry{}, last: time.Now()}
	defer func() {
		if err != nil {
			err = errors.Join(err, out.close())
		}
	}()
	out.waiting.most = o.Memory
	if o.Destination == "" {
		return out, out.openStream(o.Stream)
	}
	out.folder = o.Destination + ".export"
	out.waiting.folder = out.folder
	there, err := exists(o.Destination)
	if err != nil {
		return out, err
	}
	begun, err := exists(filepath.Join(out.folder, positionName))
	if err != nil {
		return out, err
	}
	if there && !begun {
		return out, fmt.Errorf("%w: %q", ErrExists, o.Destination)
	}
	if out.lock, err = checkpoint.TryLock(out.folder); err != nil {
		return out, err
	}
	return out, out.resume(id, there)
}

// resume takes up what an earlier process has left, or begins.
func (o *output) resume(id identity, there bool) error {
	failures, was, err := filepath.Join(o.folder, "failed.csv"), Position{}, error(nil)
	switch was, err = readPosition(o.fsys, o.folder); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case was.Finished && !there: // its owner has taken the file away: another one is wanted
	case was.identity != id:
		return fmt.Errorf("%w: %q was begun for other accounts, another app or another format", ErrOther, o.destination)
	case was.Finished:
		o.now = was
		o.failures, err = disk.Open(o.fsys, failures)
		return err
	case was.Rows > 0 && !o.csv && !there:
		return fmt.Errorf("%q is gone, of which %d bytes were written; remove %q to begin anew", o.destination,
			was.Rows, o.folder)
	default:
		o.now = was
	}
	if err := o.now.write(o.fsys, o.folder); err != nil { // before the destination: without it that is not ours
		return err
	}
	if o.failures, err = cutBack(o.fsys, failures, o.now.Failures); err != nil {
		return err
	}
	if o.rows, err = cutBack(o.fsys, o.rowsPath(), o.now.Rows); err != nil {
		return err
	}
	return o.begin(o.rows, o.rowsPath())
}

// rowsPath is the file that rows are written to as they come.
func (o *output) rowsPath() string {
	if o.csv {
		return filepath.Join(o.folder, "rows.jsonl")
	}
	return o.destination
}

// openStream is openOutput for standard output, which cannot be continued.
func (o *output) openStream(to io.Writer) (err error) {
	if o.failures, err = unnamed(""); err == nil && o.csv {
		o.rows, err = unnamed("")
		to = o.rows
	}
	if err != nil {
		return err
	}
	return o.begin(to, "")
}

// begin makes the writers.
func (o *output) begin(to io.Writer, name string) (err error) {
	o.counted = &counter{to: to, n: o.now.Rows}
	o.packed = bufio.NewWriterSize(o.counted, 64<<10)
	o.packer, err = source.NewPacker(o.packed, name)
	o.failing = &counter{to: o.failures, n: o.now.Failures}
	o.failed = csv.NewWriter(o.failing)
	if o.now.Failures == 0 && err == nil {
		err = o.failed.Write(strings.Split(FailedHeader, ","))
	}
	return err
}

// settle takes a complete entry and writes all entries whose turn it is. After an error nothing is
// written any more.
func (o *output) settle(e *entry) error {
	o.turn.Lock()
	defer o.turn.Unlock()
	o.ready[e.number] = e
	for o.broken == nil {
		number := o.now.Done
		next := o.ready[number]
		if next == nil {
			return nil
		}
		delete(o.ready, number)
		o.broken = o.write(next)
	}
	return o.broken
}

// write writes an entry and, when it is time, makes it durable.
func (o *output) write(e *entry) error {
	o.mu.Lock()
	err := o.now.take(e, o.csv)
	o.mu.Unlock()
	if err != nil {
		return err
	}
	if e.failed || e.short {
		code := ""
		if e.code != 0 {
			code = strconv.Itoa(e.code)
		}
		line := strconv.FormatInt(e.account.Line, 10)
		if err := o.failed.Write([]string{e.account.ID, code, e.info, line}); err != nil {
			return err
		}
	}
	if err := o.waiting.writeTo(o.packer, e); err != nil {
		return err
	}
	o.waiting.drop(e)
	if o.counted.n-o.now.Rows >= stepBytes || time.Since(o.last) >= stepTime {
		return o.sync()
	}
	return nil
}

// step makes everything durable that was written.
func (o *output) step() error {
	o.turn.Lock()
	defer o.turn.Unlock()
	if o.broken == nil {
		o.broken = o.sync()
	}
	return o.broken
}

// sync makes durable what was written: rows, failures, position, in this order.
func (o *output) sync() error {
	o.last = time.Now()
	if err := o.packer.EndMember(); err != nil {
		return err
	}
	o.failed.Flush()
	if err := errors.Join(o.packed.Flush(), o.failed.Error()); err != nil {
		return err
	}
	if o.folder != "" {
		if err := errors.Join(o.rows.Sync(), o.failures.Sync()); err != nil {
			return err
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.now.Rows, o.now.Failures = o.counted.n, o.failing.n
	if o.folder == "" {
		return nil
	}
	return o.now.write(o.fsys, o.folder)
}

// end records that all is done, and removes what was collected for a CSV.
func (o *output) end() error {
	if o.folder == "" {
		return nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.now.Finished = true
	if err := o.now.write(o.fsys, o.folder); err != nil || !o.csv {
		return err
	}
	err := o.rows.Close()
	o.rows = nil
	return errors.Join(err, o.fsys.Remove(o.rowsPath()))
}

// at tells how far it is. Any goroutine may call it.
func (o *output) at() Position {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.now
}

// listFailed writes the list of accounts that could not be read, whole, to where its reader expects
// it.
func (o *output) listFailed(path string) error {
	return disk.WriteWhole(o.fsys, path, func(w io.Writer) error {
		_, err := io.Copy(w, io.NewSectionReader(o.failures, 0, o.now.Failures))
		return err
	})
}

func (o *output) close() error {
	var errs []error
	for _, f := range []disk.File{o.rows, o.failures, o.waiting.spill} {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	if o.lock != nil {
		errs = append(errs, o.lock.Release())
	}
	return errors.Join(errs...)
}
