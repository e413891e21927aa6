package stage

import "friendmigrate/migrate/codec"

// buffer holds the records of one partition from one goroutine.
type buffer struct {
	full    [][]byte // full pages
	page    []byte   // the one that is being filled
	state   pageState
	records int64 // in full and page
}

// spill partitions the records of one goroutine. When its pages take more than budget bytes, it
// moves all of them to the files. Other goroutines may write to the same files.
type spill struct {
	buffers []buffer
	files   []*rawFile
	budget  int64
	page    int // bytes of a full page
	batch   int // bytes of blocks written at once
	longest int // bytes of a record, about

	held   int64    // bytes of pages in use
	free   [][]byte // pages to be used again
	blocks []byte   // on their way to a file
}

const firstPage = 1 << 10 // a buffer begins small, so that a small job stays small

// addRecord appends a record to partition i.
func addRecord[T codec.Text](s *spill, i int, r *record[T]) error {
	b := &s.buffers[i]
	room := r.room()
	if room > s.longest {
		s.longest = room
	}
	if cap(b.page)-len(b.page) < room {
		if err := s.grow(b, room); err != nil {
			return err
		}
	}
	b.page = appendRecord(b.page, &b.state, r)
	b.records++
	return nil
}

// grow makes room bytes in the page of b.
func (s *spill) grow(b *buffer, room int) error {
	size := max(s.page, room)
	if c := cap(b.page); c < s.page && len(s.free) == 0 {
		size = max(firstPage, 4*c, len(b.page)+room)
		if size <= s.page && s.held+int64(size-c) <= s.budget {
			s.held += int64(size - c)
			b.page = append(make([]byte, 0, size), b.page...)
			return nil
		}
		size = max(s.page, room)
	}
	if s.held+int64(size) > s.budget {
		if err := s.flush(); err != nil {
			return err
		}
	} else {
		b.retire()
	}
	b.page = s.take(size)
	s.held += int64(cap(b.page))
	return nil
}

// retire adds the current page to the full ones.
func (b *buffer) retire() {
	if len(b.page) > 0 {
		b.full = append(b.full, b.page)
	}
	b.page, b.state = nil, pageState{}
}

func (s *spill) take(size int) []byte {
	if n := len(s.free); n > 0 && size <= s.page {
		p := s.free[n-1]
		s.free = s.free[:n-1]
		return p
	}
	return make([]byte, 0, size)
}

// flush moves everything to the files.
func (s *spill) flush() error {
	for i := range s.buffers {
		if err := s.flushBuffer(&s.buffers[i], s.files[i]); err != nil {
			return err
		}
	}
	s.held = 0
	return nil
}

func (s *spill) flushBuffer(b *buffer, f *rawFile) error {
	b.retire()
	raw := int64(0)
	for i, page := range b.full {
		s.blocks = appendBlock(s.blocks, page)
		raw += int64(len(page))
		if len(s.blocks) >= s.batch || i == len(b.full)-1 {
			if err := f.append(s.blocks, b.records, raw); err != nil {
				return err
			}
			s.blocks, b.records, raw = s.blocks[:0], 0, 0
		}
		if cap(page) == s.page {
			s.free = append(s.free, page[:0])
		}
	}
	clear(b.full)
	b.full = b.full[:0]
	return nil
}
