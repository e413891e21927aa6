package source

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"sync"

	"friendmigrate/migrate"
	"friendmigrate/migrate/codec"
	"friendmigrate/migrate/disk"
	"friendmigrate/source/spool"
)

// ListOptions say what a List is.
type ListOptions struct {
	FS     disk.FS // nil: disk.OS{}
	Path   string  // of the list; while rows are collected, Path+".spool" may lie beside it
	Memory int64   // bytes to hold, about
	Format string  // CSV or JSONL
	Extra  []string
	Lossy  bool
}

// List collects edges in any order, in bounded memory, and writes them as one file in the order of
// the input.
type List struct {
	options ListOptions
	spool   *spool.Spool

	mu      sync.Mutex      // guards what follows
	integer map[string]bool // tags seen, and whether with integers
}

// NewList makes an empty list.
func NewList(o ListOptions) *List {
	if o.FS == nil {
		o.FS = disk.OS{}
	}
	return &List{options: o, spool: spool.New(o.FS, o.Path+".spool", o.Memory), integer: map[string]bool{}}
}

// Add takes a row: an edge and a cell for each of ListOptions.Extra (string, int or int64). It
// copies them and is safe for concurrent use.
func (l *List) Add(e *migrate.Edge, extra ...any) error {
	if len(extra) != len(l.options.Extra) {
		return fmt.Errorf("add to list: %d extra cells for %d columns", len(extra), len(l.options.Extra))
	}
	row, err := appendExtra(appendEdge(nil, e), extra)
	if err != nil {
		return err
	}
	if len(e.Custom) > 0 {
		l.mu.Lock()
		for _, item := range e.Custom {
			l.integer[item.Tag] = l.integer[item.Tag] || item.Integer
		}
		l.mu.Unlock()
	}
	return l.spool.Add(e.Position, row)
}

// IntegerTags lists the custom fields that have integers in this list: what --integer-tags has to
// name when its CSV becomes an input.
func (l *List) IntegerTags() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.DeleteFunc(slices.Sorted(maps.Keys(l.integer)), func(tag string) bool { return !l.integer[tag] })
}

// Save writes the list whole. Nothing may be added meanwhile; afterwards it may, and the list saved
// again.
func (l *List) Save() error {
	return disk.WriteWhole(l.options.FS, l.options.Path, l.WriteList)
}

// WriteList writes to w what Save writes.
func (l *List) WriteList(w io.Writer) error {
	l.mu.Lock()
	tags := slices.Sorted(maps.Keys(l.integer))
	l.mu.Unlock()
	return WriteEdges(w, ListFormat{Format: l.options.Format, Tags: tags, Extra: l.options.Extra,
		Lossy: l.options.Lossy}, l.rows())
}

func (l *List) rows() iter.Seq2[ListRow, error] {
	return func(yield func(ListRow, error) bool) {
		for row, err := range l.spool.Rows() {
			if err != nil {
				yield(ListRow{}, err)
				return
			}
			e, extra, err := readRow(row)
			if !yield(ListRow{e, extra}, err) || err != nil {
				return
			}
		}
	}
}

// Close removes the temporary file. The list itself stays.
func (l *List) Close() error { return l.spool.Close() }

// appendEdge appends what a spooled edge is to its list. Rows of one position are sorted by these
// bytes, so that a row comes before the reverse that it added.
func appendEdge(b []byte, e *migrate.Edge) []byte {
	added := byte(0)
	if e.Added {
		added = 1
	}
	b = append(b, added)
	for _, text := range []string{e.From, e.To, e.AddSource} {
		b = codec.AppendText(b, text)
	}
	at := len(b)
	b, flags := codec.AppendFields(append(b, 0), e)
	b[at] = flags
	return b
}

func appendExtra(b []byte, extra []any) ([]byte, error) {
	b = binary.AppendUvarint(b, uint64(len(extra)))
	for _, cell := range extra {
		switch v := cell.(type) {
		case string:
			b = codec.AppendText(append(b, 's'), v)
		case int:
			b = binary.AppendVarint(append(b, 'i'), int64(v))
		case int64:
			b = binary.AppendVarint(append(b, 'i'), v)
		default:
			return nil, fmt.Errorf("add to list: a %T is no cell", cell)
		}
	}
	return b, nil
}

var errSpooled = errors.New("spooled row is damaged")

func readRow(row spool.Row) (*migrate.Edge, []any, error) {
	c := codec.Cursor{Rest: row.Data}
	e := &migrate.Edge{Position: row.Position, Added: c.Byte() == 1}
	for _, text := range []*string{&e.From, &e.To, &e.AddSource} {
		*text = string(c.Text())
	}
	new(codec.Fields).Read(&c, c.Byte(), e)
	var extra []any
	for n := c.Uvarint(); n > 0 && !c.Bad; n-- {
		if c.Byte() == 's' {
			extra = append(extra, string(c.Text()))
		} else {
			extra = append(extra, c.Varint())
		}
	}
	if c.Bad {
		return nil, nil, errSpooled
	}
	return e, extra, nil
}
