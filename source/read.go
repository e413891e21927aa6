package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"friendmigrate/migrate"
)

// reading reads the rows of all inputs. One goroutine reads, digests, unpacks and finds records;
// the parsers do the rest in parallel.
type reading struct {
	request Request
	rules   *rules
	opener  opener
	lists   *lists
	owns    func(from string) bool // stage.Writer.Owns; tests replace it
	lane    func(i int) lane       // stage.Writer.Lane; tests replace it

	parsers, buffers int
	size, limit      int // of a block, of a record

	counts    Counts
	first     block    // of an input, while its header is looked for
	headers   int      // of CSVs
	tags      []string // of their custom columns
	emptiness string   // why the last input without a row has none
}

func newReading(r Request, l *lists, owns func(from string) bool, lane func(i int) lane) *reading {
	const least, most = 8 << 20, 512 << 20 // of history that zstd may need; the zstd command allows 128 MiB
	return &reading{
		request: r, rules: r.Options.rules(), lists: l, owns: owns, lane: lane,
		parsers: r.Lanes, buffers: r.buffers(), size: blockSize, limit: recordLimit,
		opener: opener{fs: r.FS, stdin: r.Stdin, objects: r.Objects, window: min(max(r.Memory/4, least), most),
			progress: new(readProgress)},
	}
}

// run reads all inputs. All its goroutines have ended when it returns, except one that may be
// waiting for standard input.
func (r *reading) run(ctx context.Context) (Counts, error) {
	defer r.opener.progress.watch(r.request.Waits)()
	ofHeaders := newTally()
	free, full := make(chan *block, r.buffers), make(chan *block) // blocks to fill, and blocks to parse
	for range r.buffers {
		free <- new(block)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(full)
		return migrate.Guard(func() error {
			for i := range r.request.Inputs {
				if err := r.readInput(ctx, i, free, full, &ofHeaders); err != nil {
					return err
				}
			}
			return nil
		})
	})
	tallies := []*tally{&ofHeaders}
	for i := range r.parsers {
		p := &parser{lane: r.lane(i), owns: r.owns, lists: r.lists, limit: r.limit, valid: validator{rules: r.rules},
			tally: newTally()}
		tallies = append(tallies, &p.tally)
		group.Go(func() error {
			return migrate.Guard(func() error { return r.parse(ctx, p, free, full) })
		})
	}
	if err := group.Wait(); err != nil {
		return Counts{}, err
	}
	if empty := (*EmptyError)(nil); errors.As(r.counts.CheckEmpty(r.request.Options), &empty) {
		empty.Why = r.emptiness
		return Counts{}, empty
	}
	r.counts.add(tallies)
	if err := r.checkMap(tallies); err != nil {
		return Counts{}, err
	}
	r.show()
	return r.counts, nil
}

func (r *reading) readInput(ctx context.Context, index int, free chan *block, full chan<- *block,
	ofHeaders *tally) error {
	in, err := r.opener.open(ctx, r.request.Inputs[index], r.request.Options.format())
	if err != nil {
		return err
	}
	defer in.close()
	if err := in.sniff(r.rules); err != nil {
		return in.fault(err)
	}
	l := &layout{name: in.Name, index: index, format: in.Format, packed: in.packed}
	blocks := newBlockReader(in.content, l, r.size, r.limit)
	header, err := blocks.header(&r.first)
	if err != nil {
		return in.fault(err)
	}
	if header != nil {
		if err := l.readHeader(header, blocks.headerLine, r.rules); err != nil {
			return err
		}
		for _, name := range l.ignored {
			ofHeaders.ignore(name)
		}
		for _, c := range l.custom {
			r.tags = append(r.tags, c.tag)
		}
		r.headers++
	}
	if index == len(r.request.Inputs)-1 {
		if err := r.checkTags(); err != nil {
			return err
		}
	}
	if err := r.passBlocks(ctx, blocks, free, full); err != nil {
		return in.fault(err)
	}
	if err := in.finish(); err != nil {
		return err
	}
	r.counts.Inputs = append(r.counts.Inputs, in.Input)
	if !blocks.rows {
		r.counts.Empty = append(r.counts.Empty, in.Name)
		r.emptiness = blocks.emptiness(header)
	}
	return nil
}

// passBlocks passes the blocks of one input to the parsers. The block into which nothing could be
// read goes back to free, because the next input needs it.
func (r *reading) passBlocks(ctx context.Context, reader *blockReader, free chan *block, full chan<- *block) error {
	waitInput, waitStage := r.opener.progress.waits.Load(), "the rows that were read to be written to the state folder"
	for {
		r.opener.progress.waitsFor(waitStage)
		var b *block
		select {
		case b = <-free:
		case <-ctx.Done():
			return ctx.Err()
		}
		r.opener.progress.waits.Store(waitInput)
		if err := reader.next(b); err == io.EOF {
			free <- b
			return nil
		} else if err != nil {
			return err
		}
		r.opener.progress.waitsFor(waitStage)
		select {
		case full <- b:
		case <-ctx.Done():
			return ctx.Err()
		}
		r.show()
	}
}

func (r *reading) show() {
	if r.request.Progress != nil {
		r.request.Progress(r.opener.progress.bytes.Load(), r.request.total, r.opener.progress.rows.Load())
	}
}

// standstillAfter is how long nothing may be read before watch reports what reading waits for.
const standstillAfter = time.Minute

// readProgress is how far reading has come. The reading goroutines write it, others read it.
type readProgress struct {
	bytes, rows atomic.Int64
	waits       atomic.Pointer[string] // what the next step waits for
}

// waitsFor sets what the next step waits for.
func (s *readProgress) waitsFor(what string) { s.waits.Store(&what) }

// watch calls tell once whenever nothing was read for a minute. stop ends its goroutine.
func (s *readProgress) watch(tell func(message string)) (stop func()) {
	if tell == nil {
		return func() {}
	}
	quit := make(chan struct{})
	var ended sync.WaitGroup
	ended.Go(func() {
		tick := time.NewTicker(standstillAfter / 12)
		defer tick.Stop()
		last, since, told := s.bytes.Load()+s.rows.Load(), time.Now(), false
		for {
			select {
			case <-quit:
				return
			case now := <-tick.C:
				if sum := s.bytes.Load() + s.rows.Load(); sum != last {
					last, since, told = sum, now, false
				}
				if what := s.waits.Load(); !told && what != nil && now.Sub(since) >= standstillAfter {
					told = true
					tell(fmt.Sprintf("nothing was read for %d s: waiting for %s", int(standstillAfter.Seconds()),
						*what))
				}
			}
		}
	})
	return func() {
		close(quit)
		ended.Wait()
	}
}
