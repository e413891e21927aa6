package source

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/gocarina/gocsv"

	"friendmigrate/migrate"
)

// row is what gocsv decodes a record into: its cells, in order. All are text, because gocsv would
// accept 0x10, 1.5 and " 7 " as integers. gocsv allocates each row twice, so a row is only a
// pointer to cells that are reused.
type row struct{ Cells *[]string }

// freeCells holds the cells of rows that were read. The first cell is "", for missing columns.
var freeCells = sync.Pool{New: func() any { return &[]string{""} }}

// UnmarshalCSVWithFields takes the next cell of the record. Without it gocsv would set a field by
// reflection, with an allocation for each.
func (r *row) UnmarshalCSVWithFields(_, cell string) error {
	if r.Cells == nil {
		r.Cells = freeCells.Get().(*[]string)
	}
	*r.Cells = append(*r.Cells, cell)
	return nil
}

func (r *row) release() {
	*r.Cells = (*r.Cells)[:1]
	freeCells.Put(r.Cells)
	r.Cells = nil
}

// table is the input of one call of gocsv: the header, then records.
type table [][]string

// Read and ReadAll make it a gocsv.CSVReader. gocsv asks for all records at once.
func (t table) Read() ([]string, error)      { return nil, io.EOF }
func (t table) ReadAll() ([][]string, error) { return t, nil }

// Limits of a table. It has many records because gocsv reads the header each time, but not more
// than fit into the processor's cache.
const (
	batchRecords = 256
	batchCells   = 16 * batchRecords
)

// csvParser turns records into edges.
type csvParser struct {
	*parser
	layout *layout

	table    table
	cells    []string // of its records
	unquoted []byte   // cells that had quotes in them
	rows     []row    // of the table, from gocsv

	groups []string // reused
	custom []migrate.CustomItem
}

func (p *csvParser) takeBlock(b *block) error {
	if l := b.layout; p.layout != l {
		p.layout, p.table = l, table{l.header}
		p.rows = make([]row, min(max(batchCells/len(l.header), 1), batchRecords))
	}
	ends := b.ends
	for batch := range slices.Chunk(b.records, len(p.rows)) {
		p.table, p.cells, p.unquoted = p.table[:1], p.cells[:0], p.unquoted[:0]
		for i := range batch {
			if batch[i].kind == recordWhole {
				p.add(b.text(&batch[i]), ends[:p.layout.columns], batch[i].lines > 1)
				ends = ends[p.layout.columns:]
			}
		}
		if len(p.table) > 1 {
			// gocsv calls row.UnmarshalCSVWithFields for each cell.
			if err := gocsv.UnmarshalCSV(p.table, &p.rows); err != nil {
				return fmt.Errorf("read rows of %q: %w", p.layout.name, err)
			}
		}
		if err := p.takeRows(b, batch); err != nil {
			return err
		}
	}
	return nil
}

func (p *csvParser) add(record []byte, ends []uint32, multiline bool) {
	if multiline && bytes.Contains(record, []byte("\r\n")) {
		// Staging has always dropped one more '\r' here, and must go on, or the plan of an older
		// job would change.
		ends[len(ends)-1] = min(ends[len(ends)-1], uint32(contentLength(record)))
	}
	from, first := 0, len(p.cells)
	for i, end := range ends {
		if p.layout.wanted[i] {
			var cell []byte
			cell, p.unquoted = unquote(p.unquoted, record[from:end])
			p.cells = append(p.cells, view(cell))
		}
		from = int(end) + 1
	}
	p.table = append(p.table, p.cells[first:])
}

// takeRows takes consecutive records of a block. The whole ones are in p.rows.
func (p *csvParser) takeRows(b *block, batch []record) error {
	rows := p.rows
	for i := range batch {
		r := &batch[i]
		raw, line := b.text(r), b.line+int64(r.line)
		p.suspectLines = 0
		if r.kind != recordWhole {
			if err := p.broken(b.layout, line, raw, reject{"", recordReasons[r.kind]}); err != nil {
				return err
			}
			continue
		}
		if r.lines > 1 && p.layout.maySwallowRows(cellsOf(raw), int(r.lines)) {
			p.suspectLines = int64(r.lines)
		}
		if err := p.takeRow(*rows[0].Cells, raw, line); err != nil {
			return err
		}
		rows[0].release()
		rows = rows[1:]
	}
	return nil
}

func (p *csvParser) takeRow(cells []string, raw []byte, line int64) error {
	e, cellOf := &p.edge, &p.layout.cellOf
	e.From, e.To = cells[cellOf[fieldFrom]], cells[cellOf[fieldTo]]
	if again, err := p.layout.headerAgain(e.From, e.To, raw, line); err != nil {
		return err
	} else if again {
		return p.broken(p.layout, line, raw, reject{"", reasonHeader})
	}
	e.AddSource, e.Remark = cells[cellOf[fieldAddSource]], cells[cellOf[fieldRemark]]
	e.AddWording = cells[cellOf[fieldAddWording]]
	p.null = slices.ContainsFunc(cells, isNull)
	p.groups = splitGroups(p.groups[:0], cells[cellOf[fieldGroups]])
	p.custom = p.custom[:0]
	for _, c := range p.layout.custom {
		p.custom = append(p.custom, migrate.CustomItem{Tag: c.tag, Value: cells[c.cell], Integer: c.integer})
	}
	e.Groups, e.Custom = p.groups, p.custom
	e.Position = migrate.Position{Input: p.layout.index, Line: line}
	return p.takeEdge(raw, numbers{cells[cellOf[fieldRemarkTime]], cells[cellOf[fieldAddTime]]})
}

// isNull reports whether a cell is a word with which databases and other programs write no value.
func isNull(cell string) bool {
	switch cell {
	case `\N`, "NULL", "null", "None", "NaN", "nan", "<NA>":
		return true
	}
	return false
}

// splitGroups appends the groups of a cell to list, without empty ones.
func splitGroups(list []string, cell string) []string {
	for more := true; more; {
		var group string
		if group, cell, more = strings.Cut(cell, groupSeparator); group != "" {
			list = append(list, group)
		}
	}
	return list
}
