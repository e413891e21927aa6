package source

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"friendmigrate/migrate"
	"friendmigrate/migrate/codec"
	"friendmigrate/migrate/disk"
	"friendmigrate/source/spool"
)

// ListOptions say how a List is made.
type ListOptions struct {
	FS     disk.FS // nil: disk.OS{}
	Path   string  // of the list; while rows are collected there may be a file Path+".spool"
	Memory int64   // limit in bytes, approximate
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
	integer map[string]bool // by tag: whether an item was an integer
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
	row := appendEdge(nil, e)
	for _, cell := range extra {
		kind := byte('n') // a number
		if _, text := cell.(string); text {
			kind = 's'
		}
		row = codec.AppendText(append(row, kind), fmt.Sprint(cell))
	}
	if len(e.Custom) > 0 {
		l.mu.Lock()
		for _, item := range e.Custom {
			if integer, known := l.integer[item.Tag]; !known || item.Integer && !integer {
				l.integer[strings.Clone(item.Tag)] = item.Integer
			}
		}
		l.mu.Unlock()
	}
	return l.spool.Add(e.Position, row)
}

// IntegerTags returns the custom fields that have integers in this list. --integer-tags must name
// them when the list, as CSV, becomes an input.
func (l *List) IntegerTags() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.DeleteFunc(slices.Sorted(maps.Keys(l.integer)), func(tag string) bool { return !l.integer[tag] })
}

// Save writes the whole list. Nothing may be added meanwhile. Later more rows may be added and the
// list saved again. It gives up when ctx ends.
func (l *List) Save(ctx context.Context) error {
	return disk.WriteWhole(l.options.FS, l.options.Path, func(w io.Writer) error { return l.write(ctx, w) })
}

// WriteList writes the same to w as Save.
func (l *List) WriteList(w io.Writer) error { return l.write(context.Background(), w) }

func (l *List) write(ctx context.Context, w io.Writer) error {
	l.mu.Lock()
	tags := slices.Sorted(maps.Keys(l.integer))
	l.mu.Unlock()
	return WriteEdges(w, ListFormat{Format: l.options.Format, Tags: tags, Extra: l.options.Extra,
		Lossy: l.options.Lossy}, l.rows(ctx))
}

func (l *List) rows(ctx context.Context) iter.Seq2[ListRow, error] {
	return func(yield func(ListRow, error) bool) {
		for row, err := range l.spool.Rows(ctx) {
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

// appendEdge appends the bytes of an edge in a spool. Rows of one position are sorted by these
// bytes, so a row comes before its added reverse.
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

var errSpooled = errors.New("spooled row is damaged")

func readRow(row spool.Row) (*migrate.Edge, []any, error) {
	c := codec.Cursor{Rest: row.Data}
	e := &migrate.Edge{Position: row.Position, Added: c.Byte() == 1}
	for _, text := range []*string{&e.From, &e.To, &e.AddSource} {
		*text = string(c.Text())
	}
	new(codec.Fields).Read(&c, c.Byte(), e)
	var extra []any
	for len(c.Rest) > 0 {
		if kind, cell := c.Byte(), string(c.Text()); kind == 's' {
			extra = append(extra, cell)
		} else {
			extra = append(extra, json.Number(cell))
		}
	}
	if c.Bad {
		return nil, nil, errSpooled
	}
	return e, extra, nil
}

// ErrNotCSV says that an edge cannot be written as CSV and read back unchanged: it has a group with
// ';' in its name, or a custom field that is a string in one row and an integer in another. JSONL
// can hold everything.
var ErrNotCSV = errors.New("CSV cannot hold it")

// ListFormat says how a list of edges is written.
type ListFormat struct {
	Format string   // CSV or JSONL
	Tags   []string // CSV: the tags of custom fields that get a column
	Extra  []string // further columns or keys; only names that ReadInputs ignores
	Lossy  bool     // CSV: no ErrNotCSV; fields may not read back unchanged
}

// ListRow is one row of a list.
type ListRow struct {
	Edge  *migrate.Edge
	Extra []any // for ListFormat.Extra: string, int or int64
}

// WriteEdges writes a list of edges that is a valid input. ReadInputs reads every field of every
// edge back unchanged and ignores the extra columns. For CSV, Options.IntegerTags must name the
// custom fields that are integers. A CSV has its header even without rows.
func WriteEdges(w io.Writer, f ListFormat, rows iter.Seq2[ListRow, error]) error {
	for _, name := range f.Extra {
		if !slices.Contains(listColumns[:], name) {
			return fmt.Errorf("write list: %q is none of the columns that lists may add", name)
		}
	}
	if f.Format == JSONL {
		return writeJSONL(w, f, rows)
	}
	return writeCSV(w, f, rows)
}

// apiColumns are the columns of a CSV list before the custom fields.
var apiColumns = [...]string{nameFrom, nameTo, nameRemark, nameRemarkTime, nameGroups, nameAddSource, nameAddWording,
	nameAddTime}

func writeCSV(w io.Writer, f ListFormat, rows iter.Seq2[ListRow, error]) error {
	out := csv.NewWriter(w)
	if err := out.Write(slices.Concat(apiColumns[:], f.Tags, f.Extra)); err != nil {
		return err
	}
	integer := map[string]bool{}
	cells := make([]string, 0, len(apiColumns)+len(f.Tags)+len(f.Extra))
	for row, err := range rows {
		if err != nil {
			return err
		}
		if !f.Lossy {
			if err := fitsCSV(row.Edge, integer); err != nil {
				return err
			}
		}
		e := row.Edge
		cells = append(cells[:0], e.From, e.To, e.Remark, timeCell(e.RemarkTime),
			strings.Join(e.Groups, groupSeparator), e.AddSource, e.AddWording, timeCell(e.AddTime))
		cells = append(cells, make([]string, len(f.Tags))...)
		for _, item := range e.Custom {
			i := slices.Index(f.Tags, item.Tag)
			if i < 0 {
				return fmt.Errorf("write list: no column for %q", item.Tag)
			}
			cells[len(apiColumns)+i] = item.Value
		}
		for _, extra := range row.Extra {
			cells = append(cells, fmt.Sprint(extra))
		}
		if strings.HasPrefix(e.From, string(byteOrderMark)) { // a reader would drop it unless it is in quotes
			out.Flush()
			if _, err := fmt.Fprintf(w, `"%s"`, strings.ReplaceAll(e.From, `"`, `""`)); err != nil {
				return err
			}
			cells[0] = ""
		}
		if err := out.Write(cells); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// fitsCSV returns an ErrNotCSV if the edge cannot be read back unchanged. integer says of each tag
// in earlier rows whether it was an integer.
func fitsCSV(e *migrate.Edge, integer map[string]bool) error {
	for _, group := range e.Groups {
		if strings.Contains(group, groupSeparator) {
			return fmt.Errorf("write list: %w: a group has %q in its name", ErrNotCSV, groupSeparator)
		}
	}
	for _, item := range e.Custom {
		if before, known := integer[item.Tag]; known && before != item.Integer {
			return fmt.Errorf("write list: %w: %q is a string in some rows and an integer in others", ErrNotCSV,
				item.Tag)
		}
		integer[item.Tag] = item.Integer
	}
	return nil
}

func timeCell(t int64) string {
	if t == 0 {
		return ""
	}
	return strconv.FormatInt(t, 10)
}

// jsonEdge is an edge in the form of the API's AddFriendItem.
type jsonEdge struct {
	From       string     `json:"From_Account,omitempty"`
	To         string     `json:"To_Account,omitempty"`
	Remark     string     `json:",omitempty"`
	RemarkTime int64      `json:",omitempty"`
	GroupName  []string   `json:",omitempty"`
	AddSource  string     `json:",omitempty"`
	AddWording string     `json:",omitempty"`
	AddTime    int64      `json:",omitempty"`
	CustomItem []jsonItem `json:",omitempty"`
}

type jsonItem struct {
	Tag   string
	Value any // string or json.Number
}

func newJSONEdge(e *migrate.Edge) jsonEdge {
	j := jsonEdge{From: e.From, To: e.To, Remark: e.Remark, RemarkTime: e.RemarkTime, GroupName: e.Groups,
		AddSource: e.AddSource, AddWording: e.AddWording, AddTime: e.AddTime}
	for _, item := range e.Custom {
		value := any(item.Value)
		if item.Integer {
			value = json.Number(item.Value)
		}
		j.CustomItem = append(j.CustomItem, jsonItem{item.Tag, value})
	}
	return j
}

func writeJSONL(w io.Writer, f ListFormat, rows iter.Seq2[ListRow, error]) error {
	var line bytes.Buffer
	out := json.NewEncoder(&line)
	out.SetEscapeHTML(false)
	for row, err := range rows {
		if err != nil {
			return err
		}
		line.Reset()
		err := out.Encode(newJSONEdge(row.Edge))
		for i, extra := range row.Extra {
			line.Truncate(bytes.LastIndexByte(line.Bytes(), '}'))
			fmt.Fprintf(&line, ",%q:", f.Extra[i])
			err = errors.Join(err, out.Encode(extra))
			line.Truncate(line.Len() - 1) // its line end
			line.WriteString("}\n")
		}
		if err != nil {
			return fmt.Errorf("write list: %w", err)
		}
		if _, err := w.Write(line.Bytes()); err != nil {
			return err
		}
	}
	return nil
}
