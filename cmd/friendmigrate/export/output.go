package export

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
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

// output is where rows go, in the order of the accounts. It belongs to one goroutine, but for at.
type output struct {
	fsys        disk.FS
	destination string // "" is a stream
	folder      string // DESTINATION.export, or "" for a stream
	csv         bool

	lock     *checkpoint.Lock
	rows     disk.File // of a stream that holds CSV: a temporary file; of any other stream: nil
	failures disk.File
	packer   *source.Packer
	packed   *bufio.Writer
	counted  *counter
	failed   *csv.Writer
	failing  *counter
	last     time.Time

	mu  sync.Mutex // guards now
	now position   // durable after a step; what is shown runs ahead of it
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
func openOutput(o *Options, id Identity) (out *output, err error) {
	out = &output{fsys: o.FS, destination: o.Destination, csv: o.Format == source.CSV, now: newPosition(id),
		last: time.Now()}
	defer func() {
		if err != nil {
			err = errors.Join(err, out.close())
		}
	}()
	if o.Destination == "" {
		return out, out.openStream(o)
	}
	out.folder = o.Destination + folderSuffix
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
func (o *output) resume(id Identity, there bool) error {
	was, err := readPosition(o.fsys, o.folder)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case was.Finished && there && was.Identity == id:
		o.now, o.failing = was, &counter{n: was.Failures}
		o.failures, err = disk.Open(o.fsys, filepath.Join(o.folder, failuresName))
		return err
	case was.Finished && !there: // its owner has taken the file away: another one is wanted
	case was.Identity != id:
		return fmt.Errorf("%w: %q was begun for other accounts, another app or another form", ErrOther, o.destination)
	default:
		if was.Rows > 0 && !o.csv && !there {
			return fmt.Errorf("%q is gone, of which %d bytes were written; remove %q to begin anew", o.destination,
				was.Rows, o.folder)
		}
		o.now = was
	}
	if err := o.now.write(o.fsys, o.folder); err != nil { // before the destination: what lies there without it is not ours
		return err
	}
	name := o.destination
	if o.csv {
		name = filepath.Join(o.folder, rowsName)
	}
	if o.rows, err = cutBack(o.fsys, name, o.now.Rows); err != nil {
		return err
	}
	if o.failures, err = cutBack(o.fsys, filepath.Join(o.folder, failuresName), o.now.Failures); err != nil {
		return err
	}
	return o.begin(o.rows, name)
}

// openStream is openOutput for standard output, which cannot be gone on with.
func (o *output) openStream(opt *Options) error {
	var err error
	if o.failures, err = unnamed(opt.Temporary); err != nil {
		return err
	}
	if !o.csv {
		return o.begin(opt.Stream, "")
	}
	if o.rows, err = unnamed(opt.Temporary); err != nil {
		return err
	}
	return o.begin(o.rows, "")
}

// unnamed is a temporary file that is gone with its process.
func unnamed(dir string) (disk.File, error) {
	f, err := os.CreateTemp(dir, "friendmigrate-export-*")
	if err != nil {
		return nil, fmt.Errorf("make a temporary file, in the folder that TMPDIR names: %w", err)
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
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

// FailedHeader is the first line of the list of accounts that could not be read. It says that the
// file is an export's, so that a later one may renew it.
const FailedHeader = "From_Account,ResultCode,ResultInfo,Line"

// write writes an entry and, when it is time, makes it durable.
func (o *output) write(s *sequence, e *entry, mayWait bool) error {
	if e.failed != nil {
		code := ""
		if e.failed.Code != 0 {
			code = strconv.Itoa(e.failed.Code)
		}
		if err := o.failed.Write([]string{e.failed.Account.ID, code, e.failed.Info,
			strconv.FormatInt(e.failed.Account.Line, 10)}); err != nil {
			return err
		}
	}
	if err := s.writeTo(o.packer, e); err != nil {
		return err
	}
	s.drop(e)
	o.mu.Lock()
	err := o.now.take(e, o.csv)
	o.mu.Unlock()
	if err != nil {
		return err
	}
	if o.counted.n-o.now.Rows >= stepBytes || time.Since(o.last) >= stepTime || mayWait && o.folder == "" {
		return o.step()
	}
	return nil
}

// step makes what was written durable: rows, failures, position, in this order.
func (o *output) step() error {
	o.last = time.Now()
	if err := o.packer.EndMember(); err != nil {
		return err
	}
	o.failed.Flush()
	if err := errors.Join(o.packed.Flush(), o.failed.Error()); err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.now.Rows, o.now.Failures = o.counted.n, o.failing.n
	if o.folder == "" {
		return nil
	}
	if err := errors.Join(o.rows.Sync(), o.failures.Sync()); err != nil {
		return err
	}
	return o.now.write(o.fsys, o.folder)
}

// end records that all is done.
func (o *output) end() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.now.Finished = true
	return o.now.write(o.fsys, o.folder)
}

// at tells how far it is. Any goroutine may call it.
func (o *output) at() position {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.now
}

// listFailed writes the list of accounts that could not be read, whole, to where its reader expects
// it.
func (o *output) listFailed(path string) error {
	return disk.WriteWhole(o.fsys, path, func(w io.Writer) error {
		_, err := io.Copy(w, io.NewSectionReader(o.failures, 0, o.failing.n))
		return err
	})
}

func (o *output) close() error {
	var errs []error
	for _, f := range []disk.File{o.rows, o.failures} {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	if o.lock != nil {
		errs = append(errs, o.lock.Release())
	}
	return errors.Join(errs...)
}
