// Package spool sorts rows in bounded memory, with a temporary file if there are many.
//
// The order does not depend on which goroutine added a row first. The package never keeps a file:
// Close removes it, and a file left by a crash is never read.
package spool

import (
	"bufio"
	"bytes"
	"cmp"
	"container/heap"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"slices"
	"sync"

	"friendmigrate/migrate"
	"friendmigrate/migrate/disk"
)

// Spool collects rows in any order and returns them sorted by position, and rows of one position by
// their bytes. It holds a bounded part in memory. The rest is in one temporary file as sorted runs.
// Where there are many, Rows merges them into longer ones first, which takes about as much room
// again.
type Spool struct {
	fs     disk.FS
	path   string
	memory int

	mu      sync.Mutex // guards what follows
	arena   []byte
	entries []entry
	file    disk.File // nil while all is in memory
	written int64
	runs    []run
	longest int   // row, in bytes
	err     error // the first; final
}

type entry struct {
	migrate.Position
	from, to int // in the arena
}

// entrySize is the size of an entry in bytes.
const entrySize = 32

// run is the place of a sorted run in the file.
type run struct{ offset, length int64 }

// Runs that are merged at once: as many as have room in the memory with their longest row, within
// these bounds. Fewer would move the rows too often, and more would not be faster.
const (
	fewestRuns = 16
	mostRuns   = 64
)

// Row is a row and its position.
type Row struct {
	migrate.Position
	Data []byte // valid until the next row
}

// New returns a spool that holds about memory bytes (at least one row). path is its temporary file,
// which is created when it is needed. New removes a file that an earlier process left, because it
// holds personal data; if that fails, Add returns the error.
func New(fsys disk.FS, path string, memory int64) *Spool {
	s := &Spool{fs: fsys, path: path, memory: int(max(memory, 64<<10))}
	if err := fsys.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		s.err = err
	}
	return s
}

// Add takes a copy of a row. It is safe for concurrent use.
func (s *Spool) Add(at migrate.Position, data []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil && len(s.entries) > 0 && len(s.arena)+len(data)+(len(s.entries)+1)*entrySize > s.memory {
		s.err = s.spill()
	}
	if s.err != nil {
		return s.err
	}
	from := len(s.arena)
	s.arena = append(s.arena, data...)
	s.entries = append(s.entries, entry{at, from, len(s.arena)})
	s.longest = max(s.longest, len(data))
	return nil
}

func (s *Spool) sort() {
	slices.SortFunc(s.entries, func(a, b entry) int {
		return compareRows(Row{a.Position, s.arena[a.from:a.to]}, Row{b.Position, s.arena[b.from:b.to]})
	})
}

func compareRows(a, b Row) int {
	if at := cmp.Or(cmp.Compare(a.Input, b.Input), cmp.Compare(a.Line, b.Line)); at != 0 {
		return at
	}
	return bytes.Compare(a.Data, b.Data) // rarely needed
}

// spill writes the rows in memory as one run.
func (s *Spool) spill() (err error) {
	if s.file == nil {
		if s.file, err = s.fs.OpenFile(s.path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, disk.FileMode); err != nil {
			return fmt.Errorf("spool list: %w", err)
		}
	}
	if err := s.writeRun(s.inMemory().merge(context.Background())); err != nil {
		return err
	}
	s.arena, s.entries = s.arena[:0], s.entries[:0]
	return nil
}

// writeRun writes sorted rows to the file as one run.
func (s *Spool) writeRun(rows iter.Seq2[Row, error]) error {
	w := bufio.NewWriterSize(s.file, 64<<10)
	var head []byte
	r := run{offset: s.written}
	for row, err := range rows {
		if err != nil {
			s.written += r.length - int64(w.Buffered()) // of a run that nobody reads
			return err
		}
		head = binary.AppendVarint(head[:0], int64(row.Input))
		head = binary.AppendVarint(head, row.Line)
		head = binary.AppendUvarint(head, uint64(len(row.Data)))
		w.Write(head) // bufio keeps the error for Flush
		w.Write(row.Data)
		r.length += int64(len(head) + len(row.Data))
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("spool list: %w", err)
	}
	s.written += r.length
	s.runs = append(s.runs, r)
	return nil
}

// Rows yields all rows in order. It may be called several times. Nothing may be added meanwhile. If
// ctx ends, it yields the cause.
func (s *Spool) Rows(ctx context.Context) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		s.mu.Lock()
		defer s.mu.Unlock()
		most := min(max(s.memory/(s.longest+4<<10), fewestRuns), mostRuns)
		for s.err == nil && len(s.runs) > most {
			first := s.runs[:min(most, len(s.runs)-most+1)]
			err := s.writeRun(s.onDisk(first).merge(ctx))
			if err != nil && ctx.Err() != nil {
				yield(Row{}, err)
				return
			}
			s.err, s.runs = err, s.runs[len(first):]
		}
		if s.err != nil {
			yield(Row{}, s.err)
			return
		}
		append(s.onDisk(s.runs), s.inMemory()...).merge(ctx)(yield)
	}
}

func (s *Spool) inMemory() streams {
	s.sort()
	return streams{{memory: s.entries, arena: s.arena}}
}

func (s *Spool) onDisk(runs []run) (list streams) {
	buffer := max(4<<10, min(64<<10, s.memory/(len(runs)+1)))
	for _, run := range runs {
		r := bufio.NewReaderSize(io.NewSectionReader(s.file, run.offset, run.length), buffer)
		list = append(list, &stream{reader: r})
	}
	return list
}

// stream reads one sorted run, on disk or in memory.
type stream struct {
	now    Row
	reader *bufio.Reader // nil: in memory
	data   []byte        // of now, reused
	memory []entry
	arena  []byte
}

// next reads the next row into now. It returns io.EOF at the end of the run.
func (r *stream) next() error {
	if r.reader == nil {
		if len(r.memory) == 0 {
			return io.EOF
		}
		e := r.memory[0]
		r.memory = r.memory[1:]
		r.now = Row{e.Position, r.arena[e.from:e.to]}
		return nil
	}
	input, err := binary.ReadVarint(r.reader)
	if err != nil {
		return err
	}
	line, err1 := binary.ReadVarint(r.reader)
	length, err2 := binary.ReadUvarint(r.reader)
	if err1 != nil || err2 != nil {
		return io.ErrUnexpectedEOF
	}
	r.data = slices.Grow(r.data[:0], int(length))[:length]
	r.now = Row{migrate.Position{Input: int(input), Line: line}, r.data}
	if _, err := io.ReadFull(r.reader, r.data); err != nil {
		return io.ErrUnexpectedEOF
	}
	return nil
}

// streams is a heap with the least row on top.
type streams []*stream

func (h streams) Len() int           { return len(h) }
func (h streams) Less(i, j int) bool { return compareRows(h[i].now, h[j].now) < 0 }
func (h streams) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *streams) Push(x any)        { *h = append(*h, x.(*stream)) }
func (h *streams) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}

// merge yields the rows of all streams in order. It can be called once.
func (h streams) merge(ctx context.Context) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		live := make(streams, 0, len(h))
		for _, source := range h {
			switch err := source.next(); err {
			case nil:
				live = append(live, source)
			case io.EOF:
			default:
				yield(Row{}, fmt.Errorf("read spooled list: %w", err))
				return
			}
		}
		heap.Init(&live)
		for len(live) > 0 {
			if err := context.Cause(ctx); err != nil {
				yield(Row{}, err)
				return
			}
			if !yield(live[0].now, nil) {
				return
			}
			switch err := live[0].next(); err {
			case nil:
				heap.Fix(&live, 0)
			case io.EOF:
				heap.Pop(&live)
			default:
				yield(Row{}, fmt.Errorf("read spooled list: %w", err))
				return
			}
		}
	}
}

// Close removes the temporary file.
func (s *Spool) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.arena, s.entries, s.runs = nil, nil, nil
	if s.err == nil {
		s.err = os.ErrClosed
	}
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	s.file = nil
	if removed := s.fs.Remove(s.path); err == nil {
		err = removed
	}
	return err
}
