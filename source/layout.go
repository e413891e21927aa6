package source

import (
	"bytes"
	"cmp"
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
	names   []string      // of the columns, as they stand there
	from    string        // the name that the column of From_Account has there
	wanted  []bool        // of the columns: it means something to us
	header  []string      // the API's names of the wanted columns
	at      [fieldTag]int // where a field stands among the wanted columns, from 1; 0: nowhere
	custom  []customColumn
	ignored []string // columns that mean nothing to us, and are none that our own lists add
}

// customColumn is a column of one custom field.
type customColumn struct {
	tag     string
	at      int // among the wanted columns, from 1
	integer bool
}

// readHeader makes sense of a CSV's first record. Names are matched exactly: gocsv would also match
// them trimmed and stripped of characters without width.
func (l *layout) readHeader(record []byte, line int64, r *rules) error {
	names := cellsOf(record)
	if names == nil {
		return &InputError{Name: l.name, Line: line, Reason: "the header is no CSV record"}
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
		case fieldUnknown, fieldCustomItem: // CSV has a column for each custom field
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
			l.at[m.field] = len(l.header) + 1
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

// complete refuses a header without the columns that every row needs, or that --map promises.
func (l *layout) complete(seen map[string]bool, line int64, r *rules) error {
	needed := slices.Concat([]string{nameFrom, nameTo}, slices.Sorted(maps.Keys(r.mapped)))
	if r.source == "" {
		needed = append(needed, nameAddSource)
	}
	var missing []string
	for _, name := range needed {
		if !seen[name] {
			missing = append(missing, name)
		}
		seen[name] = true // some are needed twice
	}
	if len(missing) == 0 {
		return nil
	}
	return l.lacks(missing, line, r)
}

// lacks names the missing columns, those that were meant to be them, and a command line that does
// without.
func (l *layout) lacks(missing []string, line int64, r *rules) error {
	if slices.ContainsFunc(l.names, validSource) {
		header := wrong{filter: "sed '1i " + strings.Join([]string{nameFrom, nameTo, nameAddSource}, ",") + "'"}
		return &InputError{Name: l.name, Line: line, Reason: "the header is missing: the first line is a row",
			Fix: header.fix(l.name, l.packed)}
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
		e.Better, e.Fix = Flag{}, firstLines.fix(l.name, l.packed) // no map makes two columns of it
	}
	return e
}

// list names the columns or keys that there are.
func list(names []string) string {
	const most = 10
	var shown []string
	for _, name := range names[:min(len(names), most)] {
		shown = append(shown, fmt.Sprintf("%.40q", name))
	}
	if len(names) > most {
		shown = append(shown, "...")
	}
	return " (names are matched exactly; there is " + strings.Join(shown, ", ") + ")"
}

// maySwallowRows reports whether a record has so many lines that it may have swallowed rows.
func (l *layout) maySwallowRows(cells []string, lines int) bool {
	return lines > manyLines || lines > 1 && slices.ContainsFunc(cells, func(cell string) bool {
		return strings.Contains(cell, "\n") && strings.Count(cell, ",") >= l.columns-1
	})
}

// headerAgain reports whether a row is the header once more, as in files that were put together
// with cat. A header with other columns is an error: nobody can tell what the rows after it mean.
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
		reason := "a second header has other columns, or in another order: the input has to be split there"
		split := wrong{filter: fmt.Sprintf("sed -n -e '1,%dw first.csv' -e '%d,$p'", line-1, line)}
		return false, &InputError{Name: l.name, Line: line, Reason: reason, Fix: split.fix(l.name, l.packed)}
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

// isAccountName reports whether a cell is the API's name of an account's column, which is nobody's
// id.
func isAccountName(cell string) bool {
	return strings.EqualFold(cell, nameFrom) || strings.EqualFold(cell, nameTo)
}

// crEnds is the error of rows that end in CR alone. It names no line: several parsers may find
// some.
func (l *layout) crEnds() error { return crLines.error(l.name, l.format, l.packed) }
