package source

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// layout is what the parsers have to know of one input. It is read only and shared.
type layout struct {
	name   string
	index  int // of the input in the job
	format string
	packed compression

	// Of a CSV: what its columns are. A JSONL carries its keys with every row.
	columns int
	names   []string // of the columns, as they stand there
	from    string   // the name that the column of From_Account has there
	header  []string // the columns' names as row's tags have them, placeholders where a column is ignored
	tags    []string // of the custom columns, from left to right
	integer []bool   // of the custom columns: the value is an integer
	ignored []string // columns that mean nothing to us
}

// Names in layout.header that stand for more than one column of the input.
const (
	headerIgnored = "-"
	headerCustom  = "Tag_SNS_Custom"
)

// readHeader makes sense of a CSV's first record. Names are matched exactly: gocsv would also match them trimmed and stripped of characters without width.
func (l *layout) readHeader(record []byte, line int64, r *rules) error {
	names, err := csv.NewReader(bytes.NewReader(record)).Read()
	if err != nil {
		return &InputError{Name: l.name, Line: line, Reason: "the header is no CSV record"}
	}
	l.columns, l.names = len(names), names
	seen := map[string]bool{}
	for _, name := range names {
		m := r.dictionary.look(name)
		switch m.field {
		case fieldUnknown, fieldCustomItem: // CSV has a column for each custom field
			l.ignored = append(l.ignored, name)
			l.header = append(l.header, headerIgnored)
			continue
		case fieldListed:
			l.header = append(l.header, headerIgnored)
			continue
		case fieldTag:
			if !isTag(m.text) {
				return &InputError{Name: l.name, Line: line, Reason: fmt.Sprintf("the column %.60q %s; --map %sX=HEADER gives it another name", name, reasonTag, tagPrefix)}
			}
			_, integer := r.integer[m.text]
			l.tags, l.integer = append(l.tags, m.text), append(l.integer, integer)
			l.header = append(l.header, headerCustom)
		case fieldFrom:
			l.from = name
			fallthrough
		default:
			l.header = append(l.header, m.text)
		}
		if seen[m.text] {
			return &InputError{Name: l.name, Line: line, Reason: fmt.Sprintf("there are two columns %q", name)}
		}
		seen[m.text] = true
	}
	return l.complete(names, seen, line, r)
}

// complete refuses a header without the columns that every row needs, or that --map promises.
func (l *layout) complete(names []string, seen map[string]bool, line int64, r *rules) error {
	for _, needed := range []string{nameFrom, nameTo} {
		if !seen[needed] {
			called := orElse(r.mapped[needed], needed)
			return &InputError{Name: l.name, Line: line, Reason: fmt.Sprintf("there is no column %q%s", called, headerHint(names))}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.mapped)) {
		if !seen[name] {
			return &InputError{Name: l.name, Line: line, Reason: fmt.Sprintf("there is no column %q, which --map names for %s", r.mapped[name], name)}
		}
	}
	return nil
}

// headerHint helps with the usual reasons for a missing column.
func headerHint(names []string) string {
	const most = 10
	shown := slices.Clone(names[:min(len(names), most)])
	for i, name := range shown {
		shown[i] = fmt.Sprintf("%.40q", name)
	}
	if len(names) > most {
		shown = append(shown, "...")
	}
	return " (names are matched exactly; there is " + strings.Join(shown, ", ") + "; --map names others)"
}

// headerAgain reports whether a row is the header once more, as in files that were put together with cat. A header with
// other columns is an error: nobody can tell what the rows after it mean.
func (l *layout) headerAgain(r *row, record []byte, line int64) (bool, error) {
	if r.From != l.from && !isAccountName(r.From) && !isAccountName(r.To) {
		return false, nil
	}
	cells, err := csv.NewReader(bytes.NewReader(record)).Read()
	if err != nil {
		return false, err // can't be: it was read before
	}
	same, accounts := true, 0
	for i, name := range l.names {
		ours := slices.Contains(fieldNames[:], name) && strings.EqualFold(cells[i], name)
		same = same && (ours || cells[i] == name || l.header[i] == headerIgnored)
		if isAccountName(cells[i]) {
			accounts++
		}
	}
	if !same && accounts > 1 {
		return false, &InputError{Name: l.name, Line: line, Reason: "a second header has other columns, or in another order: split the input there"}
	}
	return same, nil
}

// isAccountName reports whether a cell is the API's name of an account's column, which is nobody's id.
func isAccountName(cell string) bool {
	return strings.EqualFold(cell, nameFrom) || strings.EqualFold(cell, nameTo)
}

// crEnds is the error of rows that end in CR alone. It names no line: several parsers may find some.
func (l *layout) crEnds() error { return crLines.error(l.name, l.packed) }

var errSwitched = errors.New("gocsv does not read rows as it should: something has changed its package-level switches")
