package export

import (
	"bufio"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"friendmigrate/checkpoint"
	"friendmigrate/migrate"
	"friendmigrate/migrate/disk"
	"friendmigrate/source"
	"friendmigrate/source/accountlist"
)

// stepTime is how often the output is made durable.
const stepTime = 2 * time.Second

// FailedHeader is the first line of the list of accounts that could not be read. It shows that an
// export wrote the file, so a later export may replace it.
const FailedHeader = "From_Account,ResultCode,ResultInfo,Line"

// output writes the rows of each account together, in the order in which accounts are settled.
type output struct {
	lock     *checkpoint.Lock
	rows     disk.File // the destination, or the rows collected for a CSV; nil: a stream of JSONL
	failures disk.File
	waiting  waiting

	turn   sync.Mutex // guards what follows; one entry is written at a time
	packer *source.Packer
	packed *bufio.Writer
	failed *csv.Writer
	last   time.Time
	broken error // error of a write: data after the last step is incomplete

	mu  sync.Mutex // guards now
	now Position   // durable after a step; ahead of the disk between steps
}

// begin creates the writers.
func (o *output) begin(to io.Writer, name string) (err error) {
	o.packed = bufio.NewWriterSize(to, 64<<10)
	o.packer, err = source.NewPacker(o.packed, name)
	o.failed = csv.NewWriter(o.failures)
	if o.now.Failures == 0 && err == nil {
		err = o.failed.Write(strings.Split(FailedHeader, ","))
	}
	return err
}

// settle writes a complete entry.
func (e *Export) settle(done *entry) error { return e.inTurn(func() error { return e.write(done) }) }

// step makes everything written so far durable.
func (e *Export) step() error { return e.inTurn(e.sync) }

// inTurn calls do while nothing else is written. After an error nothing more is written.
func (e *Export) inTurn(do func() error) error {
	e.turn.Lock()
	defer e.turn.Unlock()
	if e.broken == nil {
		e.broken = do()
	}
	return e.broken
}

// write writes an entry and, when it is time, makes it durable.
func (e *Export) write(next *entry) error {
	e.mu.Lock()
	err := e.now.take(next, e.csv)
	e.mu.Unlock()
	if err != nil {
		return err
	}
	if next.failed || next.doubtful {
		code := ""
		if next.code != 0 {
			code = strconv.Itoa(next.code)
		}
		line := strconv.FormatInt(next.account.Line, 10)
		if err := e.failed.Write([]string{next.account.ID, code, next.info, line}); err != nil {
			return err
		}
	}
	if err := e.waiting.writeTo(e.packer, next); err != nil {
		return err
	}
	e.waiting.drop(next)
	if time.Since(e.last) >= stepTime {
		return e.sync()
	}
	return nil
}

// sync makes rows, failures and position durable, in this order.
func (e *Export) sync() error {
	e.last = time.Now()
	if err := e.packer.EndMember(); err != nil {
		return err
	}
	e.failed.Flush()
	if err := errors.Join(e.packed.Flush(), e.failed.Error()); err != nil {
		return err
	}
	lengths := [2]int64{}
	for i, f := range []disk.File{e.rows, e.failures} {
		if f == nil {
			continue
		}
		var err error
		if lengths[i], err = f.Seek(0, io.SeekCurrent); err == nil && e.folder != "" {
			err = f.Sync()
		}
		if err != nil {
			return err
		}
	}
	return e.record(func(now *Position) { now.Rows, now.Failures = lengths[0], lengths[1] })
}

// record changes the position, and makes it durable unless the output is a stream.
func (e *Export) record(change func(now *Position)) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if change(&e.now); e.folder == "" {
		return nil
	}
	return e.now.write(e.FS, e.folder)
}

// end records that the export is finished, and removes the rows that were collected for a CSV.
func (e *Export) end() error {
	err := e.record(func(now *Position) { now.Finished = true })
	if err != nil || e.folder == "" || !e.csv {
		return err
	}
	err = e.rows.Close()
	e.rows = nil
	return errors.Join(err, e.FS.Remove(e.rowsPath()))
}

// At returns the progress. It is safe for concurrent use.
func (e *Export) At() Position {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.now
}

// listFailed replaces the list of accounts that could not be read at FailedPath atomically.
func (e *Export) listFailed() error {
	return disk.WriteWhole(e.FS, FailedPath(e.Set.Destination), func(w io.Writer) error {
		if e.now.Failures == 0 { // nothing was made durable: a later export has to see whose list it is
			_, err := io.WriteString(w, FailedHeader+"\n")
			return err
		}
		_, err := io.Copy(w, io.NewSectionReader(e.failures, 0, e.now.Failures))
		return err
	})
}

// writeTable writes the CSV from the collected rows, when all columns are known.
func (e *Export) writeTable() error {
	format := source.ListFormat{Format: source.CSV, Tags: slices.Sorted(maps.Keys(e.now.Tags))}
	write := func(w io.Writer) error {
		p, err := source.NewPacker(w, e.Set.Destination)
		if err != nil {
			return err
		}
		if err := source.WriteEdges(p, format, readRows(io.NewSectionReader(e.rows, 0, e.now.Rows))); err != nil {
			return err
		}
		return p.EndMember()
	}
	if e.Set.Destination == "" {
		return write(e.Std.Out)
	}
	if err := e.record(func(now *Position) { now.Table = true }); err != nil {
		return err
	}
	return disk.WriteWhole(e.FS, e.Set.Destination, write)
}

// readRows reads collected rows back.
func readRows(r io.Reader) iter.Seq2[source.ListRow, error] {
	return func(yield func(source.ListRow, error) bool) {
		rows := json.NewDecoder(bufio.NewReaderSize(r, 256<<10))
		for {
			e := new(migrate.Edge)
			err := rows.Decode(e)
			if err == io.EOF {
				return
			}
			if err != nil {
				err = fmt.Errorf("read collected rows: %w", err)
			}
			if !yield(source.ListRow{Edge: e}, err) || err != nil {
				return
			}
		}
	}
}

// waiting holds the rows of accounts that are not read to their end, in temporary files without a
// name, which disappear with the process. Some rows always wait, so one file would grow to the size
// of all rows.
type waiting struct {
	folder string // of the files; "": the system's temporary folder
	most   int64  // size at which a file is full; 0: usualMost

	mu    sync.Mutex // guards the files
	files []*segment // rows are added to the last one
}

// segment is a file of waiting rows. It is closed when none of them is needed any more.
type segment struct {
	disk.File
	end  int64
	live int64 // bytes in it that are still needed
}

const usualMost = 256 << 20

// entry is the result of one account: its rows, or why there are none.
type entry struct {
	number  int64 // position of the account in its file, from 0
	account accountlist.Account
	edges   int64
	bare    int64            // edges without AddSource
	tags    map[string]bool  // custom fields, and whether they are integers
	other   map[string]int64 // numbers of values of tags that an edge cannot have
	pieces  []piece          // its rows

	failed   bool // the account could not be read
	doubtful bool // it was read, but friends may be missing
	code     int  // of the service; 0: none
	info     string
}

func newEntry(number int64, a accountlist.Account) entry {
	return entry{number: number, account: a, tags: map[string]bool{}, other: map[string]int64{}}
}

// piece is a part of an entry's rows.
type piece struct {
	in             *segment
	offset, length int64
}

// errHold is the error of a disk that cannot hold the waiting rows.
var errHold = errors.New("hold a friend list")

// add stores some rows of an entry.
func (w *waiting) add(e *entry, rows []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	to, err := w.last()
	if err == nil {
		_, err = to.Seek(to.end, io.SeekStart)
	}
	if err == nil {
		_, err = to.Write(rows)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errHold, err)
	}
	n := int64(len(rows))
	e.pieces = append(e.pieces, piece{to, to.end, n})
	to.end += n
	to.live += n
	return nil
}

// last returns the file that rows are added to.
func (w *waiting) last() (*segment, error) {
	if n := len(w.files); n > 0 && w.files[n-1].end < cmp.Or(w.most, usualMost) {
		return w.files[n-1], nil
	}
	file, err := unnamed(w.folder)
	if err != nil {
		return nil, err
	}
	s := &segment{File: file}
	w.files = append(w.files, s)
	return s, nil
}

// drop discards the rows of an entry.
func (w *waiting) drop(e *entry) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range e.pieces {
		if p.in.live -= p.length; p.in.live == 0 {
			w.files = slices.DeleteFunc(w.files, func(s *segment) bool { return s == p.in })
			p.in.Close() // only held rows, and nobody needs them
		}
	}
	e.pieces = nil
}

// writeTo writes the rows of an entry, which remain until drop.
func (w *waiting) writeTo(to io.Writer, e *entry) error {
	for _, p := range e.pieces {
		if _, err := io.Copy(to, io.NewSectionReader(p.in, p.offset, p.length)); err != nil {
			return err
		}
	}
	return nil
}

// unnamed is a temporary file that disappears with the process.
func unnamed(folder string) (disk.File, error) {
	f, err := os.CreateTemp(folder, "friendmigrate-export-*")
	if err != nil {
		return nil, fmt.Errorf("make a temporary file, in the folder that TMPDIR names: %w", err)
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
