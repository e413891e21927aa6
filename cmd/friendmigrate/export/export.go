package export

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"path/filepath"
	"slices"

	"friendmigrate/migrate"
	"friendmigrate/migrate/disk"
	"friendmigrate/sink/friendlist"
	"friendmigrate/source"
	"friendmigrate/source/accountlist"
)

// Options say what is exported and to where.
type Options struct {
	FS          disk.FS
	Accounts    *accountlist.File
	Destination string // a file; "": Stream
	Stream      io.Writer
	Format      string // source.CSV or source.JSONL
	SDKAppID    uint64
	Target      string
	Memory      int64 // of rows that wait for their turn; the rest of the memory is the engine's
}

// Export is one export, from its beginning over any number of interruptions to its end. It belongs
// to one goroutine, except At.
type Export struct {
	Options
	out *output

	Resumed  bool // an earlier process has begun it
	Finished bool // an earlier process has finished it: there is nothing to do
}

// Open begins an export, or continues the one that was begun at the destination. Errors: ErrExists,
// ErrOther, checkpoint.ErrLocked, and those of the file system.
func Open(o Options) (*Export, error) {
	out, err := openOutput(&o)
	if err != nil {
		return nil, err
	}
	return &Export{Options: o, out: out, Resumed: out.now.Done > 0, Finished: out.now.Finished}, nil
}

// At tells how far it is. Any goroutine may call it.
func (e *Export) At() Position { return e.out.at() }

// FailedPath is the list of the accounts that could not be read.
func FailedPath(destination string) string {
	return filepath.Join(filepath.Dir(destination), "export-failed.csv")
}

// Run reads the accounts that are still to be read, and writes the list of failures. engine says
// how: pace, patience, probe and meter. The error is that of the engine, source.ErrNotCSV, or one
// of the disk. Whatever it is, the accounts before it are written, and durable in a file.
func (e *Export) Run(ctx context.Context, pages func(from string) friendlist.Pages, engine migrate.Options) error {
	var err error
	if !e.Finished {
		err = e.read(ctx, pages, engine)
	}
	return errors.Join(err, e.out.listFailed(FailedPath(e.Destination)))
}

func (e *Export) read(ctx context.Context, pages func(from string) friendlist.Pages, engine migrate.Options) error {
	f := &fetcher{pages: pages, out: e.out, states: map[int64]*state{}}
	engine.CallBytes, engine.EdgeBytes, engine.Envelope = 1, func(*migrate.Edge) int { return 0 }, 0
	_, stopped := migrate.Run(ctx, e.plan(context.WithoutCancel(ctx), e.out.now.Done), f, f, engine)
	if stop := (*migrate.StopError)(nil); errors.As(stopped, &stop) && stop.Reason == migrate.ReasonUnanswered {
		stopped = f.giveUp()
	}
	if err := e.out.step(); err != nil {
		return err // it has stopped the engine, too
	}
	if stopped != nil {
		return stopped
	}
	// Dying between these steps leaves all rows collected and durable: the next run does the rest.
	if e.Format == source.CSV {
		if err := e.out.writeTable(e.Stream); err != nil {
			return err
		}
	}
	return e.out.end()
}

// plan is the accounts from number first on.
func (e *Export) plan(ctx context.Context, first int64) iter.Seq2[migrate.Roster, error] {
	return func(yield func(migrate.Roster, error) bool) {
		number := int64(0)
		for a, err := range e.Accounts.All(ctx) {
			if err != nil {
				yield(migrate.Roster{}, err)
				return
			}
			if number >= first && !yield(roster(number, a), nil) {
				return
			}
			number++
		}
		if number != e.Accounts.Count {
			yield(migrate.Roster{}, fmt.Errorf("read accounts %q: the file has changed meanwhile", e.Accounts.Name))
		}
	}
}

// IntegerTags lists the custom fields that are integers, which a CSV does not say by itself.
func (e *Export) IntegerTags() []string {
	tags := e.At().Tags
	return slices.DeleteFunc(slices.Sorted(maps.Keys(tags)), func(tag string) bool { return !tags[tag] })
}

// Close gives the destination back.
func (e *Export) Close() error { return e.out.close() }
