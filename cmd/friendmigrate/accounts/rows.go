package accounts

import (
	"iter"
	"strconv"
	"strings"

	"friendmigrate/migrate"
	"friendmigrate/migrate/disk"
	"friendmigrate/source/spool"
)

// rows sorts accounts by their ids, in bounded memory.
type rows struct {
	spool *spool.Spool
	err   error // the first
}

const rowsMemory = 8 << 20

func newRows(fsys disk.FS, file string) *rows {
	return &rows{spool: spool.New(fsys, file+".spool", rowsMemory)}
}

// separator is in no account id.
const separator = "\x00"

func (r *rows) add(id string, code int, info string) {
	if r.err == nil {
		r.err = r.spool.Add(migrate.Position{}, []byte(id+separator+strconv.Itoa(code)+separator+info))
	}
}

// all yields id, code and info of each.
func (r *rows) all() iter.Seq2[[]string, error] {
	return func(yield func([]string, error) bool) {
		for row, err := range r.spool.Rows() {
			if !yield(strings.SplitN(string(row.Data), separator, 3), err) {
				return
			}
		}
	}
}
