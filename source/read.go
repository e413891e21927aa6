package source

import (
	"context"
	"errors"
	"io"

	"golang.org/x/sync/errgroup"

	"friendmigrate/migrate"
)

// reading reads the rows of all inputs: one goroutine reads, digests, unpacks and cuts, the parsers
// do the rest side by side.
type reading struct {
	names   []string
	options Options
	rules   *rules
	place   place
	lists   *lists
	owns    func(from string) bool
	lane    func(i int) lane

	lanes    int
	buffers  int
	size     int // of a block
	limit    int // of a record
	progress func(bytesRead, bytesTotal, rows int64)
	waits    func(message string)

	total  int64 // bytes of all inputs; 0: not known
	counts Counts
	first  block // of an input, while its header is looked for

	headers int      // of CSVs
	tags    []string // of their custom columns

	emptiness string // why the last input without a row has none
}

func newReading(j Job, l *lists, owns func(from string) bool, to func(i int) lane) *reading {
	const least, most = 8 << 20, 512 << 20 // of history that zstd may ask for; its own command stops at 128 MiB
	return &reading{
		names: j.Inputs, options: j.Options, rules: j.Options.rules(), lists: l, owns: owns, lane: to,
		lanes: j.Lanes, buffers: j.buffers(), size: blockSize, limit: recordLimit, progress: j.Progress, waits: j.Waits,
		total: j.total,
		place: place{fs: j.FS, stdin: j.Stdin, objects: j.Objects, window: min(max(j.Memory/4, least), most),
			stands: new(standing)},
	}
}

// run reads everything. All goroutines have ended when it returns, but for one that may wait for
// standard input.
func (r *reading) run(ctx context.Context) (Counts, error) {
	r.counts = Counts{}
	defer r.place.stands.watch(r.waits)()
	ignored := newTally()
	free, full := make(chan *block, r.buffers), make(chan *block)
	for range r.buffers {
		free <- new(block)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(full)
		return migrate.Guard(func() error { return r.feed(ctx, free, full, &ignored) })
	})
	tallies := []*tally{&ignored}
	for i := range r.lanes {
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
	if empty := (*EmptyError)(nil); errors.As(r.counts.CheckEmpty(r.options), &empty) {
		empty.Why = r.emptiness
		return Counts{}, empty
	}
	r.counts.add(tallies)
	if err := r.checkMap(tallies); err != nil {
		return Counts{}, err
	}
	if r.progress != nil {
		r.progress(r.place.stands.bytes.Load(), r.total, r.place.stands.rows.Load())
	}
	return r.counts, nil
}

// totalSize is what there is to read, 0 if one of the inputs doesn't say.
func totalSize(inputs []Found) int64 {
	var total int64
	for _, in := range inputs {
		if in.Size < 0 {
			return 0
		}
		total += in.Size
	}
	return total
}

func (r *reading) feed(ctx context.Context, free chan *block, full chan<- *block, ignored *tally) error {
	for i := range r.names {
		if err := r.input(ctx, i, free, full, ignored); err != nil {
			return err
		}
	}
	return nil
}

// input feeds the blocks of one input.
func (r *reading) input(ctx context.Context, index int, free chan *block, full chan<- *block, ignored *tally) error {
	in, err := r.place.open(ctx, r.names[index], r.options.format())
	if err != nil {
		return err
	}
	defer in.close()
	if err := in.sniff(r.rules); err != nil {
		return r.fault(in, err)
	}
	l := &layout{name: in.Name, index: index, format: in.Format, packed: in.packed}
	cutter := newBlockReader(in.content, l, r.size, r.limit)
	header, err := cutter.begin(&r.first)
	if err != nil {
		return r.fault(in, err)
	}
	if header != nil {
		if err := l.readHeader(header, cutter.headerLine, r.rules); err != nil {
			return err
		}
		for _, name := range l.ignored {
			ignored.ignore(name)
		}
		for _, c := range l.custom {
			r.tags = append(r.tags, c.tag)
		}
		r.headers++
	}
	if index == len(r.names)-1 {
		if err := r.checkTags(); err != nil {
			return err
		}
	}
	if err := r.blocks(ctx, cutter, free, full); err != nil {
		return r.fault(in, err)
	}
	if err := in.finish(); err != nil {
		return err
	}
	r.counts.Inputs = append(r.counts.Inputs, in.Input)
	if !cutter.rows {
		r.counts.Empty = append(r.counts.Empty, in.Name)
		r.emptiness = cutter.emptiness(header)
	}
	return nil
}

func (r *reading) fault(in *openInput, err error) error {
	if errors.As(err, new(*InputError)) {
		return err
	}
	return in.fault(err)
}

// blocks feeds the blocks of one input. The block that finds its end goes back to the free ones:
// the next input needs it.
func (r *reading) blocks(ctx context.Context, cutter *blockReader, free chan *block, full chan<- *block) error {
	input, rows := r.place.stands.waits.Load(), "the rows that were read to be written to the state folder"
	for {
		r.place.stands.waitsFor(rows)
		var b *block
		select {
		case b = <-free:
		case <-ctx.Done():
			return ctx.Err()
		}
		r.place.stands.waits.Store(input)
		if err := cutter.next(b); err == io.EOF {
			free <- b
			return nil
		} else if err != nil {
			return err
		}
		r.place.stands.waitsFor(rows)
		select {
		case full <- b:
		case <-ctx.Done():
			return ctx.Err()
		}
		if r.progress != nil {
			r.progress(r.place.stands.bytes.Load(), r.total, r.place.stands.rows.Load())
		}
	}
}

// parse takes blocks until there are no more.
func (r *reading) parse(ctx context.Context, p *parser, free chan<- *block, full <-chan *block) error {
	csvs, jsonls := &csvParser{parser: p}, &jsonlParser{parser: p, rules: r.rules}
	for b := range full {
		if err := ctx.Err(); err != nil {
			return err
		}
		p.many = 0
		before := p.tally.Rows
		take := csvs.block
		if b.layout.format == JSONL {
			take = jsonls.block
		}
		if err := take(b); err != nil {
			return err
		}
		r.place.stands.rows.Add(p.tally.Rows - before)
		free <- b
	}
	return nil
}
