package export

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"friendmigrate/checkpoint"
	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/migrate"
	"friendmigrate/migrate/disk"
	"friendmigrate/sink/friendlist"
	"friendmigrate/source"
	"friendmigrate/source/accountlist"
)

// Export is one export. It may be interrupted and continued any number of times. Only At is safe
// for concurrent use.
type Export struct {
	*job.Job
	Accounts *accountlist.File
	Resumed  bool // an earlier process began it
	Finished bool // an earlier process finished it, so there is nothing to do

	folder string // DESTINATION.export; "" for a stream
	csv    bool
	output
}

// open begins the export, or continues the one at the destination after cutting off what an earlier
// process wrote but did not make durable. Call Close also after an error. Errors: ErrExists,
// ErrOther, checkpoint.ErrLocked, and those of the file system.
func (e *Export) open() error {
	destination := e.Set.Destination
	id := identity{SDKAppID: e.Set.SDKAppID, Target: e.Set.Target(), Accounts: e.Accounts.Digest, Format: e.Set.Format}
	if e.Accounts.Count > accountlist.MostSeen {
		id.Long = e.Accounts.Count
	}
	e.csv = e.Set.Format == source.CSV
	e.now, e.last = newPosition(id), time.Now()
	if destination == "" {
		return e.openStream()
	}
	e.folder = destination + folderSuffix
	e.waiting.folder = e.folder
	_, err := os.Lstat(destination) // opening a named pipe would wait
	there := err == nil
	if there || errors.Is(err, fs.ErrNotExist) {
		_, err = os.Lstat(filepath.Join(e.folder, positionName))
	}
	switch {
	case there && errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: %q", ErrExists, destination)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	}
	if e.lock, err = checkpoint.TryLock(e.folder); err != nil {
		return err
	}
	err = e.resume(id, there)
	e.Resumed, e.Finished = e.now.Done > 0, e.now.Finished
	return err
}

// resume continues the export of an earlier process, or begins a new one.
func (e *Export) resume(id identity, there bool) error {
	failures := filepath.Join(e.folder, "failed.csv")
	was, err := readPosition(e.folder)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case was.Finished && !there: // the user has moved the file away and wants a new one
	case was.identity != id:
		return fmt.Errorf("%w: %q was begun for other accounts, another app or another format", ErrOther,
			e.Set.Destination)
	case there && e.csv && !was.Finished && !was.Table: // the rows are elsewhere so far
		return fmt.Errorf("%w: %q", ErrExists, e.Set.Destination)
	case was.Finished:
		e.now = was
		e.failures, err = disk.Open(e.FS, failures)
		return err
	case was.Rows > 0 && !e.csv && !there:
		return fmt.Errorf("%w: %q is gone, of which %d bytes were written", errBroken, e.Set.Destination, was.Rows)
	default:
		e.now = was
	}
	if err := e.now.write(e.FS, e.folder); err != nil { // first: it shows that the destination is an export's
		return err
	}
	if e.failures, err = cutBack(e.FS, failures, e.now.Failures); err != nil {
		return err
	}
	if e.rows, err = cutBack(e.FS, e.rowsPath(), e.now.Rows); err != nil {
		return err
	}
	return e.begin(e.rows, e.rowsPath())
}

// rowsPath returns the path of the file that rows are written to first.
func (e *Export) rowsPath() string {
	if e.csv {
		return filepath.Join(e.folder, "rows.json")
	}
	return e.Set.Destination
}

// openStream opens standard output, which cannot be continued.
func (e *Export) openStream() (err error) {
	to := e.Std.Out
	if e.failures, err = unnamed(""); err == nil && e.csv {
		e.rows, err = unnamed("")
		to = e.rows
	}
	if err != nil {
		return err
	}
	if err := e.listFailed(); err != nil { // better now than after the last account
		return fmt.Errorf("make the list of accounts that cannot be read, in the working folder: %w", err)
	}
	return e.begin(to, "")
}

// FailedPath returns the path of the list of accounts that could not be read. "" is standard
// output.
func FailedPath(destination string) string {
	stem, _ := cutFormat(cmp.Or(destination, "export"))
	return stem + "-failed.csv"
}

// Run reads the remaining accounts and writes the list of failures, with the pace, patience, probe
// and meter of engine. The error is that of the engine, source.ErrNotCSV, or one of the disk. The
// accounts settled before an error of the engine are written, and in a file they are durable; after
// another error, those of the last step are.
func (e *Export) Run(ctx context.Context, pages func(from string) friendlist.Pages, engine migrate.Options) error {
	var err error
	if !e.Finished {
		err = e.read(ctx, pages, engine)
	}
	return errors.Join(err, e.listFailed())
}

func (e *Export) read(ctx context.Context, pages func(from string) friendlist.Pages, engine migrate.Options) error {
	f := &fetcher{pages: pages, out: e, states: map[int64]*state{}}
	done := settled{e.now.Before, slices.Clone(e.now.Bits)}
	_, stopped := migrate.Run(ctx, e.plan(context.WithoutCancel(ctx), done), f.Call, f, engine)
	if stop := (*migrate.StopError)(nil); errors.As(stopped, &stop) && stop.Reason == migrate.ReasonUnanswered {
		stopped = f.giveUp()
	}
	if err := e.step(); err != nil {
		return err // this error also stopped the engine
	}
	if stopped != nil {
		return stopped
	}
	// After a kill between these steps all rows are collected and durable, so the next run does the
	// rest.
	if e.Set.Format == source.CSV {
		if err := e.writeTable(); err != nil {
			return err
		}
	}
	return e.end()
}

// plan returns the accounts that are not done.
func (e *Export) plan(ctx context.Context, done settled) iter.Seq2[migrate.Roster, error] {
	return func(yield func(migrate.Roster, error) bool) {
		number := int64(0)
		for a, err := range e.Accounts.All(ctx) {
			if err != nil {
				yield(migrate.Roster{}, err)
				return
			}
			if !done.has(number) && !yield(roster(number, a), nil) {
				return
			}
			number++
		}
		if number != e.Accounts.Count {
			yield(migrate.Roster{}, fmt.Errorf("read accounts %q: the file has changed meanwhile", e.Accounts.Name))
		}
	}
}

// IntegerTags returns the custom fields that are integers. A CSV does not record that.
func (e *Export) IntegerTags() []string {
	tags := e.At().Tags
	return slices.DeleteFunc(slices.Sorted(maps.Keys(tags)), func(tag string) bool { return !tags[tag] })
}

// Close closes the files of the destination and releases its lock.
func (e *Export) Close() error {
	var errs []error
	for _, f := range []disk.File{e.rows, e.failures} {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	for _, f := range e.waiting.files {
		errs = append(errs, f.Close())
	}
	if e.lock != nil {
		errs = append(errs, e.lock.Release())
	}
	return errors.Join(errs...)
}

// identity is what two runs must have in common to be the same export: the app and its place, the
// accounts in their order, and the format.
type identity struct {
	SDKAppID uint64 `json:"sdkAppID"`
	Target   string `json:"target"`
	Accounts string `json:"accounts"` // digest of the file
	Format   string `json:"format"`

	// accounts of a long list: versions differ in which repetitions they skip there; 0: a short one
	Long int64 `json:"longList,omitempty"`
}

// ErrOther is the error of a destination that another export has begun.
var ErrOther = errors.New("the destination belongs to another export")

// ErrExists is the error of a destination that no export has begun.
var ErrExists = errors.New("the destination is there already")

// errBroken is the error of an export of which files are gone or damaged.
var errBroken = errors.New("the export cannot be continued")

// Position is the progress of an export. It is kept in a file that is replaced atomically.
type Position struct {
	Version int `json:"version"`
	identity
	settled
	Done     int64            `json:"accountsDone"`
	Rows     int64            `json:"rowBytes"`    // bytes of the file that rows are written to
	Failures int64            `json:"failedBytes"` // bytes of the list of failures
	Failed   int64            `json:"accountsFailed"`
	Doubtful int64            `json:"accountsShort,omitempty"` // in accountsFailed, but exported
	Edges    int64            `json:"edges"`
	Bare     int64            `json:"edgesWithoutAddSource"`
	Tags     map[string]bool  `json:"customFields"`                // and whether they are integers
	Other    map[string]int64 `json:"valuesNotExported,omitempty"` // by tag
	Table    bool             `json:"tableBegun,omitempty"`        // a CSV at the destination is this export's
	Finished bool             `json:"finished"`
}

const (
	positionVersion = 2
	positionName    = "position.json"
	folderSuffix    = ".export" // of the folder beside the destination
)

func newPosition(id identity) Position {
	return Position{Version: positionVersion, identity: id, Tags: map[string]bool{},
		Other: map[string]int64{}}
}

// Unread returns how many accounts could not be read.
func (p *Position) Unread() int64 { return p.Failed - p.Doubtful }

// readPosition reads the progress of an export. The error is fs.ErrNotExist if none has begun.
func readPosition(folder string) (p Position, err error) {
	name := filepath.Join(folder, positionName)
	content, err := os.ReadFile(name)
	if err != nil {
		return p, err
	}
	p = newPosition(identity{})
	p.Version = 0
	if err := json.Unmarshal(content, &p); err != nil {
		return p, fmt.Errorf("%w: read %q: %w", errBroken, name, err)
	}
	if p.Version != positionVersion {
		return p, fmt.Errorf("%w: %q is of version %d, which this program does not know", errBroken, name, p.Version)
	}
	return p, nil
}

func (p *Position) write(fsys disk.FS, folder string) error {
	return disk.WriteWhole(fsys, filepath.Join(folder, positionName),
		func(w io.Writer) error { return json.NewEncoder(w).Encode(p) })
}

// take counts an entry in the position.
func (p *Position) take(e *entry, csv bool) error {
	for tag, integer := range e.tags {
		if is, known := p.Tags[tag]; csv && known && is != integer {
			return mixed(tag)
		}
		p.Tags[tag] = p.Tags[tag] || integer
	}
	p.add(e.number)
	p.Done++
	p.Edges += e.edges
	p.Bare += e.bare
	for tag, n := range e.other {
		p.Other[tag] += n
	}
	if e.failed || e.doubtful {
		p.Failed++
	}
	if e.doubtful {
		p.Doubtful++
	}
	return nil
}

// cutBack opens a file or makes it, and truncates it to length to continue there.
func cutBack(fsys disk.FS, name string, length int64) (disk.File, error) {
	f, err := fsys.OpenFile(name, os.O_RDWR|os.O_CREATE, disk.FileMode)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && info.Size() < length {
		err = fmt.Errorf("%w: %q has %d bytes, fewer than the %d that were written", errBroken, name, info.Size(),
			length)
	}
	if err == nil {
		err = f.Truncate(length)
	}
	if err == nil {
		_, err = f.Seek(length, io.SeekStart)
	}
	if err == nil {
		err = fsys.SyncDir(filepath.Dir(name))
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
