package accountlist

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"friendmigrate/source"
)

// columns are the columns of accounts in a CSV. The first of them that the header has is used.
var columns = []string{"From_Account", "UserID", "To_Account"}

const byteOrderMark = "\xef\xbb\xbf"

// listError says which list cannot be used and why. It wraps a *source.InputError, which has the
// command that helps.
type listError struct{ *source.InputError }

func (e listError) Error() string {
	at := ""
	if e.Line > 0 {
		at = fmt.Sprintf(", line %d", e.Line)
	}
	return fmt.Sprintf("%q%s %s", e.Name, at, e.Reason)
}

func (e listError) Unwrap() error { return e.InputError }

// fault returns an error that refuses a list. Its command shows the line.
func fault(name string, line int64, reason string) error {
	e := &source.InputError{Name: name, Line: line, Reason: reason}
	if name != source.Standard {
		e.Fix = func(quote func(string) string) string {
			return fmt.Sprintf("sed -n %dp %s | cat -A", max(line, 1), quote(name))
		}
	}
	return listError{e}
}

// recognise returns an error if content that begins with head is no list of accounts.
func recognise(name string, head []byte) error {
	if wrong := (*source.InputError)(nil); errors.As(source.CheckText(name, head), &wrong) {
		return listError{wrong}
	}
	text := bytes.TrimLeft(head, " \t\r\n")
	first := json.NewDecoder(bytes.NewReader(text)).Decode(new(json.RawMessage))
	if len(text) > 0 && (text[0] == '{' || text[0] == '[') && first == nil {
		return fault(name, 1, "is JSON, not one id a line")
	}
	return nil
}

// eachID reads the ids of a list: one a line, or one column of a CSV. Of an id only the line end is
// trimmed. Quotes are as in CSV. Byte order marks at the beginning of a line and empty lines are
// skipped.
func eachID(name string, f io.Reader, each func(id string, line int64) error) error {
	r := bufio.NewReaderSize(f, maxLine)
	if mark, _ := r.Peek(len(byteOrderMark)); string(mark) == byteOrderMark {
		_, _ = r.Discard(len(byteOrderMark))
	}
	use := func(id string, line int64) error {
		id = strings.TrimPrefix(id, byteOrderMark)
		if strings.Contains(id, "\r") {
			if err := recognise(name, []byte(id)); err != nil {
				return err
			}
		}
		if reason := source.CheckAccount(id); reason != "" {
			return fault(name, line, fmt.Sprintf("has %.60q, which no account id can be: it %s", id, reason))
		}
		return each(id, line)
	}
	head, _ := r.Peek(maxLine)
	if err := recognise(name, head[:min(len(head), 64<<10)]); err != nil {
		return err
	}
	names := cellsOf(firstLine(head))
	for _, column := range columns {
		if at := slices.Index(names, column); at >= 0 {
			return eachRow(name, r, at, column, use)
		}
	}
	cells := strings.FieldsFunc(firstLine(head), func(c rune) bool { return strings.ContainsRune(";|\t", c) })
	named := func(column string) bool { return slices.Contains(cells, column) }
	if len(cells) > 1 && slices.ContainsFunc(columns, named) {
		return fault(name, 1, "has columns that are not separated by commas")
	}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	line := int64(0)
	for lines.Scan() {
		line++
		if text := strings.TrimPrefix(lines.Text(), byteOrderMark); text != "" { // without LF or CR LF
			id, err := plain(name, text, line)
			if err == nil {
				err = use(id, line)
			}
			if err != nil {
				return err
			}
		}
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return fault(name, line+1, fmt.Sprintf("is longer than %d MiB", maxLine>>20))
	}
	return lines.Err()
}

// plain removes the quotes of a line.
func plain(name, text string, line int64) (id string, err error) {
	if !strings.HasPrefix(text, `"`) {
		return text, nil
	}
	switch cells := cellsOf(text); len(cells) {
	case 0:
		return "", fault(name, line, "has broken quotes")
	case 1:
		return cells[0], nil
	}
	return "", fault(name, line, "has several columns, and no header names one of them "+strings.Join(columns, ", "))
}

// eachRow reads a CSV with a header.
func eachRow(name string, r io.Reader, at int, column string, use func(id string, line int64) error) error {
	rows := csv.NewReader(r)
	rows.ReuseRecord, rows.FieldsPerRecord = true, -1
	for first := true; ; first = false {
		row, err := rows.Read()
		broken := (*csv.ParseError)(nil)
		switch {
		case err == io.EOF:
			return nil
		case errors.As(err, &broken):
			return fault(name, int64(broken.StartLine), "is not a CSV record: "+broken.Err.Error())
		case err != nil:
			return err
		case first:
			continue
		}
		line, _ := rows.FieldPos(0)
		if at >= len(row) {
			return fault(name, int64(line), "has no column "+column)
		}
		if err := use(strings.Clone(row[at]), int64(line)); err != nil {
			return err
		}
	}
}

// firstLine returns the first line that is not empty.
func firstLine(head []byte) string {
	line, _, _ := strings.Cut(strings.TrimLeft(string(head), "\r\n"), "\n")
	return strings.TrimSuffix(line, "\r")
}

// cellsOf returns the cells of a line, or nil if it is not a CSV record.
func cellsOf(line string) []string {
	cells, err := csv.NewReader(strings.NewReader(line)).Read()
	if err != nil {
		return nil
	}
	return cells
}
