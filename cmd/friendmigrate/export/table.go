package export

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"path/filepath"
	"slices"

	"friendmigrate/migrate"
	"friendmigrate/migrate/disk"
	"friendmigrate/source"
)

// writeTable turns the collected rows into the CSV, whose columns are known by now.
func (o *output) writeTable(stream io.Writer) error {
	format := source.ListFormat{Format: source.CSV, Tags: slices.Sorted(maps.Keys(o.now.Tags))}
	write := func(w io.Writer, name string) error {
		p, err := source.NewPacker(w, name)
		if err != nil {
			return err
		}
		if err := source.WriteEdges(p, format, readRows(io.NewSectionReader(o.rows, 0, o.now.Rows))); err != nil {
			return err
		}
		return p.EndMember()
	}
	if o.destination == "" {
		return write(stream, "")
	}
	return disk.WriteWhole(o.fsys, o.destination, func(w io.Writer) error { return write(w, o.destination) })
}

// forgetRows removes the collected rows of a CSV that is written.
func (o *output) forgetRows() error {
	if !o.csv || o.folder == "" {
		return nil
	}
	err := o.rows.Close()
	o.rows = nil
	return errors.Join(err, o.fsys.Remove(filepath.Join(o.folder, rowsName)))
}

// rowJSON is a row as package source writes it, in the API's item shape.
type rowJSON struct {
	From       string   `json:"From_Account"`
	To         string   `json:"To_Account"`
	Remark     string   `json:"Remark"`
	GroupName  []string `json:"GroupName"`
	AddSource  string   `json:"AddSource"`
	AddWording string   `json:"AddWording"`
	AddTime    int64    `json:"AddTime"`
	CustomItem []struct {
		Tag   string
		Value json.RawMessage
	}
}

// readRows reads collected rows back. Rows that no list of the service could hold are not among
// them, so none is refused here.
func readRows(r io.Reader) iter.Seq2[source.ListRow, error] {
	return func(yield func(source.ListRow, error) bool) {
		lines := bufio.NewReaderSize(r, 256<<10)
		var long []byte
		for {
			line, err := lines.ReadSlice('\n')
			if errors.Is(err, bufio.ErrBufferFull) {
				long = append(long, line...)
				continue
			}
			if err == io.EOF && len(line)+len(long) == 0 {
				return
			}
			if err != nil {
				yield(source.ListRow{}, fmt.Errorf("read collected rows: %w", err))
				return
			}
			if len(long) > 0 {
				line = append(long, line...)
				long = nil
			}
			e, err := readRow(line)
			if !yield(source.ListRow{Edge: e}, err) || err != nil {
				return
			}
		}
	}
}

func readRow(line []byte) (*migrate.Edge, error) {
	var r rowJSON
	if err := json.Unmarshal(line, &r); err != nil {
		return nil, fmt.Errorf("read collected rows: %w", err)
	}
	e := &migrate.Edge{From: r.From, To: r.To, Remark: r.Remark, Groups: r.GroupName, AddSource: r.AddSource,
		AddWording: r.AddWording, AddTime: r.AddTime}
	for _, item := range r.CustomItem {
		custom := migrate.CustomItem{Tag: item.Tag, Value: string(item.Value), Integer: true}
		if bytes.HasPrefix(item.Value, []byte{'"'}) {
			custom.Integer = false
			if err := json.Unmarshal(item.Value, &custom.Value); err != nil {
				return nil, fmt.Errorf("read collected rows: %w", err)
			}
		}
		e.Custom = append(e.Custom, custom)
	}
	return e, nil
}
