package source

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// layout describes one input for the parsers. It is read only and shared.
type layout struct {
	name   string
	index  int // of the input in the job
	format string
	packed compression

	// The columns of a CSV. In JSONL every row has its own keys.
	columns int
	names   []string      // of all columns, as in the header
	from    string        // name of the column of From_Account
	wanted  []bool        // by column: whether its cells are read
	header  []string      // the API's names of the wanted columns
	cellOf  [fieldTag]int // index in the row's cells; 0: there is no column, and cells[0] is always empty
	custom  []customColumn
	ignored []string // unknown columns, except those that our own lists add
}

// customColumn is a column of one custom field.
type customColumn struct {
	tag     string
	cell    int // index in the row's cells
	integer bool
}

// readHeader sets the columns from a CSV's header. Names are matched exactly; gocsv would also
// match them after removing space and zero-width characters.
func (l *layout) readHeader(record []byte, line int64, r *rules) error {
	names := cellsOf(record)
	if names == nil {
		return &InputError{Name: l.name, Line: line, Reason: "the header is not a CSV record"}
	}
	l.columns, l.names = len(names), names
	if l.maySwallowRows(names, bytes.Count(record, []byte{'\n'})) {
		reason := "the name of a column has rows in it: a quote too many or too few?"
		return &InputError{Name: l.name, Line: line, Reason: reason}
	}
	seen := map[string]bool{}
	for _, name := range names {
		m := r.dictionary.look(name)
		l.wanted = append(l.wanted, m.field > fieldListed && m.field != fieldCustomItem)
		switch m.field {
		case fieldUnknown, fieldCustomItem: // in CSV each custom field has its own column
			l.ignored = append(l.ignored, name)
			continue
		case fieldListed:
			continue
		case fieldTag:
			if !isTag(m.text) {
				mapped := map[string]string{tagPrefix + "WORD": name}
				maps.Copy(mapped, r.mapped)
				reason := fmt.Sprintf("the column %.60q %s", name, reasonTag)
				return &InputError{Name: l.name, Line: line, Reason: reason, Better: mapFlag(mapped)}
			}
			l.custom = append(l.custom, customColumn{m.text, len(l.header) + 1, slices.Contains(r.integer, m.text)})
		default:
			l.cellOf[m.field] = len(l.header) + 1
			if m.field == fieldFrom {
				l.from = name
			}
		}
		l.header = append(l.header, m.text)
		if seen[m.text] {
			return &InputError{Name: l.name, Line: line, Reason: fmt.Sprintf("there are two columns %q", name)}
		}
		seen[m.text] = true
	}
	return l.complete(seen, line, r)
}

// complete refuses a header without the columns that every row needs or that --map names.
func (l *layout) complete(seen map[string]bool, line int64, r *rules) error {
	needed := slices.Concat([]string{nameFrom, nameTo}, slices.Sorted(maps.Keys(r.mapped)))
	if r.source == "" && !r.noSource {
		needed = append(needed, nameAddSource)
	}
	var missing []string
	for _, name := range needed {
		if !seen[name] {
			missing = append(missing, name)
		}
		seen[name] = true // needed may contain it twice
	}
	if len(missing) == 0 {
		return nil
	}
	return l.lacks(missing, line, r)
}

// lacks returns the error for missing columns. It names similar columns and a flag that helps.
func (l *layout) lacks(missing []string, line int64, r *rules) error {
	if slices.ContainsFunc(l.names, validSource) {
		header := wrong{filter: "sed '1i " + strings.Join([]string{nameFrom, nameTo, nameAddSource}, ",") + "'"}
		return &InputError{Name: l.name, Line: line, Reason: "the header is missing: the first line is a row",
			Fix: header.fix(l.name, l.packed)}
	}
	if slices.Equal(l.names, rejectedColumns) {
		return &InputError{Name: l.name, Line: line, Reason: "it is a list of rejected rows, which is not an input: " +
			"fix the rows that its column Row shows, in a file of their own"}
	}
	var parts []string
	mapped, there := maps.Clone(r.mapped), list(l.names)
	if mapped == nil {
		mapped = map[string]string{}
	}
	better := Flag{"default-add-source", sourcePrefix + "WORD"}
	for _, name := range missing {
		header, promised := r.mapped[name]
		header = cmp.Or(header, name)
		part := fmt.Sprintf("%.40q", header)
		if promised {
			part += ", which --map names for " + name
		}
		meant := near(header, l.ignored...)
		if meant != "" {
			part += fmt.Sprintf(" (%.40q: did you mean %s?)", meant, header)
			there = ""
		}
		if parts = append(parts, part); meant != "" || promised || name != nameAddSource {
			mapped[name] = cmp.Or(meant, "HEADER")
			better = mapFlag(mapped)
		} else {
			parts = append(parts, "--default-add-source")
		}
	}
	e := &InputError{Name: l.name, Line: line, Better: better}
	if e.Reason = "there is no column " + strings.Join(parts, " and no ") + there; l.columns == 1 {
		e.Better, e.Fix = Flag{}, firstLines.fix(l.name, l.packed) // a map cannot divide one column
	}
	return e
}

// list names the existing columns or keys, if there are any, for a message.
func list(names []string) string {
	const most = 10
	if len(names) == 0 {
		return ""
	}
	var shown []string
	for _, name := range names[:min(len(names), most)] {
		shown = append(shown, fmt.Sprintf("%.40q", name))
	}
	if len(names) > most {
		shown = append(shown, "...")
	}
	return " (names are matched exactly; there is " + strings.Join(shown, ", ") + ")"
}

// maySwallowRows reports whether a record may have swallowed rows because of a stray quote: it has
// over manyLines lines, or a cell with line breaks and as many commas as the header.
func (l *layout) maySwallowRows(cells []string, lines int) bool {
	return lines > manyLines || lines > 1 && slices.ContainsFunc(cells, func(cell string) bool {
		return strings.Contains(cell, "\n") && strings.Count(cell, ",") >= l.columns-1
	})
}

// headerAgain reports whether a row repeats the header, as in files joined with cat. A header with
// other columns is an error, because the meaning of the rows after it is unknown.
func (l *layout) headerAgain(from, to string, record []byte, line int64) (bool, error) {
	if from != l.from && !isAccountName(from) && !isAccountName(to) {
		return false, nil
	}
	cells := cellsOf(record)
	same := true
	for i, name := range l.names {
		ours := slices.Contains(fieldNames[:], name) && strings.EqualFold(cells[i], name)
		same = same && (ours || cells[i] == name || !l.wanted[i])
	}
	if !same && namesAccounts(cells) {
		return false, &InputError{Name: l.name, Line: line,
			Reason: "a second header has other columns, or in another order: the input has to be split there"}
	}
	return same, nil
}

// isHeader reports whether a record that has other columns than the header is one itself.
func (l *layout) isHeader(record []byte) bool {
	return l.format == CSV && namesAccounts(columnsOf(record[marks(record):], ','))
}

// namesAccounts reports whether several cells name a column of accounts.
func namesAccounts(cells []string) bool {
	return len(slices.DeleteFunc(slices.Clone(cells), func(cell string) bool { return !isAccountName(cell) })) > 1
}

// isAccountName reports whether a cell is the API's name of an account's column. No account has
// such an id.
func isAccountName(cell string) bool {
	return strings.EqualFold(cell, nameFrom) || strings.EqualFold(cell, nameTo)
}

// crEnds returns the error of rows that end in CR alone. It names no line, because several parsers
// may find such rows.
func (l *layout) crEnds() error { return crLines.error(l.name, l.format, l.packed) }
