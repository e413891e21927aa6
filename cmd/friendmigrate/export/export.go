package export

import (
	"context"
	"errors"
	"fmt"
	"friendmigrate/source/accountlist"
	"io"
	"iter"
	"maps"
	"path/filepath"
	"slices"

	"friendmigrate/migrate"
	"friendmigrate/migrate/disk"
	"friendmigrate/sink/friendlist"
	"friendmigrate/source"
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
	Temporary   string // folder for temporary files; "": the system's
	Memory      int64  // of what waits for its turn; the rest of the engine's memory is in its options
}

// Export is one export, from its beginning over any number of interruptions to its end. It belongs
// to one goroutine, but for At.
type Export struct {
	Options
	out *output

	Resumed  bool // an earlier process has begun it
	Finished bool // an earlier process has finished it: there is nothing to do
}

// Open begins an export, or goes on with the one that was begun at the destination. Errors:
// ErrExists, ErrOther, checkpoint.ErrLocked, and those of the file system.
func Open(o Options) (*Export, error) {
	out, err := openOutput(&o, Identity{SDKAppID: o.SDKAppID, Target: o.Target, Accounts: o.Accounts.Digest,
		Format: o.Format})
	if err != nil {
		return nil, err
	}
	return &Export{Options: o, out: out, Resumed: out.now.Accounts > 0, Finished: out.now.Finished}, nil
}

// Standing is how far an export is.
type Standing struct {
	Accounts, Done, Failed int64
	Edges                  int64
	Bare                   int64 // of those, edges without AddSource
	Short                  int64 // of Failed: exported, but FriendNum says another number
}

// At tells how far it is. Any goroutine may call it.
func (e *Export) At() Standing {
	p := e.out.at()
	return Standing{
		Accounts: e.Accounts.Count, Done: p.Accounts, Failed: p.Failed, Edges: p.Edges, Bare: p.Bare, Short: p.Short,
	}
}

// FailedPath is where the list of accounts lies that could not be read.
func FailedPath(destination string) string {
	return filepath.Join(filepath.Dir(destination), FailedList)
}

// RestoreFailed writes the list of a finished export again if it is gone.
func (e *Export) RestoreFailed() error {
	if there, err := exists(FailedPath(e.Destination)); there || err != nil {
		return err
	}
	return e.out.listFailed(FailedPath(e.Destination))
}

// Run reads the accounts that are still to be read. engine says how: pace, patience, probe and
// meter. The error is that of the engine, a *RefusedError, or one of the disk; whatever it is, what
// came before it in order is written, and durable where it can be gone on with.
func (e *Export) Run(ctx context.Context, pages func(from string) friendlist.Pages, engine migrate.Options) error {
	if e.Finished {
		return nil
	}
	first := e.out.now.Accounts
	seq := newSequence(first, e.Memory, e.temporary())
	f := &fetcher{pages: pages, seq: seq, csv: e.Format == source.CSV, states: map[int64]*state{}}
	engine.CallBytes, engine.EdgeBytes, engine.Envelope = 1, func(*migrate.Edge) int { return 0 }, 0
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	written := make(chan error, 1)
	go func() {
		err := migrate.Guard(func() error { return e.writeAll(seq) })
		if err != nil {
			cancel(err)
		}
		written <- err
	}()
	begun := first
	_, stopped := migrate.Run(ctx, e.plan(context.WithoutCancel(ctx), first, &begun), f, f, engine)
	if stop := (*migrate.StopError)(nil); errors.As(stopped, &stop) && stop.Reason == migrate.ReasonUnanswered {
		stopped = e.settleSilent(context.WithoutCancel(ctx), f, first, begun)
	}
	seq.finish()
	writeErr := <-written
	if writeErr == nil {
		writeErr = e.out.step()
	}
	if writeErr != nil {
		stopped = writeErr // the cause of the other one, if there is one
	}
	if stopped == nil {
		stopped = e.finish()
	}
	return errors.Join(stopped, e.out.listFailed(FailedPath(e.Destination)), seq.close())
}

// temporary is where what waits for its turn may lie.
func (e *Export) temporary() string {
	if e.Temporary == "" && e.Destination != "" {
		return e.out.folder
	}
	return e.Temporary
}

// plan is the accounts from number first on.
func (e *Export) plan(ctx context.Context, first int64, begun *int64) iter.Seq2[migrate.Roster, error] {
	return func(yield func(migrate.Roster, error) bool) {
		number := int64(0)
		for a, err := range e.Accounts.All(ctx) {
			if err != nil {
				yield(migrate.Roster{}, err)
				return
			}
			if number >= first {
				*begun = number + 1
				if !yield(roster(number, a), nil) {
					return
				}
			}
			number++
		}
		if number != e.Accounts.Count {
			yield(migrate.Roster{}, fmt.Errorf("read accounts %q: the file has changed meanwhile", e.Accounts.Name))
		}
	}
}

// settleSilent lists the accounts as failed for which no call ever got an answer though others did.
func (e *Export) settleSilent(ctx context.Context, f *fetcher, first, begun int64) error {
	number := int64(0)
	for a, err := range e.Accounts.All(ctx) {
		if err != nil {
			return err
		}
		if number >= first && number < begun && !f.seq.has(number) {
			f.seq.settle(&entry{number: number, failed: &Failure{Account: a, Info: f.lastWord(number)}})
		}
		number++
	}
	return nil
}

// writeAll writes what comes in order until nothing more does.
func (e *Export) writeAll(seq *sequence) error {
	for {
		entry, ok := seq.take()
		if !ok {
			return nil
		}
		if err := e.out.write(seq, entry, seq.waiting()); err != nil {
			return err
		}
	}
}

// finish ends an export that is complete. Dying between these steps leaves all rows collected and
// durable, and the next run does the rest again.
func (e *Export) finish() error {
	if e.Format == source.CSV {
		if err := e.out.writeTable(e.Stream); err != nil {
			return err
		}
	}
	if e.Destination == "" {
		return nil
	}
	if err := e.out.end(); err != nil {
		return err
	}
	return e.out.forgetRows()
}

// IntegerTags lists the custom fields that are integers, which a CSV does not say by itself.
func (e *Export) IntegerTags() []string {
	tags := e.out.at().Tags
	return slices.DeleteFunc(slices.Sorted(maps.Keys(tags)), func(tag string) bool { return !tags[tag] })
}

// Other counts the values, by tag, that an edge has no place for. It is called after Run.
func (e *Export) Other() map[string]int64 { return e.out.at().Other }

// Close gives the destination back.
func (e *Export) Close() error { return e.out.close() }
