package inspect

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"friendmigrate/cmd/friendmigrate/folder"
)

// lists explains the rows that are in lists: each list is read once.
func (e *explainer) lists() error {
	if err := e.list(folder.Rejected, e.rejected); err != nil {
		return err
	}
	if err := e.list(folder.Duplicates, e.duplicate); err != nil {
		return err
	}
	return e.list(folder.Changed, e.changed)
}

// list hands the rows of a list to do, by the names of its columns. A list that is not there has
// nothing to say.
func (e *explainer) list(name string, do func(cell func(column string) string) error) error {
	f, err := os.Open(filepath.Join(e.job.Dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read a list: %w", err)
	}
	defer f.Close()
	rows := csv.NewReader(f)
	header, err := rows.Read()
	rows.ReuseRecord = true
	for err == nil {
		var row []string
		if row, err = rows.Read(); err == nil {
			err = do(func(column string) string {
				if i := slices.Index(header, column); i >= 0 {
					return row[i]
				}
				return ""
			})
		}
	}
	if err == io.EOF {
		return nil
	}
	return fmt.Errorf("read %q: %w", f.Name(), err)
}

// rejected explains a rejected row that names the account, or the pair, in any of its fields: such
// a row may be too broken to tell which of them is From_Account.
func (e *explainer) rejected(cell func(string) string) error {
	raw := cell("Row")
	if !strings.Contains(raw, e.from) && !strings.ContainsAny(raw, `\"`) { // most rows need not be taken apart
		return nil
	}
	fields := RowFields(raw)
	at := slices.Index(fields, e.from)
	if at < 0 || e.to != "" && !slices.Contains(slices.Delete(fields, at, at+1), e.to) {
		return nil
	}
	f := Finding{Kind: Rejected, Column: cell("Column"), Reason: cell("Reason"), Row: raw}
	return e.row(f, cell)
}

func (e *explainer) duplicate(cell func(string) string) error {
	if !e.names(cell) {
		return nil
	}
	line, err := strconv.ParseInt(cell("KeptLine"), 10, 64)
	if err != nil {
		return err
	}
	return e.row(Finding{Kind: Duplicate, From: e.from, To: cell("To_Account"), KeptInput: cell("KeptInput"),
		KeptLine: line}, cell)
}

func (e *explainer) changed(cell func(string) string) error {
	if !e.names(cell) {
		return nil
	}
	return e.row(Finding{Kind: Changed, From: e.from, To: cell("To_Account"), Column: cell("Column"),
		Reason: cell("Reason"), Was: cell("Was"), Now: cell("Now")}, cell)
}

func (e *explainer) names(cell func(string) string) bool {
	return cell("From_Account") == e.from && (e.to == "" || cell("To_Account") == e.to)
}

func (e *explainer) row(f Finding, cell func(string) string) (err error) {
	f.Input = cell("Input")
	if f.Line, err = strconv.ParseInt(cell("Line"), 10, 64); err != nil {
		return err
	}
	return e.find(f)
}

// RowFields takes a row of an input apart, as far as it can be: the fields of a CSV record, the
// texts and numbers of a JSON object.
func RowFields(raw string) (fields []string) {
	var object map[string]any
	d := json.NewDecoder(strings.NewReader(raw))
	d.UseNumber()
	if d.Decode(&object) == nil {
		for _, value := range object {
			switch v := value.(type) {
			case string:
				fields = append(fields, v)
			case json.Number:
				fields = append(fields, v.String())
			}
		}
		return fields
	}
	r := csv.NewReader(strings.NewReader(raw))
	r.LazyQuotes = true
	fields, _ = r.Read()
	return fields
}
