package export

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"friendmigrate/migrate/disk"
	"friendmigrate/source/accountlist"
)

// waiting holds the rows of accounts until it is their turn. Memory is held up to a limit over all
// accounts; the rest goes to a temporary file without a name, which is gone with its process.
type waiting struct {
	most   int64
	folder string // for the temporary file; "": the system's

	mu    sync.Mutex // guards what follows
	held  int64      // bytes in memory
	spill disk.File
	end   int64 // of the temporary file
	live  int64 // bytes in it that are still needed
}

// entry is what became of one account: its rows, or why there are none.
type entry struct {
	number  int64 // in the file, from 0
	account accountlist.Account
	edges   int64
	bare    int64            // edges without AddSource
	tags    map[string]bool  // custom fields, and whether they are integers
	other   map[string]int64 // values of tags that an edge has no place for
	parts   []piece          // its rows

	failed bool // it could not be read
	short  bool // it was, but FriendNum says another number
	code   int  // of the service; 0: none
	info   string
}

// piece is a part of an entry's rows.
type piece struct {
	data           []byte // nil: in the temporary file
	offset, length int64
}

// errHold is the error of a disk that cannot hold what waits for its turn.
var errHold = errors.New("hold a friend list")

// add keeps a copy of some rows of an entry.
func (w *waiting) add(e *entry, rows []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := int64(len(rows))
	if w.held+n <= w.most {
		w.held += n
		e.parts = append(e.parts, piece{data: append([]byte(nil), rows...), length: n})
		return nil
	}
	var err error
	if w.spill == nil {
		w.spill, err = unnamed(w.folder)
	}
	if err == nil {
		_, err = w.spill.Seek(w.end, io.SeekStart)
	}
	if err == nil {
		_, err = w.spill.Write(rows)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errHold, err)
	}
	e.parts = append(e.parts, piece{offset: w.end, length: n})
	w.end += n
	w.live += n
	return nil
}

// drop forgets the rows of an entry.
func (w *waiting) drop(e *entry) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range e.parts {
		if p.data != nil {
			w.held -= p.length
		} else {
			w.live -= p.length
		}
	}
	e.parts = nil
	if w.live == 0 && w.end > 0 && w.spill.Truncate(0) == nil {
		w.end = 0
	}
}

// writeTo writes the rows of an entry. Its part of the temporary file stays until drop.
func (w *waiting) writeTo(to io.Writer, e *entry) error {
	for _, p := range e.parts {
		var err error
		if p.data != nil {
			_, err = to.Write(p.data)
		} else {
			_, err = io.Copy(to, io.NewSectionReader(w.spill, p.offset, p.length))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// unnamed is a temporary file that is gone with its process.
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
