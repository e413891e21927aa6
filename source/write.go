package source

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"

	"friendmigrate/migrate"
)

// ErrNotCSV says that an edge has something that a CSV could not give back: a group with ';' in its
// name, or one custom field that is a string here and an integer there. JSONL holds everything.
var ErrNotCSV = errors.New("CSV cannot hold it")

// ListFormat is how a list of edges is written.
type ListFormat struct {
	Format string   // CSV or JSONL
	Tags   []string // CSV: the tags of custom fields that get a column
	Extra  []string // further columns or keys; only names that Stage knows to ignore
	Lossy  bool     // CSV: write what it cannot hold as well as can be, for a list that is to be read by people
}

// ListRow is one row of a list.
type ListRow struct {
	Edge  *migrate.Edge
	Extra []any // for ListFormat.Extra: string, int or int64
}

// WriteEdges writes a list of edges that is an input again: Stage reads every field of every edge
// back unchanged (from CSV if Options.IntegerTags names the custom fields that are integers) and
// ignores the extra columns. A CSV has its header even without rows.
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
		if err := out.Write(cells); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// fitsCSV checks that reading the edge back gives the same. integer remembers what each tag was in
// the rows before.
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

func writeJSONL(w io.Writer, f ListFormat, rows iter.Seq2[ListRow, error]) error {
	out := bufio.NewWriter(w)
	var line []byte
	for row, err := range rows {
		if err != nil {
			return err
		}
		line = appendEdgeJSON(line[:0], row.Edge)
		for i, extra := range row.Extra {
			line = appendKey(line, f.Extra[i])
			if s, ok := extra.(string); ok {
				line = appendJSON(line, s)
			} else {
				line = fmt.Append(line, extra)
			}
		}
		line = append(line, '}', '\n')
		if _, err := out.Write(line); err != nil {
			return err
		}
	}
	return out.Flush()
}

// appendEdgeJSON appends the edge in the API's item shape, without the closing brace.
func appendEdgeJSON(b []byte, e *migrate.Edge) []byte {
	b = append(b, '{')
	b = appendText(b, nameFrom, e.From)
	b = appendText(b, nameTo, e.To)
	b = appendText(b, nameRemark, e.Remark)
	b = appendTime(b, nameRemarkTime, e.RemarkTime)
	if len(e.Groups) > 0 {
		b = append(appendKey(b, nameGroups), '[')
		for i, group := range e.Groups {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendJSON(b, group)
		}
		b = append(b, ']')
	}
	b = appendText(b, nameAddSource, e.AddSource)
	b = appendText(b, nameAddWording, e.AddWording)
	b = appendTime(b, nameAddTime, e.AddTime)
	if len(e.Custom) == 0 {
		return b
	}
	b = append(appendKey(b, nameCustomItem), '[')
	for i, item := range e.Custom {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendJSON(append(b, `{"Tag":`...), item.Tag), `,"Value":`...)
		if item.Integer {
			b = append(b, item.Value...)
		} else {
			b = appendJSON(b, item.Value)
		}
		b = append(b, '}')
	}
	return append(b, ']')
}

func appendText(b []byte, key, value string) []byte {
	if value == "" {
		return b
	}
	return appendJSON(appendKey(b, key), value)
}

func appendTime(b []byte, key string, t int64) []byte {
	if t == 0 {
		return b
	}
	return strconv.AppendInt(appendKey(b, key), t, 10)
}

// appendKey appends the key of a further member.
func appendKey(b []byte, key string) []byte {
	if b[len(b)-1] != '{' {
		b = append(b, ',')
	}
	return append(appendJSON(b, key), ':')
}

// appendJSON appends a string as JSON. What isn't valid UTF-8 can't be staged, so there is nothing
// to replace here.
func appendJSON(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < ' ':
			b = append(b, `\u00`...)
			b = append(b, hex[c>>4], hex[c&15])
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}
