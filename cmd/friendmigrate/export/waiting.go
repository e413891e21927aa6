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

// waiting holds the rows of accounts until it is their turn, in a temporary file without a name,
// which is gone with its process.
type waiting struct {
	folder string // for the file; "": the system's

	mu   sync.Mutex // guards what follows
	file disk.File  // nil: nothing was held yet
	end  int64
	live int64 // bytes in it that are still needed
}

// entry is what became of one account: its rows, or why there are none.
type entry struct {
	number  int64 // in the file, from 0
	account accountlist.Account
	edges   int64
	bare    int64            // edges without AddSource
	tags    map[string]bool  // custom fields, and whether they are integers
	other   map[string]int64 // values of tags that an edge has no place for
	pieces  []piece          // its rows

	failed bool // it could not be read
	short  bool // it was, but FriendNum says another number
	code   int  // of the service; 0: none
	info   string
}

func newEntry(number int64, a accountlist.Account) entry {
	return entry{number: number, account: a, tags: map[string]bool{}, other: map[string]int64{}}
}

// piece is a part of an entry's rows, in the file.
type piece struct{ offset, length int64 }

// errHold is the error of a disk that cannot hold what waits for its turn.
var errHold = errors.New("hold a friend list")

// add keeps some rows of an entry.
func (w *waiting) add(e *entry, rows []byte) (err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.file == nil {
		w.file, err = unnamed(w.folder)
	}
	if err == nil {
		_, err = w.file.Seek(w.end, io.SeekStart)
	}
	if err == nil {
		_, err = w.file.Write(rows)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errHold, err)
	}
	n := int64(len(rows))
	e.pieces = append(e.pieces, piece{w.end, n})
	w.end += n
	w.live += n
	return nil
}

// drop forgets the rows of an entry.
func (w *waiting) drop(e *entry) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range e.pieces {
		w.live -= p.length
	}
	e.pieces = nil
	if w.live == 0 && w.end > 0 && w.file.Truncate(0) == nil {
		w.end = 0
	}
}

// writeTo writes the rows of an entry, which stay until drop.
func (w *waiting) writeTo(to io.Writer, e *entry) error {
	for _, p := range e.pieces {
		if _, err := io.Copy(to, io.NewSectionReader(w.file, p.offset, p.length)); err != nil {
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
