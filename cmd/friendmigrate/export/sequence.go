package export

import (
	"errors"
	"friendmigrate/source/accountlist"
	"io"
	"os"
	"sync"

	"friendmigrate/migrate/disk"
)

// sequence puts what was read in any order back into the order of the accounts. Memory is held up
// to a limit over all accounts; beyond it pages go to a temporary file, which has no name any more
// while it is in use, so that nothing of it outlives the process.
type sequence struct {
	most int64
	dir  string // for the temporary file

	mu     sync.Mutex // guards what follows
	change sync.Cond
	next   int64 // whose turn it is
	ready  map[int64]*entry
	closed bool
	held   int64 // bytes in memory
	spill  disk.File
	end    int64 // of the temporary file
	live   int64 // bytes in it that are still needed
}

// entry is what became of one account: its rows, or why there are none.
type entry struct {
	number int64 // in the file, from 0
	edges  int64
	bare   int64            // of those, edges without AddSource
	tags   map[string]bool  // custom fields, and whether they are integers
	other  map[string]int64 // values of tags that an edge has no place for
	short  string           // what is wrong with the number of its friends
	parts  []piece
	failed *Failure
}

// piece is a part of an entry's rows.
type piece struct {
	data   []byte // nil: in the temporary file
	offset int64
	length int64
}

// Failure is an account that could not be read.
type Failure struct {
	Account accountlist.Account
	Code    int
	Info    string
}

func newSequence(first, most int64, dir string) *sequence {
	s := &sequence{most: most, dir: dir, next: first, ready: map[int64]*entry{}}
	s.change.L = &s.mu
	return s
}

// add keeps a copy of some rows of an entry.
func (s *sequence) add(e *entry, rows []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := int64(len(rows))
	if s.held+n <= s.most {
		s.held += n
		e.parts = append(e.parts, piece{data: append([]byte(nil), rows...), length: n})
		return nil
	}
	if err := s.openSpill(); err != nil {
		return err
	}
	if _, err := s.spill.Seek(s.end, io.SeekStart); err != nil {
		return err
	}
	if _, err := s.spill.Write(rows); err != nil {
		return err
	}
	e.parts = append(e.parts, piece{offset: s.end, length: n})
	s.end += n
	s.live += n
	return nil
}

func (s *sequence) openSpill() error {
	if s.spill != nil {
		return nil
	}
	f, err := unnamed(s.dir)
	s.spill = f
	return err
}

// drop forgets the rows of an entry.
func (s *sequence) drop(e *entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range e.parts {
		if p.data != nil {
			s.held -= p.length
		} else {
			s.live -= p.length
		}
	}
	e.parts = nil
	if s.live == 0 && s.end > 0 && s.spill.Truncate(0) == nil {
		s.end = 0
	}
}

// settle says that an entry is complete.
func (s *sequence) settle(e *entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ready[e.number] = e
	if e.number == s.next {
		s.change.Broadcast()
	}
}

// take waits for the entry whose turn it is. ok is false when nothing more is to come in order.
func (s *sequence) take() (e *entry, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		if e, ok = s.ready[s.next]; ok {
			delete(s.ready, s.next)
			s.next++
			return e, true
		}
		if s.closed {
			return nil, false
		}
		s.change.Wait()
	}
}

// waiting reports whether the entry whose turn it is has still to come.
func (s *sequence) waiting() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, there := s.ready[s.next]
	return !there
}

// has reports whether an entry is complete.
func (s *sequence) has(number int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, there := s.ready[number]
	return there || number < s.next
}

// finish says that no entry settles any more.
func (s *sequence) finish() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.change.Broadcast()
}

// writeTo writes the rows of an entry.
func (s *sequence) writeTo(w io.Writer, e *entry) error {
	for _, p := range e.parts {
		if p.data != nil {
			if _, err := w.Write(p.data); err != nil {
				return err
			}
			continue
		}
		if _, err := io.Copy(w, io.NewSectionReader(s.spill, p.offset, p.length)); err != nil {
			return err
		}
	}
	return nil
}

// close gives the temporary file back.
func (s *sequence) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.spill == nil {
		return nil
	}
	if err := s.spill.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return err
	}
	return nil
}
