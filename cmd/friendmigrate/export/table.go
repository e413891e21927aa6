package export

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"

	"friendmigrate/migrate"
	"friendmigrate/migrate/disk"
	"friendmigrate/source"
)

// writeTable turns the collected rows into the CSV, whose columns are known by now.
func (o *output) writeTable(stream io.Writer) error {
	format := source.ListFormat{Format: source.CSV, Tags: slices.Sorted(maps.Keys(o.now.Tags))}
	write := func(w io.Writer) error {
		p, err := source.NewPacker(w, o.destination)
		if err != nil {
			return err
		}
		if err := source.WriteEdges(p, format, readRows(io.NewSectionReader(o.rows, 0, o.now.Rows))); err != nil {
			return err
		}
		return p.EndMember()
	}
	if o.destination == "" {
		return write(stream)
	}
	return disk.WriteWhole(o.fsys, o.destination, write)
}

// row is a row as package source writes it, in the API's item shape.
type row struct {
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

// readRows reads collected rows back.
func readRows(r io.Reader) iter.Seq2[source.ListRow, error] {
	return func(yield func(source.ListRow, error) bool) {
		rows := json.NewDecoder(bufio.NewReaderSize(r, 256<<10))
		for {
			var one row
			err := rows.Decode(&one)
			if err == io.EOF {
				return
			}
			var e *migrate.Edge
			if err == nil {
				e, err = one.edge()
			}
			if err != nil {
				yield(source.ListRow{}, fmt.Errorf("read collected rows: %w", err))
				return
			}
			if !yield(source.ListRow{Edge: e}, nil) {
				return
			}
		}
	}
}

func (r *row) edge() (*migrate.Edge, error) {
	e := &migrate.Edge{From: r.From, To: r.To, Remark: r.Remark, Groups: r.GroupName, AddSource: r.AddSource,
		AddWording: r.AddWording, AddTime: r.AddTime}
	for _, item := range r.CustomItem {
		custom := migrate.CustomItem{Tag: item.Tag, Value: string(item.Value), Integer: true}
		if bytes.HasPrefix(item.Value, []byte{'"'}) {
			custom.Integer = false
			if err := json.Unmarshal(item.Value, &custom.Value); err != nil {
				return nil, err
			}
		}
		e.Custom = append(e.Custom, custom)
	}
	return e, nil
}
